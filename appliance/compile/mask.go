package compile

import (
	"strings"
	"unicode/utf8"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
)

const asterisks = "******"

// mask replaces the value in the line kept for messages: a report is pasted into tickets.
func mask(a *source.Assignment) {
	head, value, ok := strings.Cut(a.Text, "=")
	if !ok {
		return
	}
	head += "=" + value[:len(value)-len(strings.TrimLeft(value, " \t"))]
	a.Text = head + asterisks
	a.ValuePos.Col = utf8.RuneCountInString(head) + 1
	a.ValueWidth = len(asterisks)
}

// maskSuspect masks the value of an unknown key that may be a misspelled secret one.
func maskSuspect(a *source.Assignment, names ...string) {
	if suspect(strings.Join(names, " ")) {
		mask(a)
	}
}

func suspect(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"passw", "passwd", "secret", "cookie", "token", "key", "psk", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// maskSyntax masks values in the lines of findings made before any key was looked up.
func (c *compilation) maskSyntax(r *report.Report) {
	for i := range r.Entries {
		e := &r.Entries[i]
		head, _, ok := strings.Cut(e.Text, "=")
		if !ok {
			continue
		}
		name := strings.Trim(head, " \t")
		key, _, known := c.schema.Lookup(name)
		if !known {
			key, _, known = c.schema.ByAlias(name)
		}
		if known && key.Secret || !known && suspect(name) {
			a := source.Assignment{Text: e.Text}
			mask(&a)
			e.Text = a.Text
			if limit := utf8.RuneCountInString(e.Text); e.Pos.Col > limit || e.Pos.Col+e.Width > limit+1 {
				e.Pos.Col, e.Width = a.ValuePos.Col, a.ValueWidth
			}
		}
	}
}
