package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The bounds of a file of results.
const (
	maxFile    = 64 << 20
	maxResults = 100_000
)

// ReadResults reads results as WriteJSON wrote them, any number. Unknown figures are left out, so that files of other versions can be read.
func ReadResults(in io.Reader) (list []*Result, err error) {
	limited := &io.LimitedReader{R: in, N: maxFile + 1}
	for dec := json.NewDecoder(limited); ; {
		r := &Result{}
		err := dec.Decode(r)
		switch {
		case errors.Is(err, io.EOF) && limited.N > 0:
			if len(list) == 0 {
				return nil, errors.New("there is no result in it")
			}
			return list, nil
		case limited.N <= 0 || len(list) >= maxResults:
			return nil, fmt.Errorf("it is longer than %d bytes or %d results", maxFile, maxResults)
		case err != nil:
			return nil, fmt.Errorf("result %d: %w", len(list)+1, err)
		case r.Scenario == "" || r.Figures == nil:
			return nil, fmt.Errorf("result %d: not what vernemq bench --json writes: it has no scenario or no figures", len(list)+1)
		}
		for name := range r.Figures {
			if figure(name) == nil {
				delete(r.Figures, name)
			}
		}
		list = append(list, r)
	}
}

// Difference is one figure of one scenario in two sets of results.
type Difference struct {
	Scenario string
	Figure   *Figure
	A, B     float64 // medians
	NA, NB   int     // of how many results
}

// Ratio is B/A; NaN if A is 0 and B is not.
func (d *Difference) Ratio() float64 {
	switch {
	case d.A == d.B:
		return 1
	case d.A == 0:
		return math.NaN()
	}
	return d.B / d.A
}

// Compare compares the medians of figures that both sets have, and of which it is known which way is better. The order is that of a, and of
// Figures. Interrupted runs are left out.
func Compare(a, b []*Result) (list []Difference) {
	seen := map[string]bool{}
	for _, r := range a {
		if seen[r.Scenario] {
			continue
		}
		seen[r.Scenario] = true
		for i := range Figures {
			f := &Figures[i]
			d := Difference{Scenario: r.Scenario, Figure: f}
			va, vb := values(a, r.Scenario, f.Name), values(b, r.Scenario, f.Name)
			if d.NA, d.NB = len(va), len(vb); f.Better == 0 || d.NA == 0 || d.NB == 0 {
				continue
			}
			if d.A, d.B = median(va), median(vb); d.A != 0 || d.B != 0 {
				list = append(list, d)
			}
		}
	}
	return list
}

func values(list []*Result, scenario, figure string) (v []float64) {
	for _, r := range list {
		if x, ok := r.Figures[figure]; ok && r.Scenario == scenario && !r.Interrupted {
			v = append(v, x)
		}
	}
	return v
}

// median is the middle value, or the mean of the two middle ones. v is sorted in place and not empty.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// noticeable is by how much a ratio has to differ from 1 to be called better or worse.
const noticeable = 0.03

// judgement says what a difference means.
func (d *Difference) judgement() string {
	ratio := d.Ratio()
	switch {
	case math.Abs(ratio-1) < noticeable:
		return ""
	case (d.B > d.A) == (d.Figure.Better > 0):
		return "better"
	}
	return "worse"
}

// WriteComparison writes differences as a table, B over A.
func WriteComparison(w io.Writer, list []Difference) error {
	rows := [][]string{{"scenario", "A", "B", "B/A", "runs", "figure"}}
	last := ""
	for i := range list {
		d := &list[i]
		name := d.Scenario
		if name == last {
			name = ""
		}
		last = d.Scenario
		ratio := "-"
		if r := d.Ratio(); !math.IsNaN(r) {
			ratio = fmt.Sprintf("%.3f", r)
		}
		what := d.Figure.Label
		if d.Figure.Unit != "" {
			what += ", " + d.Figure.Unit
		}
		if j := d.judgement(); j != "" {
			what += "  " + j
		}
		rows = append(rows, []string{name, number(d.A), number(d.B), ratio, fmt.Sprintf("%d:%d", d.NA, d.NB), what})
	}
	return writeColumns(w, rows)
}
