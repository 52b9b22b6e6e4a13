package source

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"vernemq/appliance/report"
)

const (
	blanks = " \t"
	triple = "'''"
)

// scanner walks over one line, counting characters.
type scanner struct {
	line string
	off  int // bytes
	col  int // characters before off
}

func (s *scanner) rest() string { return s.line[s.off:] }

// skip moves over n bytes.
func (s *scanner) skip(n int) {
	s.col += utf8.RuneCountInString(s.line[s.off : s.off+n])
	s.off += n
}

func (s *scanner) blanks() { s.skip(len(s.rest()) - len(strings.TrimLeft(s.rest(), blanks))) }

// key reads words joined by dots. bad says what is wrong with it; the scanner then stands at the mistake.
func (s *scanner) key() (words []string, bad string) {
	var word strings.Builder
	end := func() bool {
		words = append(words, word.String())
		ok := word.Len() > 0
		word.Reset()
		return ok
	}
	for {
		r, n := utf8.DecodeRuneInString(s.rest())
		switch {
		case r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'):
			word.WriteRune(r)
		case r == '\\' && strings.HasPrefix(s.rest(), `\.`):
			word.WriteByte('.')
			n = 2
		case r == '.':
			if !end() {
				return nil, "empty word in a key"
			}
		default:
			if !end() {
				return nil, "empty word in a key"
			}
			return words, ""
		}
		s.skip(n)
	}
}

// statement reads the current line, and following ones for a value over several lines.
func (t *text) statement() {
	s := scanner{line: t.line}
	s.blanks()
	if s.rest() == "" || s.rest()[0] == '#' {
		return
	}
	if after, ok := strings.CutPrefix(s.rest(), "include"); ok && after != "" && strings.Contains(blanks, after[:1]) &&
		!strings.HasPrefix(strings.TrimLeft(after, blanks), "=") {
		s.skip(len("include"))
		t.includeLine(&s)
		return
	}
	start, startOff := s.col+1, s.off
	words, bad := s.key()
	keyWidth := s.col + 1 - start
	if bad != "" {
		t.badKey(&s, start, bad)
		return
	}
	raw := s.line[startOff:s.off]
	s.blanks()
	if !strings.HasPrefix(s.rest(), "=") {
		t.noEquals(&s, start, raw)
		return
	}
	s.skip(1)
	s.blanks()
	a := Assignment{Key: words, KeyPos: t.pos(start), KeyWidth: keyWidth, ValuePos: t.pos(s.col + 1), Text: shorten(t.line)}
	if t.value(&s, &a, raw) {
		t.out = append(t.out, a)
	}
}

// badKey explains why a line does not begin with a key.
func (t *text) badKey(s *scanner, start int, bad string) {
	r, n := utf8.DecodeRuneInString(s.rest())
	switch {
	case s.col+1 > start || n > 0 && r == '.':
		t.syntax(report.CodeSyntax, s.col+1, 1, bad, "words are joined by single dots, as in listener.tcp.default")
	case r == '[':
		t.syntax(report.CodeSyntax, s.col+1, 1, "there are no sections", "write every key in full, as in listener.tcp.default = 127.0.0.1:1883")
	case r == '=':
		t.syntax(report.CodeSyntax, s.col+1, 1, "no key before =", "")
	case r == '%' || r == ';' || strings.HasPrefix(s.rest(), "//"):
		t.syntax(report.CodeSyntax, s.col+1, 1, fmt.Sprintf("%q does not begin a comment", r), "comments begin with #")
	case unicode.IsControl(r):
		t.syntax(report.CodeControl, s.col+1, 1, fmt.Sprintf("control character U+%04X", r), "remove it")
	default:
		t.syntax(report.CodeSyntax, s.col+1, 1, fmt.Sprintf("%q cannot stand in a key", r), "a key has letters, digits, _ and - in words joined by dots")
	}
}

// noEquals explains what is wrong behind a key.
func (t *text) noEquals(s *scanner, start int, raw string) {
	r, n := utf8.DecodeRuneInString(s.rest())
	switch {
	case raw == "include" && n == 0:
		t.syntax(report.CodeSyntax, s.col+1, 1, "include without a path", "as in include conf.d/*.conf")
	case n == 0 || r == '#':
		t.syntax(report.CodeSyntax, s.col+1, 1, "no = and no value behind "+raw, "write "+raw+" = value")
	case r == ':':
		t.syntax(report.CodeSyntax, s.col+1, 1, "expected = behind "+raw+", not :", "write "+raw+" = value")
	case unicode.IsControl(r):
		t.syntax(report.CodeControl, s.col+1, 1, fmt.Sprintf("control character U+%04X", r), "remove it")
	case s.col+1 > start+len(raw): // a blank stood between
		t.syntax(report.CodeSyntax, s.col+1, 1, "expected = behind "+raw, "write "+raw+" = value; a key has no blanks")
	default:
		t.syntax(report.CodeSyntax, s.col+1, 1, fmt.Sprintf("%q cannot stand in a key", r), "a key has letters, digits, _ and - in words joined by dots")
	}
}

