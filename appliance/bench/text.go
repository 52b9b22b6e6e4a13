package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteText writes the result for people: what was done, the figures, and whether all that arrived was right.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.headline())
	for i := range Figures {
		f := &Figures[i]
		v, ok := r.Figures[f.Name]
		if !ok || v == 0 && quiet[f.Name] {
			continue
		}
		fmt.Fprintf(&b, "  %-28s %14s %s\n", f.Label, number(v), f.Unit)
	}
	for _, line := range r.verdict() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quiet are figures that are worth a line only if they are not 0.
var quiet = map[string]bool{
	"lost": true, "duplicated": true, "reordered": true, "corrupted": true, "unexpected": true, "refused": true, "behind": true, "closed": true,
}

// headline says what was measured.
func (r *Result) headline() string {
	parts := []string{r.Scenario + ":"}
	if r.Scenario != r.Mode {
		parts = append(parts, r.Mode+",")
	}
	for _, c := range []struct {
		n    int
		what string
	}{{r.Publishers, "publishers"}, {r.Subscribers, "subscribers"}, {r.Clients, "clients"}, {r.Count, "messages or filters"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s,", number(float64(c.n)), c.what))
		}
	}
	if _, messages := r.Figures["delivered"]; messages {
		parts = append(parts, fmt.Sprintf("QoS %d, %d bytes,", r.QoS, r.Size))
	}
	parts = append(parts, "MQTT "+r.MQTT)
	if r.Rate > 0 {
		parts = append(parts, fmt.Sprintf(", %s messages/s", number(r.Rate)))
	}
	return strings.ReplaceAll(strings.Join(parts, " "), " ,", ",")
}

// verdict says whether the messages were right.
func (r *Result) verdict() (lines []string) {
	if r.Interrupted {
		lines = append(lines, "interrupted: the figures are of what was done until then")
	}
	if len(r.Problems) == 0 {
		switch _, messages := r.Figures["delivered"]; {
		case r.Figures["lost"] > 0 && r.QoS == 0:
			lines = append(lines, "messages were lost, which QoS 0 allows; none came twice, out of order or corrupted")
		case messages:
			lines = append(lines, "no message was lost, out of order or corrupted")
		default:
			lines = append(lines, "no connection was lost")
		}
	}
	if behind := r.Figures["behind"]; behind > 0 {
		lines = append(lines, "the rate was not reached: latencies are of the messages that were sent")
	}
	for _, p := range r.Problems {
		lines = append(lines, "PROBLEM: "+p)
	}
	return lines
}

// number writes a number with as many digits as matter and commas between thousands.
func number(v float64) string {
	decimals := 0
	switch a := math.Abs(v); {
	case v == math.Trunc(v) || a >= 1000:
	case a >= 100:
		decimals = 1
	case a >= 10:
		decimals = 2
	default:
		decimals = 3
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, rest, dot := strings.Cut(text, ".")
	sign := ""
	if digits, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", digits
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		rest = "." + rest
	}
	return sign + whole + rest
}

// WriteTable writes one line for each result, with the figures that matter in most of them.
func WriteTable(w io.Writer, results []*Result) error {
	columns := []struct{ head, figure string }{
		{"delivered/s", "delivered_per_second"}, {"connects/s", "connects_per_second"}, {"p50 us", "latency_p50_us"}, {"p99 us", "latency_p99_us"},
		{"CPU s/M", "broker_cpu_per_million"}, {"bytes/conn", "bytes_per_connection"}, {"bytes/msg", "bytes_per_message"}, {"bytes/filter", "bytes_per_filter"},
		{"lost", "lost"},
	}
	rows := [][]string{{"scenario"}}
	for _, c := range columns {
		if !anyHas(results, c.figure) {
			continue
		}
		rows[0] = append(rows[0], c.head)
	}
	rows[0] = append(rows[0], "verdict")
	for _, r := range results {
		row := []string{r.Scenario}
		for _, c := range columns {
			if v, ok := r.Figures[c.figure]; ok {
				row = append(row, number(v))
			} else if anyHas(results, c.figure) {
				row = append(row, "")
			}
		}
		verdict := "ok"
		if len(r.Problems) > 0 {
			verdict = r.Problems[0]
		}
		rows = append(rows, append(row, verdict))
	}
	return writeColumns(w, rows)
}

func anyHas(results []*Result, figure string) bool {
	for _, r := range results {
		if _, ok := r.Figures[figure]; ok {
			return true
		}
	}
	return false
}

// writeColumns writes rows in columns: the first and the last flush left, numbers flush right.
func writeColumns(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch i {
			case 0:
				b.WriteString(cell + fill)
			case len(row) - 1:
				b.WriteString("  " + cell)
			default:
				b.WriteString("  " + fill + cell)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
