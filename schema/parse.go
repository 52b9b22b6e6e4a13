package schema

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse turns the text of a value into the Go value of the key's type (see the types). Blanks around it do not matter, except for String, File
// and Directory. notes are remarks on a value that was accepted. A nil value without an error means that the text is Key.Inherit: the setting
// is to be treated as absent. The error is always a *ValueError. Parse is safe for any text.
func (k *Key) Parse(text string) (value any, notes []Note, err error) {
	p := parser{key: k}
	value, problem := p.parse(text)
	if problem != nil {
		return nil, nil, problem
	}
	return value, p.notes, nil
}

// parser collects the notes on one value.
type parser struct {
	key   *Key
	notes []Note
}

func (p *parser) note(code, format string, args ...any) {
	p.notes = append(p.notes, Note{Code: code, Message: fmt.Sprintf(format, args...)})
}

func (p *parser) warn(code, message string) {
	p.notes = append(p.notes, Note{Code: code, Message: message, Warning: true})
}

func (p *parser) parse(text string) (any, *ValueError) {
	k := p.key
	if len(text) > MaxValue {
		return nil, &ValueError{CodeTooLong, fmt.Sprintf("the value has %d bytes: at most %d are accepted", len(text), MaxValue), ""}
	}
	switch k.Type {
	case String, File, Directory:
	default:
		text = strings.TrimSpace(text)
	}
	if k.Inherit != "" && text == k.Inherit {
		return nil, nil
	}
	if now, old := k.AliasWords[text]; old {
		p.note(CodeOldWord, "%s is an older word for %s", k.quote(text), now)
		text = now
	}
	if n, ok := p.special(text); ok {
		return n, nil
	}
	switch k.Type {
	case Flag:
		return p.flag(text)
	case Integer:
		return p.integer(text)
	case Float:
		return p.float(text)
	case String:
		return p.str(text)
	case Enum:
		return p.enum(text)
	case ByteSize:
		return p.byteSize(text)
	case Duration:
		return p.duration(text)
	case Age:
		return p.age(text)
	case Percent:
		return p.percent(text)
	case Address:
		return p.address(text)
	case File, Directory:
		return p.path(text)
	case IntList:
		return p.intList(text)
	case WordList:
		return p.wordList(text)
	case Options:
		return p.options(text)
	}
	return nil, &ValueError{CodeValue, fmt.Sprintf("the schema gives the unknown type %q", k.Type), ""}
}

// special returns the number a word stands for, in any letter case.
func (p *parser) special(text string) (int64, bool) {
	if n, ok := p.key.Special[text]; ok {
		return n, true
	}
	lower := strings.ToLower(text)
	if n, ok := p.key.Special[lower]; ok {
		p.note(CodeSpelling, "%s is read as %s", quote(text), lower)
		return n, true
	}
	return 0, false
}

func (p *parser) flag(text string) (any, *ValueError) {
	switch text {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	switch strings.ToLower(text) {
	case "on", "true", "yes":
		p.note(CodeSpelling, "%s is read as on", quote(text))
		return true, nil
	case "off", "false", "no":
		p.note(CodeSpelling, "%s is read as off", quote(text))
		return false, nil
	}
	return nil, p.key.notA(text)
}

func (p *parser) str(text string) (any, *ValueError) {
	k := p.key
	if strings.ContainsRune(text, 0) {
		return nil, &ValueError{CodeValue, "the text holds a NUL character", "remove it"}
	}
	if k.Len > 0 && utf8.RuneCountInString(text) != k.Len {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s has %d characters: want exactly %d", k.quote(text), utf8.RuneCountInString(text), k.Len), ""}
	}
	return text, nil
}

func (p *parser) path(text string) (any, *ValueError) {
	if strings.ContainsRune(text, 0) {
		return nil, &ValueError{CodeValue, "the path holds a NUL character", "remove it"}
	}
	if text == "" && !p.key.EmptyIsSet && p.key.HasDefault() {
		return nil, p.key.notA(text)
	}
	return text, nil
}

func (p *parser) enum(text string) (any, *ValueError) {
	if problem := p.word(text); problem != nil {
		return nil, problem
	}
	return text, nil
}

// word checks one word against the accepted ones and says what the schema knows about it.
func (p *parser) word(text string) *ValueError {
	k := p.key
	hint := k.WordHints[text]
	if slices.Contains(k.Words, text) {
		if hint != "" {
			p.warn(CodeWordHint, hint)
		}
		return nil
	}
	problem := k.notA(text)
	problem.Code, problem.Hint = CodeWord, hint
	switch near := NearestWord(text, k.Words); {
	case hint != "":
	case near != "" && !k.Secret:
		problem.Hint = fmt.Sprintf("did you mean %s?", near)
	case len(k.Words) == 1 && k.Hint != "":
		problem.Hint = k.Hint
	}
	return problem
}