// includeLine reads the path of an include line and follows it.
func (t *text) includeLine(s *scanner) {
	s.blanks()
	n := strings.IndexFunc(s.rest(), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.*/", r))
	})
	if n < 0 {
		n = len(s.rest())
	}
	pattern, col := s.rest()[:n], s.col+1
	s.skip(n)
	end := s.col + 1
	s.blanks()
	r, size := utf8.DecodeRuneInString(s.rest())
	switch {
	case pattern == "" && (size == 0 || r == '#'):
		t.syntax(report.CodeSyntax, col, 1, "include without a path", "as in include conf.d/*.conf")
	case size != 0 && r != '#' && s.col+1 > end:
		t.syntax(report.CodeIncludePath, end, 1, "blank in an include path", "write one include line a path; blanks cannot stand in it")
	case size != 0 && r != '#':
		t.syntax(report.CodeIncludePath, s.col+1, 1, fmt.Sprintf("%q cannot stand in an include path", r),
			"letters, digits, - _ . / and, in the last part, * can; quotes are not needed")
	default:
		t.include(pattern, col, end-col)
	}
}

// value reads the value of a into it; false if there is none.
func (t *text) value(s *scanner, a *Assignment, key string) bool {
	rest := s.rest()
	col := s.col + 1
	switch {
	case rest == "":
		t.syntax(report.CodeEmptyValue, col, 1, "no value behind "+key+" =", "for the empty text write "+key+" = ''")
		return false
	case rest[0] == '#':
		t.syntax(report.CodeEmptyValue, col, 1, "no value behind "+key+" =: # begins a comment", "quote a value that holds #: "+key+" = '#'")
		return false
	case strings.HasPrefix(rest, triple):
		return t.multiLine(s, a)
	case rest[0] == '\'':
		return t.quoted(s, a, key)
	}
	raw, _, cut := strings.Cut(rest, "#")
	value := strings.TrimRight(raw, blanks)
	a.Value, a.ValueWidth = value, utf8.RuneCountInString(value)
	if t.control(value, col) {
		return false
	}
	switch {
	case cut && value == raw:
		t.find(report.Warning, report.CodeValueCut, col+a.ValueWidth, 1, "# ends the value, the rest is a comment",
			"quote a value that holds #, or put a blank before a comment")
	case len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"':
		t.find(report.Warning, report.CodeDoubleQuotes, col, a.ValueWidth, "the double quotes become part of the value",
			"leave them out, or use single quotes")
	}
	return true
}

// quoted reads a value in single quotes on one line.
func (t *text) quoted(s *scanner, a *Assignment, key string) bool {
	col := s.col + 1
	value, after, closed := strings.Cut(s.rest()[1:], "'")
	if !closed {
		t.syntax(report.CodeUnclosed, col, 1, "the quote is not closed on its line",
			"for a value over several lines, or one that holds a quote, use '''three''' quotes")
		return false
	}
	s.skip(len(value) + 2)
	a.Value, a.ValueWidth = value, s.col+1-col
	return t.end(s, after) && !t.control(value, col+1)
}

// multiLine reads a value between triple quotes. The lines it spans are consumed; an unclosed one costs only its first line.
func (t *text) multiLine(s *scanner, a *Assignment) bool {
	col := s.col + 1
	s.skip(len(triple))
	if value, after, closed := strings.Cut(s.rest(), triple); closed {
		s.skip(len(value) + len(triple))
		a.Value, a.ValueWidth = value, s.col+1-col
		return t.end(s, after) && !t.control(value, col+len(triple))
	}
	a.ValueWidth = utf8.RuneCountInString(s.line) + 1 - col
	end := bytes.Index(t.left, []byte(triple))
	if end < 0 {
		t.syntax(report.CodeUnclosed, col, len(triple), "the triple quote is never closed", "end the value with '''")
		return false
	}
	if end+len(s.rest()) > maxLine {
		t.syntax(report.CodeTooLarge, col, len(triple), fmt.Sprintf("value of more than %d bytes", maxLine), "is a ''' missing?")
		return false
	}
	lines := []string{s.rest()}
	ok := !t.control(s.rest(), s.col+1)
	for {
		raw := t.cut()
		t.lineNo++
		if !utf8.Valid(raw) {
			t.notUTF8(raw, false)
			raw, ok = bytes.ToValidUTF8(raw, []byte("\uFFFD")), false
		}
		t.line = string(raw)
		value, after, closed := strings.Cut(t.line, triple)
		lines = append(lines, value)
		ok = !t.control(value, 1) && ok
		if closed {
			last := scanner{line: t.line}
			last.skip(len(value) + len(triple))
			a.Value = strings.Trim(strings.Join(lines, "\n"), "\n")
			return t.end(&last, after) && ok
		}
	}
}

// end checks that nothing but a comment follows a closing quote.
func (t *text) end(s *scanner, after string) bool {
	s.blanks()
	if trimmed := strings.TrimLeft(after, blanks); trimmed != "" && trimmed[0] != '#' {
		t.syntax(report.CodeSyntax, s.col+1, 1, "text behind the closing quote", "a value that holds a quote is written in '''three''' quotes")
		return false
	}
	return true
}

// Control reports whether r is a control character that no line of a configuration holds.
func Control(r rune) bool { return unicode.IsControl(r) && r != '\t' }

// control reports the first control character of value, which begins at column col.
func (t *text) control(value string, col int) bool {
	for _, r := range value {
		if Control(r) {
			t.syntax(report.CodeControl, col, 1, fmt.Sprintf("control character U+%04X", r), "remove it")
			return true
		}
		col++
	}
	return false
}
