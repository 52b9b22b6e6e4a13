package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/report"
)

// reader reads files into one list of assignments and one report.
type reader struct {
	fs     FS // nil: includes are not followed
	report *report.Report
	out    []Assignment
	files  int // read so far
	size   int // bytes read so far

	read map[string]bool // names of the files that were read; nil: not kept
}

// add reports e, up to a bound over all files.
func (r *reader) add(e report.Entry) {
	switch n := len(r.report.Entries); {
	case n < maxFindings:
		r.report.Add(e)
	case n == maxFindings:
		r.report.Add(report.Entry{Severity: report.Error, Code: report.CodeTooMany, Pos: e.Pos,
			Message: fmt.Sprintf("more than %d findings, the rest is not listed", maxFindings)})
	}
}

// file reads one file. chain holds the include lines that led here, outermost first; from is the entry to complain with at the line that
// includes it, empty for the first file.
func (r *reader) file(name string, chain []report.Pos, from report.Entry) {
	complain := func(code, message, hint string) {
		from.Severity, from.Code, from.Message, from.Hint = report.Error, code, message, hint
		if !from.Pos.Known() {
			from.Pos = report.Pos{File: name}
		}
		r.add(from)
	}
	if i := slices.IndexFunc(chain, func(p report.Pos) bool { return p.File == name }); i >= 0 {
		var loop []string
		for _, p := range chain[i:] {
			loop = append(loop, p.File)
		}
		complain(report.CodeIncludeCycle, "this include never ends: "+strings.Join(append(loop, name), " includes "), "remove one of these include lines")
		return
	}
	if len(chain) > maxDepth {
		complain(report.CodeTooLarge, fmt.Sprintf("includes are nested more than %d deep", maxDepth), "include the file from a file further up")
		return
	}
	if r.files++; r.files > maxFiles {
		if r.files == maxFiles+1 {
			complain(report.CodeTooLarge, fmt.Sprintf("more than %d files are included", maxFiles), "join files, or include each only once")
		}
		return
	}
	data, err := r.fs.ReadFile(name, maxFileSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		complain(report.CodeUnreadable, "there is no file "+name, "create it, or correct the path")
		return
	case errors.Is(err, fs.ErrPermission):
		complain(report.CodeDenied, "no permission to read "+name, "give the user that runs the broker read permission")
		return
	case err != nil:
		complain(report.CodeUnreadable, "cannot read "+name+": "+err.Error(), "")
		return
	}
	if r.size += len(data); r.size > maxTotalSize {
		complain(report.CodeTooLarge, fmt.Sprintf("all files together have more than %d bytes", maxTotalSize), "")
		return
	}
	if r.read != nil {
		r.read[name] = true
	}
	r.text(name, chain, data)
}

// text reads the content of one file.
func (r *reader) text(name string, chain []report.Pos, data []byte) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		r.add(report.Entry{Severity: report.Error, Code: report.CodeEncoding, Message: "the file is UTF-16, not UTF-8",
			Hint: "save it as UTF-8", Pos: report.Pos{File: name, Chain: chain}})
		return
	}
	t := text{reader: r, name: name, chain: chain, left: bytes.TrimPrefix(data, []byte("\ufeff"))}
	for t.next() {
		t.statement()
		if t.errors > maxErrors {
			t.find(report.Error, report.CodeTooMany, 1, 0, fmt.Sprintf("more than %d mistakes in this file, the rest is not read", maxErrors),
				"is this a configuration file?")
			return
		}
	}
}

// text is the state of reading one file: the current line and what is left.
type text struct {
	*reader
	name   string
	chain  []report.Pos
	left   []byte
	lineNo int
	line   string // current line without its end, valid UTF-8
	errors int    // syntax errors so far
}

// next moves to the next line that can be looked at; false at the end of the file.
func (t *text) next() bool {
	for len(t.left) > 0 {
		line := t.cut()
		t.lineNo++
		if len(line) > maxLine {
			t.line = ""
			t.syntax(report.CodeTooLarge, 1, 0, fmt.Sprintf("line of more than %d bytes", maxLine), "")
			if t.errors > maxErrors {
				return true
			}
			continue
		}
		if !utf8.Valid(line) {
			comment := bytes.HasPrefix(bytes.TrimLeft(line, blanks), []byte("#"))
			t.notUTF8(line, comment)
			if !comment && t.errors <= maxErrors {
				continue
			}
		}
		t.line = string(bytes.ToValidUTF8(line, []byte("\uFFFD")))
		return true
	}
	return false
}

// cut takes one line from what is left, without its end.
func (t *text) cut() []byte {
	line, rest, _ := bytes.Cut(t.left, []byte("\n"))
	t.left = rest
	return bytes.TrimSuffix(line, []byte("\r"))
}

// notUTF8 reports the first byte of line that is not UTF-8: a warning in a comment, else an error.
func (t *text) notUTF8(line []byte, comment bool) {
	i, col := 0, 1
	for i < len(line) {
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i, col = i+n, col+1
	}
	t.line = string(bytes.ToValidUTF8(line, []byte("\uFFFD")))
	message, hint := fmt.Sprintf("byte 0x%02X is not UTF-8", line[i]), "save the file as UTF-8"
	if comment {
		t.find(report.Warning, report.CodeEncoding, col, 1, message, hint)
		return
	}
	t.syntax(report.CodeEncoding, col, 1, message, hint)
}

// pos returns the place of a column of the current line.
func (t *text) pos(col int) report.Pos {
	return report.Pos{File: t.name, Line: t.lineNo, Col: col, Chain: t.chain}
}

// find reports a finding at a column of the current line.
func (t *text) find(s report.Severity, code string, col, width int, message, hint string) {
	t.add(t.entry(s, code, col, width, message, hint))
}

func (t *text) entry(s report.Severity, code string, col, width int, message, hint string) report.Entry {
	return report.Entry{Severity: s, Code: code, Message: message, Hint: hint, Pos: t.pos(col), Text: shorten(t.line), Width: width}
}

// syntax reports an error at a column of the current line.
func (t *text) syntax(code string, col, width int, message, hint string) {
	if t.errors++; t.errors <= maxErrors {
		t.find(report.Error, code, col, width, message, hint)
	}
}

// include reads what an include line names. col and width tell where its path stands.
func (t *text) include(pattern string, col, width int) {
	if t.fs == nil {
		return
	}
	entry := t.entry(report.Error, report.CodeIncludePath, col, width, "", "")
	full := pattern
	if !path.IsAbs(full) {
		full = path.Join(path.Dir(t.name), pattern)
	} else {
		full = path.Clean(full)
	}
	if strings.Contains(path.Dir(full), "*") {
		entry.Message, entry.Hint = "* may stand only in the last part of an include path", "write one include line a directory"
		t.add(entry)
		return
	}
	files, err := match(t.fs, full)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		entry.Code, entry.Message = report.CodeUnreadable, "cannot list "+path.Dir(full)+": "+err.Error()
		t.add(entry)
		return
	}
	if len(files) == 0 {
		entry.Severity, entry.Code, entry.Message = report.Note, report.CodeIncludeNone, "no file matches "+full
		t.add(entry)
		return
	}
	chain := append(slices.Clip(t.chain), t.pos(col))
	for _, f := range files {
		t.file(f, chain, entry)
	}
}

// shorten bounds a line kept for messages.
func shorten(line string) string {
	if len(line) <= maxText {
		return line
	}
	cut := maxText
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut]
}
