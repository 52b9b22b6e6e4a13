package admin

import (
	"bufio"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Box tables are drawn in chunks, so that memory is bounded: a column that becomes wider in a later chunk is wider from there on.
const (
	chunkRows  = 1000
	chunkBytes = 1 << 20
)

// writeHuman writes r for people.
func writeHuman(w *bufio.Writer, r Result, opts Options) error {
	switch r := r.(type) {
	case Text:
		fmt.Fprintln(w, strings.TrimRight(printable(string(r)), "\n"))
	case List:
		if r.Title != "" {
			fmt.Fprintf(w, "%s:\n", printable(r.Title))
		}
		for _, item := range r.Items {
			fmt.Fprintf(w, "%s\n", printable(item))
		}
	case Alert:
		for _, inner := range r {
			if err := writeHuman(w, inner, opts); err != nil {
				return err
			}
		}
	case Several:
		for _, inner := range r {
			if err := writeHuman(w, inner, opts); err != nil {
				return err
			}
		}
	case Table:
		return writeBox(w, r, opts)
	}
	return nil
}

// box draws a table: left-aligned, one space on each side of a cell, a rule after every row.
type box struct {
	w       *bufio.Writer
	columns []string
	bold    bool
	width   []int
	begun   bool       // the header is drawn
	rows    [][]string // gathered, not drawn yet
	bytes   int
}

func writeBox(w *bufio.Writer, t Table, opts Options) error {
	b := &box{w: w, columns: t.Columns, bold: opts.TTY, width: make([]int, len(t.Columns))}
	for i, c := range t.Columns {
		b.width[i] = utf8.RuneCountInString(c)
	}
	var failed error
	err := t.Rows(func(cells []any) bool {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = printable(cellText(c))
			b.bytes += len(row[i])
			for l := range strings.SplitSeq(row[i], "\n") {
				b.width[i] = max(b.width[i], utf8.RuneCountInString(l))
			}
		}
		b.rows = append(b.rows, row)
		if len(b.rows) >= chunkRows || b.bytes >= chunkBytes {
			b.draw()
			failed = w.Flush()
		}
		return failed == nil
	})
	b.draw()
	if err == nil {
		err = failed
	}
	return err
}

// draw draws what is gathered. An empty table draws nothing at all, not even its header.
func (b *box) draw() {
	if len(b.rows) == 0 {
		return
	}
	if !b.begun {
		b.begun = true
		b.rule()
		b.row(b.columns, b.bold)
		b.rule()
	}
	for _, r := range b.rows {
		b.row(r, false)
		b.rule()
	}
	clear(b.rows)
	b.rows, b.bytes = b.rows[:0], 0
}

func (b *box) rule() {
	for _, n := range b.width {
		b.w.WriteByte('+')
		for range n + 2 {
			b.w.WriteByte('-')
		}
	}
	b.w.WriteString("+\n")
}

// row draws one row; a cell with several lines makes it that high.
func (b *box) row(cells []string, bold bool) {
	height := 1
	for _, c := range cells {
		height = max(height, 1+strings.Count(c, "\n"))
	}
	rest := append([]string(nil), cells...)
	for range height {
		for i := range rest {
			var l string
			l, rest[i], _ = strings.Cut(rest[i], "\n")
			b.w.WriteString("| ")
			if bold {
				b.w.WriteString("\x1b[1m" + l + "\x1b[0m")
			} else {
				b.w.WriteString(l)
			}
			for range b.width[i] - utf8.RuneCountInString(l) + 1 {
				b.w.WriteByte(' ')
			}
		}
		b.w.WriteString("|\n")
	}
}

// printable makes control characters visible: names and payloads come from clients, and a terminal obeys what it is sent. Line feeds stay.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if r != '\n' && unicode.IsControl(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || !unicode.IsControl(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
