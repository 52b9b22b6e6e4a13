package docs

import (
	"regexp"
	"slices"
	"strings"
)

// Program is a command line tool as its manual page and the completion of shells see it.
type Program struct {
	Name     string // such as vmq-admin
	Section  int    // of the manual
	Summary  string // one line, for the index of manual pages
	Synopsis []string
	Intro    []string // paragraphs
	Commands []Command
	Options  []Option // of the program itself, or of all its commands
	Texts    []Text   // further sections
	SeeAlso  []string // pages, such as vernemq.conf(5)
}

// Command is one command of a program.
type Command struct {
	Words   string // behind the program's name, such as config diff
	Args    string // as the help shows them
	Doc     string
	Options []Option // told one by one
	More    string   // told as it stands, lines ending in line ends
}

// Option is a flag or a key=value argument: how it is written, and what it does.
type Option struct{ Form, Doc string }

// Text is a section of a manual page: terms and what they mean.
type Text struct {
	Title string
	Terms []Option
}

// flagInText finds flags in help texts, with the = of those that have a value joined to it.
var flagInText = regexp.MustCompile(`(?:^|[\s\[|,])(--?[A-Za-z](?:[a-z0-9_-]*[a-z0-9])?)(=?)`)

// flags returns the flags that a command understands, in alphabetical order: of its options, and of the help texts that mention them.
func (c *Command) flags() (out []Option) {
	add := func(text, doc string) {
		for _, m := range flagInText.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(out, func(o Option) bool { return o.Form == m[1]+m[2] }) {
				out = append(out, Option{m[1] + m[2], doc})
			}
		}
	}
	for _, o := range c.Options {
		if name, _, isArg := strings.Cut(o.Form, "="); isArg && !strings.HasPrefix(name, "-") {
			out = append(out, Option{name + "=", o.Doc})
			continue
		}
		add(o.Form, o.Doc)
	}
	for line := range strings.Lines(c.More) {
		doc := strings.TrimSpace(line)
		if i := strings.Index(doc, "  "); i >= 0 {
			doc = strings.TrimSpace(doc[i:])
		}
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "-") {
			add(trimmed, doc)
		}
	}
	add(c.Args, "")
	slices.SortStableFunc(out, func(a, b Option) int { return strings.Compare(a.Form, b.Form) })
	return out
}
