package admin

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// usage returns the help text with the longest path that words begin with, wrapped for a terminal of that many columns (0 unknown).
func (t *Tree) usage(words []string, columns int) string {
	if columns < 60 || columns > 120 {
		columns = 100
	}
	if c, _ := t.find(words); c != nil {
		return c.usage(columns)
	}
	if len(words) > 0 {
		for _, g := range t.groups {
			if g.name == words[0] {
				return t.groupUsage(g, columns)
			}
		}
	}
	var b strings.Builder
	b.WriteString("Usage: vmq-admin <command> <sub-command> [key=value ...] [options]\n\n")
	paragraph(&b, 2, columns, "Inspects and administers a running broker.")
	b.WriteString("\n  Commands:\n")
	var rows [][2]string
	for _, g := range t.groups {
		rows = append(rows, [2]string{g.name, g.doc})
	}
	list(&b, columns, rows)
	b.WriteString("\n  Options of every command:\n")
	list(&b, columns, globalOptions)
	b.WriteString("\n  Use --help after a command for more details.\n")
	return b.String()
}

var globalOptions = [][2]string{
	{"-h, --help", "Shows how the command is used."},
	{"--format=human|json|csv", "Writes the result as a table for people (the default), as JSON or as CSV."},
	{"-rpctimeout MS", "Gives up after so many milliseconds; infinity (the default) waits."},
}

func (t *Tree) groupUsage(g group, columns int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: vmq-admin %s <sub-command>\n\n", g.name)
	paragraph(&b, 2, columns, g.doc)
	b.WriteString("\n  Sub-commands:\n")
	var rows [][2]string
	for _, c := range t.commands {
		if c.Path[0] == g.name {
			summary, _, _ := strings.Cut(c.Doc, "\n")
			rows = append(rows, [2]string{strings.Join(c.Path[1:], " "), summary})
		}
	}
	list(&b, columns, rows)
	b.WriteString("\n  Use --help after a sub-command for more details.\n")
	return b.String()
}

func (c *Command) usage(columns int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: vmq-admin %s", c.name())
	var args, flags [][2]string
	for _, a := range c.Args {
		form := a.Name + "=" + a.Hint
		if args = append(args, [2]string{form, a.Doc}); !a.Required {
			form = "[" + form + "]"
		}
		b.WriteString(" " + form)
	}
	if c.Settings {
		b.WriteString(" key=value ...")
	}
	if c.Words != "" {
		b.WriteString(" [" + c.Words + " ...]")
	}
	for _, f := range c.Flags {
		flags = append(flags, [2]string{f.form(), f.Doc})
	}
	if len(flags) > 0 {
		b.WriteString(" [options]")
	}
	b.WriteString("\n\n")
	for text := range strings.SplitSeq(c.Doc, "\n") {
		paragraph(&b, 2, columns, text)
	}
	if len(args) > 0 {
		b.WriteString("\n  Arguments:\n")
		list(&b, columns, args)
	}
	if len(flags) > 0 {
		b.WriteString("\n  Options:\n")
		list(&b, columns, flags)
	}
	b.WriteString("\n  Options of every command:\n")
	list(&b, columns, globalOptions)
	return b.String()
}

// form returns how a flag is written, such as -t, --tls or --limit=N.
func (f *FlagSpec) form() string {
	s := "--" + f.Name
	if f.Short != "" {
		s = "-" + f.Short + ", " + s
	}
	hint := f.Hint
	if len(f.Words) > 0 {
		hint = strings.Join(f.Words, "|")
	}
	switch f.Value {
	case Optional:
		s += "[=" + hint + "]"
	case Required:
		s += "=" + hint
	}
	return s
}

// list writes rows of a term and its text in two columns.
func list(b *strings.Builder, columns int, rows [][2]string) {
	width := 0
	for _, r := range rows {
		width = max(width, min(26, utf8.RuneCountInString(r[0])))
	}
	for _, r := range rows {
		b.WriteString("    " + r[0])
		n := utf8.RuneCountInString(r[0])
		if r[1] == "" {
			b.WriteByte('\n')
			continue
		}
		if n > width {
			b.WriteByte('\n')
			n = -4
		}
		b.WriteString(strings.Repeat(" ", width+2-n))
		for i, l := range wrap(r[1], columns-width-6) {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", width+6))
			}
			b.WriteString(l + "\n")
		}
	}
}

// paragraph writes text, wrapped and indented.
func paragraph(b *strings.Builder, indent, columns int, text string) {
	for _, l := range wrap(text, columns-indent) {
		b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+l, " ") + "\n")
	}
}

// wrap breaks text between words so that no line is longer than width, if its words allow.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// unknown returns what to say about words that are no command: what was meant perhaps, and the nearest help text.
func (t *Tree) unknown(words []string, columns int) string {
	usage := t.usage(words, columns)
	if len(words) == 0 || len(words) == 1 && slices.ContainsFunc(t.groups, func(g group) bool { return g.name == words[0] }) {
		return usage
	}
	typed := strings.Join(words, " ")
	var names []string
	for _, c := range t.commands {
		names = append(names, c.name())
	}
	return "Unknown command: " + typed + suggest(typed, names, "") + "\n\n" + usage
}
