package schema

import (
	"fmt"
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
		if len(k.Words) > 0 && !slices.Contains(k.Words, name) {
			p.warn(CodeNoEffect, fmt.Sprintf("the option %s has no effect here (those that have: %s)", quote(term), strings.Join(k.Words, ", ")))
		}
		list = append(list, term)
	}
	if r.blanks(); r.pos != len(text) {
		return nil, k.optionError(text, r.pos)
	}
	return list, nil
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
