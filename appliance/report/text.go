package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// maxShown is how many characters of a long source line are printed around the caret.
const maxShown = 120

// String returns the place as file:line:col, leaving out what is not known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return p.File + ":" + strconv.Itoa(p.Line)
	default:
		return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
	}
}

// WriteText writes every entry of at least severity from, for people: the place and the message, the source line with a caret, what to do,
// other places, the include chain. A summary line follows if anything was written. Control characters of the source never reach w.
func (r *Report) WriteText(w io.Writer, from Severity) error {
	b := bufio.NewWriter(w)
	written := false
	for i := range r.Entries {
		if e := &r.Entries[i]; e.Severity >= from {
			e.writeText(b)
			written = true
		}
	}
	if written {
		fmt.Fprintln(b, r.Summary(from))
	}
	return b.Flush()
}

// Summary counts the entries of at least severity from, as in "2 errors, 1 warning"; "no findings" if there are none.
func (r *Report) Summary(from Severity) string {
	var parts []string
	for s := Error; ; s-- {
		if n := r.Count(s); n == 1 {
			parts = append(parts, "1 "+s.String())
		} else if n > 1 {
			parts = append(parts, strconv.Itoa(n)+" "+s.String()+"s")
		}
		if s == from {
			break
		}
	}
	if parts == nil {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}

func (e *Entry) writeText(b *bufio.Writer) {
	if e.Pos.Known() {
		b.WriteString(clean(e.Pos.String()) + ": ")
	}
	fmt.Fprintf(b, "%s: %s\n", e.Severity, clean(e.Message))
	if e.Text != "" {
		line, caret := excerpt(e.Text, e.Pos.Col, e.Width)
		b.WriteString("    " + line + "\n")
		if caret != "" {
			b.WriteString("    " + caret + "\n")
		}
	}
	if e.Hint != "" {
		b.WriteString("  hint: " + clean(e.Hint) + "\n")
	}
	for _, p := range e.Also {
		b.WriteString("  also: " + clean(p.String()) + "\n")
	}
	for i := len(e.Pos.Chain) - 1; i >= 0; i-- {
		b.WriteString("  included from " + clean(e.Pos.Chain[i].String()) + "\n")
	}
}

// excerpt returns the part of a source line that is worth printing and the line with the caret below it; caret is empty without a column.
// Tabs are kept in both, so that they line up whatever the terminal's tab stops are.
func excerpt(text string, col, width int) (line, caret string) {
	runes := []rune(text)
	start, end := 0, len(runes)
	if end > maxShown {
		start = min(max(col-1-maxShown/4, 0), end-maxShown)
		end = start + maxShown
	}
	var shown, below strings.Builder
	if start > 0 {
		shown.WriteString("…")
		below.WriteString(" ")
	}
	for i := start; i < end; i++ {
		r := runes[i]
		if Unprintable(r) {
			r = '\uFFFD'
		}
		shown.WriteRune(r)
		if i < col-1 {
			below.WriteString(under(r, " "))
		}
	}
	if end < len(runes) {
		shown.WriteString("…")
	}
	if col < 1 || col-1 < start || col-1 > end {
		return shown.String(), ""
	}
	below.WriteString("^")
	first := col - 1
	if first < end { // the caret stands under the first cell; a wide character needs a second one
		below.WriteString(strings.Repeat("~", max(cells(runes[first])-1, 0)))
	}
	for i := first + 1; i < min(first+width, end); i++ {
		below.WriteString(under(runes[i], "~"))
	}
	return shown.String(), below.String()
}

// under returns what stands in the caret line below r: a tab below a tab, else mark once a cell.
func under(r rune, mark string) string {
	if r == '\t' {
		return "\t"
	}
	return strings.Repeat(mark, cells(r))
}

// clean replaces what would move a terminal's cursor or change its colours.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if Unprintable(r) || r == '\t' {
			return '\uFFFD'
		}
		return r
	}, s)
}

// Unprintable reports whether r would move a terminal's cursor, begin a line or turn the direction of the text. A tab does not count.
func Unprintable(r rune) bool {
	return r != '\t' && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069')
}

// cells returns how many terminal cells r takes: 0 for combining marks, 2 for wide East Asian characters and emoji, else 1.
func cells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	for _, w := range wide {
		if r < w[0] {
			return 1
		}
		if r <= w[1] {
			return 2
		}
	}
	return 1
}

// wide lists the blocks whose characters take two cells (East Asian Width W and F), ascending.
var wide = [...][2]rune{
	{0x1100, 0x115F}, {0x231A, 0x231B}, {0x23E9, 0x23EC}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF},
	{0xA000, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE10, 0xFE19}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60},
	{0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
}
