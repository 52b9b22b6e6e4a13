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
	for _, word := range []string{"passw", "pwd", "secret", "cookie", "token", "key", "psk", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// afterSpill is said of lines that may be a part of a secret.
const afterSpill = "the line cannot be read; it may belong to the secret above it, whose quote is not closed"

// maskSyntax masks values in the lines of findings made before any key was looked up.
func (c *compilation) maskSyntax(r *report.Report) {
	for i := range r.Entries {
		e := &r.Entries[i]
		if from, ok := c.spilled[e.Pos.File]; ok && e.Pos.Line > from && e.Code == report.CodeSyntax {
			e.Text, e.Message, e.Hint, e.Pos.Col = "", afterSpill, "", 0
			continue
		}
		name, head := keyOf(e.Text)
		key, _, known := c.schema.Lookup(name)
		if !known {
			key, _, known = c.schema.ByAlias(name)
		}
		if head == e.Text || !(known && key.Secret || !known && suspect(name)) {
			continue
		}
		if e.Code == report.CodeUnclosed && strings.HasPrefix(e.Text[len(head):], "'''") {
			c.spilled[e.Pos.File] = e.Pos.Line
		}
		e.Text = head + asterisks
		if limit := utf8.RuneCountInString(e.Text); e.Pos.Col > limit || e.Pos.Col+e.Width > limit+1 {
			e.Pos.Col, e.Width = utf8.RuneCountInString(head)+1, len(asterisks)
		}
	}
}

// keyOf returns the key that a line begins with, well formed or not, and all of the line that stands before its value.
func keyOf(line string) (name, head string) {
	rest := strings.TrimLeft(line, " \t")
	n := strings.IndexFunc(rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.\\", r))
	})
	if n < 0 {
		n = len(rest)
	}
	value := strings.TrimLeft(rest[n:], " \t=:")
	return rest[:n], line[:len(line)-len(value)]
}
