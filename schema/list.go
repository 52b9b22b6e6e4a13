package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxElements bounds a list.
const maxElements = 1024

// elements splits a list at its commas; brackets around it and blanks around elements do not matter. An empty list has none; it is
// accepted unless the row says which or how many elements there are.
func (p *parser) elements(text string) ([]string, *ValueError) {
	k := p.key
	inner := text
	if strings.HasPrefix(text, "[") || strings.HasSuffix(text, "]") {
		var opened, closed bool
		inner, opened = strings.CutPrefix(text, "[")
		inner, closed = strings.CutSuffix(inner, "]")
		if !opened || !closed {
			problem := k.notA(text)
			problem.Hint = "the brackets do not match"
			return nil, problem
		}
	}
	if strings.TrimSpace(inner) == "" {
		if !k.EmptyIsSet && !k.emptyText && (len(k.Words) > 0 || k.Len > 0) {
			return nil, k.notA(text)
		}
		return nil, nil
	}
	parts := strings.Split(inner, ",")
	if len(parts) > maxElements {
		return nil, &ValueError{CodeRange, fmt.Sprintf("the list has %d elements: at most %d are accepted", len(parts), maxElements), ""}
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts, nil
}

func (p *parser) intList(text string) (any, *ValueError) {
	k := p.key
	parts, problem := p.elements(text)
	if problem != nil {
		return nil, problem
	}
	list := make([]int64, 0, len(parts))
	for _, part := range parts {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, k.notA(text)
		}
		if _, problem := p.inRange(n, part); problem != nil {
			return nil, problem
		}
		if len(k.Words) > 0 && !slices.Contains(k.Words, strconv.FormatInt(n, 10)) {
			return nil, &ValueError{CodeWord, fmt.Sprintf("%s is not accepted: want %s", k.quote(part), k.Accepts()), k.WordHints[part]}
		}
		list = append(list, n)
	}
	if k.Len > 0 && len(list) > 0 && len(list) != k.Len {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s has %d elements: want %s", k.quote(text), len(list), k.Accepts()), ""}
	}
	return list, nil
}

func (p *parser) wordList(text string) (any, *ValueError) {
	k := p.key
	parts, problem := p.elements(text)
	if problem != nil {
		return nil, problem
	}
	list := make([]string, 0, len(parts))
	for _, part := range parts {
		if part == "" || strings.ContainsAny(part, " \t\r\n[]\x00") {
			return nil, k.notA(text)
		}
		if now, old := k.AliasWords[part]; old {
			p.note(CodeOldWord, "%s is an older word for %s", k.quote(part), now)
			part = now
		}
		if len(k.Words) > 0 {
			if problem := p.word(part); problem != nil {
				return nil, problem
			}
		}
		if slices.Contains(list, part) {
			return nil, &ValueError{CodeValue, fmt.Sprintf("%s stands twice in the list", k.quote(part)), ""}
		}
		list = append(list, part)
	}
	return list, nil
}
