package docs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Man writes the program's manual page in the man macros of roff. version stands in its foot.
func (p *Program) Man(w io.Writer, version string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, ".TH %s %d \"\" \"vernemq %s\" \"%s\"\n.ad l\n", strings.ToUpper(roff(p.Name)), p.Section, roff(strings.ReplaceAll(version, `"`, "")),
		map[int]string{1: "User Commands", 8: "System Administration"}[p.Section])
	fmt.Fprintf(b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", roff(p.Name), roff(p.Summary))
	for i, line := range p.Synopsis {
		if i > 0 {
			fmt.Fprintln(b, ".br")
		}
		fmt.Fprintf(b, ".B %s\n%s\n", roff(p.Name), roff(line))
	}
	fmt.Fprintln(b, ".SH DESCRIPTION")
	paragraphs(b, p.Intro)
	if len(p.Commands) > 0 {
		fmt.Fprintln(b, ".SH COMMANDS")
	}
	for i := range p.Commands {
		p.Commands[i].man(b, p.Name)
	}
	if len(p.Options) > 0 {
		fmt.Fprintln(b, ".SH OPTIONS")
		terms(b, p.Options)
	}
	for _, t := range p.Texts {
		fmt.Fprintf(b, ".SH %s\n", strings.ToUpper(roff(t.Title)))
		terms(b, t.Terms)
	}
	if len(p.SeeAlso) > 0 {
		fmt.Fprintln(b, ".SH SEE ALSO")
		for i, page := range p.SeeAlso {
			name, section, _ := strings.Cut(strings.TrimSuffix(page, ")"), "(")
			end := ","
			if i == len(p.SeeAlso)-1 {
				end = ""
			}
			fmt.Fprintf(b, ".BR %s (%s)%s\n", roff(name), section, end)
		}
	}
	return b.Flush()
}

func (c *Command) man(b *bufio.Writer, program string) {
	fmt.Fprintf(b, ".SS %s\n", roff(program+" "+c.Words))
	if c.Args != "" {
		fmt.Fprintf(b, ".B %s\n%s\n.PP\n", roff(c.Words), roff(c.Args))
	}
	paragraphs(b, strings.Split(sentence(c.Doc), "\n"))
	terms(b, c.Options)
	if c.More == "" {
		return
	}
	fmt.Fprintln(b, ".PP\n.nf")
	for line := range strings.Lines(c.More) {
		fmt.Fprintln(b, verbatim(strings.TrimRight(line, "\n")))
	}
	fmt.Fprintln(b, ".fi")
}

// terms writes a list of terms and what they mean.
func terms(b *bufio.Writer, list []Option) {
	for _, o := range list {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(o.Form), roff(o.Doc))
	}
}

// verbatim escapes one line and keeps its blanks.
func verbatim(line string) string {
	text := strings.TrimLeft(line, " ")
	return strings.Repeat(`\ `, len(line)-len(text)) + escape(text)
}

// sentence makes a help line a sentence: it begins with a capital and ends with a point.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if text = strings.ToUpper(text[:1]) + text[1:]; !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
