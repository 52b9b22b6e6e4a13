package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of an option list.
const (
	maxTermDepth = 8
	maxTerms     = 256
)

// options reads the part of Erlang's term syntax that socket options are written in: a list of words and tuples of words, whole numbers,
// quoted words and texts, tuples and lists. The value has one normalised term an element, such as "{linger, {true, 0}}".
func (p *parser) options(text string) (any, *ValueError) {
	k := p.key
	r := termReader{text: text}
	if !r.next('[') {
		return nil, k.notA(text)
	}
	list := []string{}
	for !r.next(']') {
		if len(list) > 0 && !r.next(',') {
			return nil, k.optionError(text, r.pos)
		}
		term, name, ok := r.term(0)
		if !ok {
			return nil, k.optionError(text, r.pos)
		}
		switch shape, known := optionShapes[name]; {
		case len(k.Words) == 0:
		case slices.Contains(k.Words, name):
			if known && !shape.fits(name, term) {
				return nil, &ValueError{CodeValue, fmt.Sprintf("the option %s is not accepted: want {%s, VALUE}, where VALUE is %s", quote(term), name, shape.want), ""}
			}
		default:
			p.warn(CodeNoEffect, fmt.Sprintf("the option %s has no effect here (those that have: %s)", quote(term), strings.Join(k.Words, ", ")))
		}
		list = append(list, term)
	}
	if r.blanks(); r.pos != len(text) {
		return nil, k.optionError(text, r.pos)
	}
	return list, nil
}

// optionShape says what the value of a socket option looks like.
type optionShape struct {
	want  string
	value *regexp.Regexp // of the normalised value
}

// The shapes of option values.
var (
	optionFlag = optionShape{"true or false", regexp.MustCompile(`^'?(true|false)'?$`)}
	optionSize = optionShape{"a number of bytes", regexp.MustCompile(`^[0-9]+$`)}
)

// optionShapes has the socket options that have an effect for some key. One that is named in a row's words and is not here may have any value.
var optionShapes = map[string]optionShape{
	"nodelay":            optionFlag,
	"keepalive":          optionFlag,
	"send_timeout_close": optionFlag,
	"linger":             {"{true, SECONDS} or {false, 0}", regexp.MustCompile(`^\{'?(true|false)'?, [0-9]+\}$`)},
	"send_timeout":       {"a number of milliseconds or infinity", regexp.MustCompile(`^([0-9]+|'?infinity'?)$`)},
	"backlog":            {"a number of connections", regexp.MustCompile(`^[0-9]+$`)},
	"recbuf":             optionSize,
	"sndbuf":             optionSize,
}

// fits reports whether term is a pair of name and a value of the shape.
func (s optionShape) fits(name, term string) bool {
	term = strings.TrimSuffix(strings.TrimPrefix(term, "{"), "}")
	first, value, pair := strings.Cut(term, ", ")
	return pair && strings.Trim(first, "'\"") == name && s.value.MatchString(value)
}

func (k *Key) optionError(text string, pos int) *ValueError {
	problem := k.notA(text)
	problem.Hint = "it cannot be read from " + quote(text[pos:])
	if pos == len(text) {
		problem.Hint = "it ends too early"
	}
	return problem
}

// termReader reads terms from the head of text[pos:].
type termReader struct {
	text  string
	pos   int
	terms int
}

func (r *termReader) blanks() {
	for r.pos < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.pos]) >= 0 {
		r.pos++
	}
}

// next skips blanks and c; it reports whether c was there.
func (r *termReader) next(c byte) bool {
	r.blanks()
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// term reads one term. name is the word itself, or the first word of a tuple.
func (r *termReader) term(depth int) (term, name string, ok bool) {
	r.blanks()
	if r.terms++; r.terms > maxTerms || depth > maxTermDepth || r.pos == len(r.text) {
		return "", "", false
	}
	switch c := r.text[r.pos]; {
	case c == '{':
		return r.sequence('{', '}', depth)
	case c == '[':
		return r.sequence('[', ']', depth)
	case c == '\'' || c == '"':
		return r.quoted(c)
	}
	start := r.pos
	for r.pos < len(r.text) && isWordByte(r.text[r.pos]) {
		r.pos++
	}
	word := r.text[start:r.pos]
	if word == "" {
		return "", "", false
	}
	if c := word[0]; c >= 'a' && c <= 'z' {
		if strings.ContainsAny(word, "+-") {
			return "", "", false
		}
		return word, word, true
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return "", "", false
	}
	return strconv.FormatInt(n, 10), "", true
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '@' || c == '-' || c == '+'
}

// quoted reads a quoted word or text; escapes are not part of the subset.
func (r *termReader) quoted(quote byte) (term, name string, ok bool) {
	end := strings.IndexByte(r.text[r.pos+1:], quote)
	if end < 0 {
		return "", "", false
	}
	inner := r.text[r.pos+1 : r.pos+1+end]
	if strings.ContainsAny(inner, "\\\n\x00") {
		return "", "", false
	}
	term = r.text[r.pos : r.pos+end+2]
	r.pos += end + 2
	return term, inner, true
}

// sequence reads a tuple or list.
func (r *termReader) sequence(open, end byte, depth int) (term, name string, ok bool) {
	r.pos++
	var parts []string
	for !r.next(end) {
		if len(parts) > 0 && !r.next(',') {
			return "", "", false
		}
		part, first, ok := r.term(depth + 1)
		if !ok {
			return "", "", false
		}
		if len(parts) == 0 {
			name = first
		}
		parts = append(parts, part)
	}
	return string(open) + strings.Join(parts, ", ") + string(end), name, true
}
