// Package acl owns the format of topic rule files (vmq.acl): which lines there are and what they say. It refuses to know who asks, how a rule
// is matched against a topic, and when the file is read.
//
// The file is read line by line. Each line is one of
//
//	# a comment, or an empty line
//	topic [read|write] FILTER      for every client before the first user line, then for that user
//	user NAME                      begins the rules of a user
//	pattern [read|write] FILTER    for every client, wherever it stands; a level %c, %u or %m stands for client id, user name or mountpoint
//
// read is to subscribe, write is to publish, neither word allows both. Unlike the original, a line that cannot be read costs only itself, and
// blanks around the words do not matter.
package acl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"vernemq/broker/topic"
)

// Bounds of what is read.
const (
	maxFile = 64 << 20 // bytes
	maxLine = 70 << 10 // bytes: the longest topic fits
)

// ErrFileSize says that a file is too long to be a rule file.
var ErrFileSize = fmt.Errorf("the file is longer than %d MiB", maxFile>>20)

// What can be wrong with a line, beside its filter.
var (
	ErrKeyword    = errors.New("a line begins with topic, user, pattern or #")
	ErrDeny       = errors.New("there are no deny rules: what no rule allows is forbidden")
	ErrReadWrite  = errors.New("write neither read nor write to allow both")
	ErrNoFilter   = errors.New("the topic filter is missing")
	ErrNoUser     = errors.New("the user name is missing")
	ErrLineLength = fmt.Errorf("longer than %d bytes", maxLine)
	ErrText       = errors.New("not UTF-8")
)

// LineError is a line that is not used. The other lines of the file count all the same.
type LineError struct {
	Line int // from 1
	Err  error
}

// Rule is one line that allows something.
type Rule struct {
	Scope  Scope
	User   string // of whom, if Scope is ForUser
	Read   bool   // subscribing is allowed
	Write  bool   // publishing is allowed
	Filter string // valid as a topic filter
	Line   int    // from 1
}

// Scope says to whom a rule speaks.
type Scope uint8

// The scopes.
const (
	ForAll  Scope = iota // every client
	ForUser              // one user
	Pattern              // every client, with its own names in the filter
)

// Parse reads a rule file. Filters deeper than maxDepth levels (0: no limit) are refused. Bad lines are skipped and returned as errors; err is
// that of the reader, or ErrFileSize.
func Parse(r io.Reader, maxDepth int) (rules []Rule, bad []LineError, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > maxFile {
		return nil, nil, ErrFileSize
	}
	p := parser{maxDepth: maxDepth}
	n := 0
	for raw := range bytes.Lines(b) {
		n++
		if err := p.line(raw, n); err != nil {
			bad = append(bad, LineError{n, err})
		}
	}
	return p.rules, bad, nil
}

// parser is the state between lines.
type parser struct {
	maxDepth int
	user     string // whose section it is
	inUser   bool
	rules    []Rule
}

func (p *parser) line(raw []byte, n int) error {
	if len(raw) > maxLine {
		return ErrLineLength
	}
	if !utf8.Valid(raw) {
		return ErrText
	}
	text := strings.Trim(string(raw), " \t\r\n")
	if text == "" || text[0] == '#' {
		return nil
	}
	word, rest := cutWord(text)
	switch word {
	case "user":
		if rest == "" {
			return ErrNoUser
		}
		p.user, p.inUser = rest, true
		return nil
	case "topic", "pattern":
		return p.rule(word, rest, n)
	case "deny":
		return ErrDeny
	}
	return ErrKeyword
}

func (p *parser) rule(keyword, rest string, n int) error {
	r := Rule{Read: true, Write: true, Line: n}
	switch {
	case keyword == "pattern":
		r.Scope = Pattern
	case p.inUser:
		r.Scope, r.User = ForUser, p.user
	}
	r.Filter = rest
	if access, filter := cutWord(rest); filter != "" {
		switch access {
		case "read":
			r.Write, r.Filter = false, filter
		case "write":
			r.Read, r.Filter = false, filter
		case "readwrite":
			return ErrReadWrite
		case "deny":
			return ErrDeny
		}
	}
	if r.Filter == "" {
		return ErrNoFilter
	}
	if err := topic.ValidFilter(r.Filter, p.maxDepth); err != nil {
		return err
	}
	p.rules = append(p.rules, r)
	return nil
}

// cutWord splits a text at its first blanks.
func cutWord(text string) (word, rest string) {
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], " \t")
}
