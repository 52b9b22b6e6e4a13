package plan

import (
	"bufio"
	"io"
	"strings"

	"vernemq/schema"
)

// WriteEffective writes every effective value as a "key = value" line, sorted by key, secrets hidden. With origin each line ends in a comment
// that tells where the value came from and, for an inherited option, which key gave it.
func (p *Plan) WriteEffective(w io.Writer, origin bool) error {
	b := bufio.NewWriter(w)
	for _, v := range p.All() {
		b.WriteString(v.Name + " = " + Quote(v.Text()))
		if origin {
			b.WriteString("  # ")
			if v.Source != v.Name {
				b.WriteString(v.Source + ", ")
			}
			b.WriteString(v.Origin.String())
			if v.Auto != nil {
				b.WriteString(", auto from " + v.Auto.Reading)
			}
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// Quote returns a value in the form vernemq.conf needs: as it is, or in quotes if it is empty, has a # or a line end, begins with a quote, or has
// blanks at its ends; $( is written $$( lest it be taken for a reference. A text with three quotes in a row, or with line ends at its ends, has no form that keeps it.
func Quote(text string) string {
	text = strings.ReplaceAll(text, "$(", "$$(")
	plain := text != "" && text[0] != '\'' && !strings.ContainsAny(text, "#\n") && strings.TrimSpace(text) == text
	switch {
	case plain:
		return text
	case !strings.ContainsAny(text, "'\n"):
		return "'" + text + "'"
	case strings.HasPrefix(text, "'") || strings.HasSuffix(text, "'"):
		return "'''\n" + text + "\n'''" // the line ends next to the quotes are not part of the value
	default:
		return "'''" + text + "'''"
	}
}

// ListenerName returns the key of a listener's address.
func ListenerName(protocol, name string) string {
	return schema.JoinName([]string{"listener", protocol, name})
}
