package docs

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"vernemq/schema"
)

// Man writes the reference of all keys as the manual page vernemq.conf(5), in the man macros of roff. version stands in its foot.
func Man(w io.Writer, s *schema.Schema, version string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, ".TH VERNEMQ.CONF 5 \"\" \"vernemq %s\" \"File Formats\"\n", roff(strings.ReplaceAll(version, `"`, "")))
	fmt.Fprint(b, ".ad l\n.SH NAME\nvernemq.conf \\- configuration of the vernemq MQTT broker\n.SH SYNOPSIS\n.B /etc/vernemq/vernemq.conf\n.br\n"+
		".B /etc/vernemq/conf.d/*.conf\n.SH DESCRIPTION\n")
	paragraphs(b, intro)
	for _, subject := range s.Subjects() {
		fmt.Fprintf(b, ".SH %s\n", strings.ToUpper(roff(subject.Title)))
		if subject.Doc != "" {
			fmt.Fprintln(b, roff(subject.Doc))
		}
		for _, e := range entries(subject.Keys) {
			e.man(b)
		}
	}
	fmt.Fprint(b, ".SH FILES\n.TP\n.I /etc/vernemq/vernemq.conf\nthe configuration\n.TP\n.I /etc/vernemq/conf.d\n"+
		"files that are read after it\n.TP\n.I /var/lib/vernemq/generated.configs\nwhat the compiler made of it, the last three\n"+
		".SH SEE ALSO\n.BR vernemq (8),\n.BR vmq\\-admin (8),\n.BR vmq\\-passwd (8)\n")
	return b.Flush()
}

// paragraphs writes texts one below the other.
func paragraphs(b *bufio.Writer, texts []string) {
	for i, text := range texts {
		if i > 0 {
			fmt.Fprintln(b, ".PP")
		}
		fmt.Fprintln(b, roff(text))
	}
}

func (e *entry) man(b *bufio.Writer) {
	for i, name := range e.names {
		if i == 0 {
			fmt.Fprintln(b, ".TP")
		} else {
			fmt.Fprintln(b, ".TQ")
		}
		fmt.Fprintf(b, "\\fB%s\\fR\n", roff(name))
	}
	fmt.Fprintln(b, roff(e.keys[0].Doc))
	fmt.Fprintln(b, ".RS")
	for i, f := range e.facts {
		if i > 0 {
			fmt.Fprintln(b, ".br")
		} else {
			fmt.Fprintln(b, ".PP")
		}
		fmt.Fprintf(b, "%s: %s\n", roff(f.Name), roff(f.Text))
	}
	fmt.Fprintln(b, ".RE")
}

// roff makes one line of a text, escaped.
func roff(text string) string { return escape(strings.Join(strings.Fields(text), " ")) }

// escape escapes a text: backslashes and hyphens, what is not ASCII, and a point or quote that would begin a request.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	if out := b.String(); strings.HasPrefix(out, ".") {
		return `\&` + out
	}
	return b.String()
}
