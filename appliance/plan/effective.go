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

// Quote returns a value in the form vernemq.conf needs: as it is, or in quotes if it is empty, has a #, a line end, blanks at its ends or a
// quote at its start.
func Quote(text string) string {
	switch {
	case strings.ContainsAny(text, "\n") || strings.Contains(text, "'") && (strings.Contains(text, "#") || text[0] == '\'' || strings.TrimSpace(text) != text):
		return "'''" + text + "'''"
	case text == "" || strings.Contains(text, "#") || strings.TrimSpace(text) != text:
		return "'" + text + "'"
	default:
		return text
	}
}

// ListenerName returns the key of a listener's address.
func ListenerName(protocol, name string) string {
	return schema.JoinName([]string{"listener", protocol, name})
}
