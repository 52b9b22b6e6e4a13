// Package report collects what is wrong with a configuration: every finding of every phase, with its place, its severity as data and what
// to do about it. It knows nothing of keys, schemas or files beyond the text it is shown.
package report

import "sort"

// Severity says how bad an entry is. Only the caller decides what is fatal.
type Severity uint8

// The severities, from harmless to fatal.
const (
	Note Severity = iota
	Warning
	Error
)

// String returns the word printed in front of a message: note, warning or error.
func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// Pos is a place in a configuration source. The zero Pos means "no place known".
type Pos struct {
	File string // as the operator would name it: a path inside the root, or a pseudo file such as "environment" or "command line"
	Line int    // from 1; 0 if the whole file is meant
	Col  int    // from 1, in characters, not bytes; 0 if the whole line is meant
	// Chain holds the places of the include lines that led to File, outermost first. It is shared, never modified.
	Chain []Pos
}

// Known reports whether p names a place.
func (p Pos) Known() bool { return p.File != "" }

// Entry is one finding.
type Entry struct {
	Severity Severity
	Code     string // stable identifier for tools, e.g. "unknown-key"; listed in codes.go
	Key      string // the configuration key spoken of, empty if none
	Message  string // what is wrong, one line, no trailing full stop
	Hint     string // what to do, one line; empty if the message says it
	Pos      Pos    // where
	Text     string // the offending source line, without line end; empty if unknown
	Width    int    // characters the caret underlines from Pos.Col; 0 means 1
	Also     []Pos  // other places that belong to it, e.g. the first of two duplicates
}

// Report is a list of findings. The zero value is an empty report. Not safe for concurrent use.
type Report struct{ Entries []Entry }

// Add appends e.
func (r *Report) Add(e Entry) { r.Entries = append(r.Entries, e) }

// Merge appends all entries of other; nil is allowed.
func (r *Report) Merge(other *Report) {
	if other != nil {
		r.Entries = append(r.Entries, other.Entries...)
	}
}

// Fatal reports whether any entry is an Error, or, if strict, a Warning or worse.
func (r *Report) Fatal(strict bool) bool {
	limit := Error
	if strict {
		limit = Warning
	}
	for _, e := range r.Entries {
		if e.Severity >= limit {
			return true
		}
	}
	return false
}

// Count returns the number of entries of severity s.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, e := range r.Entries {
		if e.Severity == s {
			n++
		}
	}
	return n
}

// Sort orders entries by file, line and column; entries without a place come last. Entries at one place keep their order.
func (r *Report) Sort() {
	sort.SliceStable(r.Entries, func(i, j int) bool {
		a, b := r.Entries[i].Pos, r.Entries[j].Pos
		switch {
		case a.Known() != b.Known():
			return a.Known()
		case a.File != b.File:
			return a.File < b.File
		case a.Line != b.Line:
			return a.Line < b.Line
		default:
			return a.Col < b.Col
		}
	})
}
