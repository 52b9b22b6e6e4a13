// Package migrate rewrites the configuration of an older VerneMQ, or of mosquitto, for this broker. What is written compiles: a line that has no
// counterpart is left in as a comment, and the report tells, in the form of the compiler's, what became of it. Comments and order stay. It refuses
// to read or write files, and to know what is configured on this machine.
package migrate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
)

// The codes of findings. They are stable, as those of the compiler are.
const (
	CodeRenamed = "migrate-renamed"  // the same under another name
	CodeChanged = "migrate-changed"  // carried over, and it does not mean quite the same
	CodeLeftOut = "migrate-left-out" // not carried over, and nothing is lost by that
	CodeLost    = "migrate-lost"     // not carried over: what it did is not available, or it cannot be read
)

// Format is what a configuration was written for.
type Format string

// The formats.
const (
	VerneMQ   Format = "vernemq"
	Mosquitto Format = "mosquitto"
)

// maxFindings bounds the findings of one file.
const maxFindings = 500

// Detect tells from its lines what a configuration was written for; ok is false if they do not tell.
func Detect(text []byte) (f Format, ok bool) {
	keys, words := 0, 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexFunc(line, func(r rune) bool { return r == '=' || unicode.IsSpace(r) })
		if end < 0 {
			end = len(line)
		}
		rest := strings.TrimSpace(line[end:])
		if _, known := options[line[:end]]; known && !strings.HasPrefix(rest, "=") {
			words++
		} else if strings.HasPrefix(rest, "=") {
			keys++
		}
	}
	switch {
	case words > keys:
		return Mosquitto, true
	case keys > words:
		return VerneMQ, true
	}
	return "", false
}

// page is a file that is being rewritten.
type page struct {
	name   string
	lines  []string // without line ends
	eol    string
	report *report.Report
	extra  []string // lines to stand behind the last one
}

func newPage(name string, text []byte) *page {
	p := &page{name: name, eol: "\n", report: &report.Report{}}
	clean := strings.TrimPrefix(string(text), "\ufeff")
	if strings.Contains(clean, "\r\n") {
		p.eol = "\r\n"
	}
	clean = strings.TrimSuffix(strings.ReplaceAll(clean, "\r\n", "\n"), "\n")
	if !utf8.ValidString(clean) {
		clean = strings.ToValidUTF8(clean, "\uFFFD")
		p.add(report.Entry{Severity: report.Warning, Code: CodeChanged, Pos: report.Pos{File: name},
			Message: "bytes that are not UTF-8 are replaced", Hint: "look for \uFFFD in the new file"})
	}
	p.lines = strings.Split(clean, "\n")
	return p
}

// add adds a finding; of too many only that there are more.
func (p *page) add(e report.Entry) {
	switch n := len(p.report.Entries); {
	case n < maxFindings:
		p.report.Add(e)
	case n == maxFindings:
		p.report.Add(report.Entry{Severity: report.Error, Code: CodeLost, Pos: report.Pos{File: p.name},
			Message: fmt.Sprintf("more than %d findings: the rest is not listed", maxFindings), Hint: "the lines are comments in the new file"})
	}
}

// find adds a finding about width characters from column col of line n (from 0).
func (p *page) find(n, col, width int, s report.Severity, code, message, hint string) {
	p.add(report.Entry{Severity: s, Code: code, Message: message, Hint: hint, Text: p.lines[n],
		Pos: report.Pos{File: p.name, Line: n + 1, Col: col}, Width: width})
}

// text returns the new file: replaced are the lines that take the place of old ones.
func (p *page) text(replaced map[int][]string) []byte {
	var b strings.Builder
	put := func(line string) {
		b.WriteString(strings.Map(printable, line))
		b.WriteString(p.eol)
	}
	for n, line := range p.lines {
		if now, ok := replaced[n]; ok {
			for _, l := range now {
				put(l)
			}
			continue
		}
		if n == len(p.lines)-1 && line == "" {
			break
		}
		put(line)
	}
	for _, line := range p.extra {
		put(line)
	}
	return []byte(b.String())
}

// printable replaces control characters, which a configuration must not hold.
func printable(r rune) rune {
	if source.Control(r) {
		return '\uFFFD'
	}
	return r
}

// comment makes a line a comment.
func comment(line string) string { return strings.TrimRight("# "+line, " \t") }

// hide returns the line with everything behind the first = or, without one, behind its first word masked: it may hold a secret.
func hide(line string) string {
	i := strings.IndexAny(line, "=")
	if i < 0 {
		i = strings.IndexFunc(strings.TrimLeft(line, " \t"), unicode.IsSpace)
		if i < 0 {
			return line
		}
		i += len(line) - len(strings.TrimLeft(line, " \t"))
	}
	return line[:i+1] + " ******"
}

// quote returns a value in the form vernemq.conf needs; ok is false if there is none.
func quote(value string) (text string, ok bool) {
	plain := value != "" && value[0] != '\'' && !strings.ContainsAny(value, "#") && strings.TrimSpace(value) == value
	switch {
	case strings.Contains(value, "$("):
		return "", false // would be taken for a reference
	case plain:
		return value, true
	case !strings.Contains(value, "'"):
		return "'" + value + "'", true
	case !strings.Contains(value, "'''") && !strings.HasPrefix(value, "'") && !strings.HasSuffix(value, "'"):
		return "'''" + value + "'''", true
	}
	return "", false
}
