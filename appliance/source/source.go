// Package source reads the text of a VerneMQ configuration: vernemq.conf and everything it includes become one ordered list of assignments
// in which every key and value knows its file, line, column and include chain. All mistakes of all files go into one report. It refuses to
// know which keys exist and what a value means.
//
// The grammar is VerneMQ's, one setting a line:
//
//	key = value          # comment; the key's words are joined by dots, a dot inside a word is written \.
//	key = 'a # is kept'
//	key = '''several
//	lines'''
//	include conf.d/*.conf
//
// Unlike the original, a line that cannot be read does not end the work: reading goes on at the next line.
package source

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"vernemq/appliance/report"
)

// The bounds. They are far above any honest configuration and keep a hostile or mistaken one from using up memory.
const (
	maxFileSize  = 4 << 20  // bytes of one file
	maxTotalSize = 16 << 20 // bytes of all files
	maxFiles     = 1000     // files read, repeated ones counted again
	maxDepth     = 16       // includes inside includes
	maxLine      = 64 << 10 // bytes of one line
	maxErrors    = 100      // syntax errors listed for one file
	maxFindings  = 500      // findings listed for all files
	maxText      = 4 << 10  // bytes of a line kept for messages
)

// Assignment is one key = value line.
type Assignment struct {
	Key        []string   // the words, with escaped dots resolved
	Value      string     // the text without quotes
	KeyPos     report.Pos // first character of the key
	KeyWidth   int        // characters of the key as written
	ValuePos   report.Pos // first character of the value as written, a quote included
	ValueWidth int        // characters of the value as written, on its first line
	Text       string     // the line as written, for messages; cut if it is very long
}

// Name returns the key as it is written: words joined by dots, dots inside words escaped.
func (a *Assignment) Name() string { return JoinKey(a.Key) }

// JoinKey joins the words of a key and escapes dots inside them.
func JoinKey(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.ReplaceAll(w, ".", `\.`))
	}
	return b.String()
}

// Read reads the file name through fsys, with its includes spliced in where they stand.
func Read(fsys FS, name string) ([]Assignment, *report.Report) {
	r := reader{fs: fsys, report: &report.Report{}}
	r.file(name, nil, report.Entry{})
	return r.out, r.report
}

// ReadLayer reads the file main, and then every file *.conf of dir that main has not included itself. What is not there is empty.
func ReadLayer(fsys FS, main, dir string) ([]Assignment, *report.Report) {
	r := reader{fs: fsys, report: &report.Report{}, read: map[string]bool{}}
	if _, err := fsys.ReadFile(main, maxFileSize); !errors.Is(err, fs.ErrNotExist) {
		r.file(main, nil, report.Entry{})
	}
	r.dir(dir)
	return r.out, r.report
}

// ReadDir reads every file *.conf of the directory dir, in the order of their names, as if one file included them. A directory that is not there
// has none.
func ReadDir(fsys FS, dir string) ([]Assignment, *report.Report) {
	r := reader{fs: fsys, report: &report.Report{}}
	r.dir(dir)
	return r.out, r.report
}

// dir reads the files *.conf of a directory that are not read yet, if that is kept.
func (r *reader) dir(dir string) {
	names, err := match(r.fs, path.Join(dir, "*.conf"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		code := report.CodeUnreadable
		if errors.Is(err, fs.ErrPermission) {
			code = report.CodeDenied
		}
		r.add(report.Entry{Severity: report.Warning, Code: code, Pos: report.Pos{File: dir},
			Message: "cannot list the directory: " + err.Error(), Hint: "what is set in it is not taken into account here"})
	}
	for _, name := range names {
		if !r.read[name] {
			r.file(name, nil, report.Entry{})
		}
	}
}

// Parse reads one text without following includes. name stands in the places.
func Parse(name string, text []byte) ([]Assignment, *report.Report) {
	r := reader{report: &report.Report{}}
	r.text(name, nil, text)
	return r.out, r.report
}

// SplitKey splits a key given outside a file, as in --set. ok is false if it is not a key.
func SplitKey(key string) (words []string, ok bool) {
	s := scanner{line: key}
	words, bad := s.key()
	return words, bad == "" && s.rest() == ""
}
