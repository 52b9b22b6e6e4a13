package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"vernemq/schema"
)

// width is where text for terminals is wrapped, in characters.
const width = 100

// writeJSON writes v to standard output.
func (p *program) writeJSON(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// change says whether a new value of the key takes hold in a running broker.
func change(k *schema.Key) string {
	if k.Runtime {
		return "live"
	}
	return "restart"
}

// paragraph writes text wrapped, each line behind indent.
func paragraph(w io.Writer, indent, text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(indent+line+" "+word) > width {
			fmt.Fprintln(w, indent+line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		fmt.Fprintln(w, indent+line)
	}
}

// fact writes a name and a text in two columns, the text wrapped.
func fact(w io.Writer, name, text string) {
	var b strings.Builder
	paragraph(&b, "               ", text)
	fmt.Fprintf(w, "  %-12s %s", name, strings.TrimPrefix(b.String(), "               "))
}

// table writes rows in columns, two blanks between them, each line behind indent; the last column has no width.
func table(w io.Writer, indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := indent
		for i, cell := range row {
			line += cell
			if i < len(row)-1 {
				line += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
