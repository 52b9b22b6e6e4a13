package plan

import (
	"bufio"
	"io"
	"strings"

	"vernemq/schema"
)

// WriteEffective writes every effective value as a "key = value" line, sorted by key, secrets hidden. A bare number is followed by its unit as a
// comment. With origin the comment tells where the value came from too and, for an inherited option, which key gave it.
func (p *Plan) WriteEffective(w io.Writer, origin bool) error {
	b := bufio.NewWriter(w)
	for _, v := range p.All() {
		text := v.Text()
		b.WriteString(v.Name + " = " + Quote(text))
		var comment []string
		if origin {
			comment = append(comment, v.From())
		}
		if unit := v.Unit(); unit != "" {
			comment = append(comment, "["+unit+"]")
		}
		if comment != nil {
			b.WriteString("  # " + strings.Join(comment, " "))
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// Unit returns the unit that the text of the value does not show, spelled out; empty if there is none to know.
func (v *Value) Unit() string {
	switch v.Key.Type {
	case schema.Integer, schema.Float, schema.IntList:
	default:
		return ""
	}
	if text := v.Text(); text == "" || strings.Trim(text, "-+.0123456789eE,") != "" { // a word
		return ""
	}
	return v.Key.UnitName()
}

// From says in one line where the value came from: the key that gave it if that is another one, the place, what auto was found from.
func (v *Value) From() string {
	text := v.Origin.String()
	if v.Source != v.Name {
		text = v.Source + ", " + text
	}
	if v.Auto != nil {
		text += ", auto (" + v.Auto.Reading + ")"
	}
	return text
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
