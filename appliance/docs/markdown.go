package docs

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"vernemq/schema"
)

// intro stands above the keys in every form of the reference.
var intro = []string{
	"The broker reads /etc/vernemq/vernemq.conf and what it includes: one setting a line, key = value. A # begins a comment, except inside single " +
		"quotes. The last line that sets a key counts.",
	"A word of a key that begins with $ here stands for a word of your choice. Names in braces stand for several keys: x.{a,b}.y are x.a.y and x.b.y.",
	"An option of listeners can be set for all of them, for a protocol and for one listener by its name; the nearest counts.",
	"vernemq config describe KEY shows one key with what is set on this machine, vernemq config explain KEY where its value comes from, and " +
		"vernemq chkconfig every mistake.",
}

// Markdown writes the reference of all keys: a section a subject, a heading a key.
func Markdown(w io.Writer, s *schema.Schema) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "# Reference of vernemq.conf\n")
	for _, text := range intro {
		fmt.Fprintf(b, "\n%s\n", markdown(text))
	}
	fmt.Fprintln(b)
	for _, subject := range s.Subjects() {
		fmt.Fprintf(b, "- [%s](#%s)\n", markdown(subject.Title), anchor(subject.Title))
	}
	for _, subject := range s.Subjects() {
		fmt.Fprintf(b, "\n## %s\n", markdown(subject.Title))
		if subject.Doc != "" {
			fmt.Fprintf(b, "\n%s\n", markdown(subject.Doc))
		}
		for _, e := range entries(subject.Keys) {
			e.markdown(b)
		}
	}
	return b.Flush()
}

func (e *entry) markdown(b *bufio.Writer) {
	fmt.Fprintf(b, "\n### `%s`\n\n", e.names[0])
	for _, name := range e.names[1:] {
		fmt.Fprintf(b, "also `%s`  \n", name)
	}
	if len(e.names) > 1 {
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "%s\n\n", markdown(e.keys[0].Doc))
	for _, f := range e.facts {
		text := markdown(f.Text)
		if f.Name == "default" && f.Text != "unset" && f.Text != "the empty text" {
			text = "`" + f.Text + "`"
		}
		fmt.Fprintf(b, "- %s: %s\n", f.Name, text)
	}
}

// markdown escapes what Markdown would take for marks.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "&", "&amp;", "[", `\[`, "]", `\]`, "#", `\#`, "$", `\$`,
		"|", `\|`).Replace(text)
}

// anchor returns the name by which a heading is linked to: letters and digits in lower case, a hyphen for each blank.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_':
			return r
		}
		return -1
	}, strings.ToLower(title))
}
