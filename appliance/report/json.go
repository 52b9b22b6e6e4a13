package report

import (
	"encoding/json"
	"io"
)

// The JSON form of a report. Field names are stable, as the codes are.
type (
	jsonReport struct {
		OK       bool        `json:"ok"` // usable
		Errors   int         `json:"errors"`
		Warnings int         `json:"warnings"`
		Notes    int         `json:"notes"`
		Findings []jsonEntry `json:"findings"`
	}
	jsonEntry struct {
		Severity string    `json:"severity"`
		Code     string    `json:"code"`
		Key      string    `json:"key,omitempty"`
		Message  string    `json:"message"`
		Hint     string    `json:"hint,omitempty"`
		jsonPos            // the place
		Width    int       `json:"width,omitempty"`
		Text     string    `json:"text,omitempty"`
		Also     []jsonPos `json:"also,omitempty"`
		Included []jsonPos `json:"included_from,omitempty"` // outermost first
	}
	jsonPos struct {
		File   string `json:"file,omitempty"`
		Line   int    `json:"line,omitempty"`
		Column int    `json:"column,omitempty"`
	}
)

// WriteJSON writes the whole report as one JSON object and a line end. ok says whether the configuration can be used, given strict.
func (r *Report) WriteJSON(w io.Writer, strict bool) error {
	out := jsonReport{OK: !r.Fatal(strict), Errors: r.Count(Error), Warnings: r.Count(Warning), Notes: r.Count(Note), Findings: []jsonEntry{}}
	for _, e := range r.Entries {
		out.Findings = append(out.Findings, jsonEntry{
			Severity: e.Severity.String(), Code: e.Code, Key: e.Key, Message: e.Message, Hint: e.Hint,
			jsonPos: place(e.Pos), Width: e.Width, Text: e.Text, Also: places(e.Also), Included: places(e.Pos.Chain),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func place(p Pos) jsonPos { return jsonPos{p.File, p.Line, p.Col} }

func places(ps []Pos) []jsonPos {
	var out []jsonPos
	for _, p := range ps {
		out = append(out, place(p))
	}
	return out
}
