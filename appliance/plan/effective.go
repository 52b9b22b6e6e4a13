package plan

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"

	"vernemq/schema"
)

// WriteEffective writes every effective value as a "key = value" line, sorted by key, secrets hidden. With origin each line ends in a comment
// that tells where the value came from and, for an inherited option, which key gave it.
func (p *Plan) WriteEffective(w io.Writer, origin bool) error {
	lines := make([][2]string, 0, len(p.Values))
	add := func(name string, v *Value) {
		from := v.Origin.String()
		if v.Source != name {
			from = v.Source + ", " + from
		}
		lines = append(lines, [2]string{name + " = " + Quote(v.Text()), from})
	}
	for i := range p.Values {
		add(p.Values[i].Name, &p.Values[i])
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		add(l.Address.Name, &l.Address)
		for j := range l.Options {
			add(l.Address.Name+"."+l.Options[j].Name, &l.Options[j])
		}
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][0] < lines[j][0] })
	b := bufio.NewWriter(w)
	for _, l := range lines {
		if origin {
			fmt.Fprintf(b, "%s  # %s\n", l[0], l[1])
		} else {
			fmt.Fprintln(b, l[0])
		}
	}
	return b.Flush()
}

// Quote returns a value in the form vernemq.conf needs: as it is, or in quotes if it is empty, has a # or a line end, begins with a quote, or has
// blanks at its ends. A text with three quotes in a row, or with line ends at its ends, has no form that keeps it.
func Quote(text string) string {
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
