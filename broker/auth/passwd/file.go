package passwd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is read, in bytes.
const (
	maxLine = 64 << 10
	maxFile = 128 << 20 // a million users
)

// ErrFileSize says that a file is too long to be a password file.
var ErrFileSize = fmt.Errorf("the file is longer than %d MiB", maxFile>>20)

// LineError is a line that is neither user, comment nor blank. The other lines of the file count all the same.
type LineError struct {
	Line int // from 1
	Err  error
}

// What can be wrong with a line, beside its hash, and with a user name.
var (
	ErrNoColon    = errors.New("no colon: a line is user:$6$salt$hash")
	ErrLineLength = fmt.Errorf("longer than %d bytes", maxLine)
	ErrNoName     = errors.New("the user name is empty")
	ErrNameColon  = errors.New("a user name cannot contain a colon")
	ErrNameHash   = errors.New("a user name cannot begin with #: the line would be a comment")
	ErrNameText   = errors.New("a user name has to be UTF-8 without control characters")
	ErrNameLength = errors.New("a user name cannot be longer than 65535 bytes") // [MQTT-1.5.4]: a string's length has two bytes
)

// File is a password file with everything that stands in it. It is not safe for concurrent use. The zero value is an empty file.
type File struct {
	lines []line
	eol   string // line end of new lines
}

// line is one line. Lines that are not changed are written as they were read.
type line struct {
	text string // without line end
	end  string // "\n", "\r\n", or nothing at the end of the file
	user string // empty: no user's line
	hash Hash
	err  error
}

// Parse reads a password file. Bad lines are kept and returned as errors; err is that of the reader, or ErrFileSize.
func Parse(r io.Reader) (f *File, bad []LineError, err error) { return parse(r, maxFile) }

func parse(r io.Reader, limit int) (f *File, bad []LineError, err error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > limit {
		return nil, nil, ErrFileSize
	}
	f = &File{eol: "\n"}
	for raw := range bytes.Lines(b) {
		text, end := string(raw), ""
		if t, ok := strings.CutSuffix(text, "\n"); ok {
			text, end = t, "\n"
		}
		if t, ok := strings.CutSuffix(text, "\r"); ok {
			text, end = t, "\r"+end
		}
		l := parseLine(text)
		l.end = end
		if len(f.lines) == 0 && end == "\r\n" {
			f.eol = end
		}
		f.lines = append(f.lines, l)
		if l.err != nil {
			bad = append(bad, LineError{len(f.lines), l.err})
		}
	}
	return f, bad, nil
}

func parseLine(text string) line {
	l := line{text: text}
	trimmed := strings.TrimRight(text, " \t")
	if trimmed == "" || text[0] == '#' {
		return l
	}
	if len(text) > maxLine {
		l.err = ErrLineLength
		return l
	}
	user, value, ok := strings.Cut(trimmed, ":")
	if !ok {
		l.err = ErrNoColon
		return l
	}
	if l.err = CheckUsername(user); l.err != nil {
		return l
	}
	if l.hash, l.err = ParseHash(value); l.err == nil {
		l.user = user
	}
	return l
}

// CheckUsername returns an error if name cannot be a user name in a password file.
func CheckUsername(name string) error {
	switch {
	case name == "":
		return ErrNoName
	case len(name) > 65535:
		return ErrNameLength
	case name[0] == '#':
		return ErrNameHash
	case strings.Contains(name, ":"):
		return ErrNameColon
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return ErrNameText
	}
	return nil
}

// Table returns the users with their hashes, for lookups. Of several lines of a user the last one counts.
func (f *File) Table() map[string]Hash {
	t := make(map[string]Hash, len(f.lines))
	for i := range f.lines {
		if l := &f.lines[i]; l.user != "" {
			t[l.user] = l.hash
		}
	}
	return t
}

// Set gives a user a password hash. It changes the user's last line, or adds one. Earlier lines of the user, which no longer counted, go.
func (f *File) Set(user string, h Hash) error {
	if err := CheckUsername(user); err != nil {
		return err
	}
	last := -1
	for i := range f.lines {
		if f.lines[i].belongs(user) {
			last = i
		}
	}
	if last < 0 {
		f.append(line{text: user + ":" + h.String(), user: user, hash: h})
		return nil
	}
	f.remove(user, last)
	for i := range f.lines {
		if l := &f.lines[i]; l.belongs(user) {
			*l = line{text: user + ":" + h.String(), end: l.end, user: user, hash: h}
		}
	}
	return nil
}

// Delete removes all lines of a user and reports whether there were any.
func (f *File) Delete(user string) bool {
	n := len(f.lines)
	f.remove(user, -1)
	return len(f.lines) < n
}

// HashPlain hashes the passwords of all lines of the form user:password, the password being everything behind the first colon. Lines that
// are hashed stay as they are. It returns how many it hashed, and the lines of which it could make nothing, a damaged hash among them.
func (f *File) HashPlain() (hashed int, bad []LineError) {
	for i := range f.lines {
		l := &f.lines[i]
		if !errors.Is(l.err, ErrNotHashed) {
			if l.err != nil {
				bad = append(bad, LineError{i + 1, l.err})
			}
			continue
		}
		user, password, _ := strings.Cut(l.text, ":")
		if password == "" {
			bad = append(bad, LineError{i + 1, ErrNoPassword})
			continue
		}
		h := New([]byte(password))
		*l = line{text: user + ":" + h.String(), end: l.end, user: user, hash: h}
		hashed++
	}
	return hashed, bad
}

// Bytes returns the file's content.
func (f *File) Bytes() []byte {
	var b bytes.Buffer
	for i := range f.lines {
		b.WriteString(f.lines[i].text)
		b.WriteString(f.lines[i].end)
	}
	return b.Bytes()
}

// belongs reports whether l is a line of user, hashed or not.
func (l *line) belongs(user string) bool {
	if l.user != "" {
		return l.user == user
	}
	name, _, ok := strings.Cut(l.text, ":")
	return l.err != nil && ok && name == user
}

// remove removes the lines of user, but for the one at index keep.
func (f *File) remove(user string, keep int) {
	lines := f.lines[:0]
	for i, l := range f.lines {
		if i == keep || !l.belongs(user) {
			lines = append(lines, l)
		}
	}
	clear(f.lines[len(lines):])
	f.lines = lines
}

// append adds a line, and the line end that the one before may lack.
func (f *File) append(l line) {
	if f.eol == "" {
		f.eol = "\n"
	}
	if n := len(f.lines); n > 0 && !strings.HasSuffix(f.lines[n-1].end, "\n") {
		f.lines[n-1].end = f.eol
	}
	l.end = f.eol
	f.lines = append(f.lines, l)
}
