package doctor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"vernemq/appliance/report"
)

// WriteText writes the findings for people; with all also those that are in order.
func WriteText(w io.Writer, findings []Finding, all bool) error {
	b := bufio.NewWriter(w)
	for _, f := range findings {
		if !all && (f.Status == OK || f.Status == Unknown) {
			continue
		}
		reading := f.Reading
		if f.Wanted != "" {
			reading += "; wanted: " + f.Wanted
		}
		fmt.Fprintf(b, "%s: %s: %s: %s\n", f.Status, f.Subject, f.Name, clean(reading))
		if f.Why != "" {
			fmt.Fprintf(b, "    why:  %s\n", clean(f.Why))
		}
		if f.Mend != "" {
			fmt.Fprintf(b, "    mend: %s\n", strings.ReplaceAll(f.Mend, "\n", "\n          "))
		}
	}
	fmt.Fprintf(b, "%s, %s, %s; %d in order, %d not told by this machine\n", several(findings, Error), several(findings, Warning),
		several(findings, Note), Count(findings, OK), Count(findings, Unknown))
	return b.Flush()
}

// several counts findings of a status, in words.
func several(findings []Finding, s Status) string {
	n := Count(findings, s)
	if n == 1 {
		return "1 " + string(s)
	}
	return fmt.Sprintf("%d %ss", n, s)
}

// clean keeps a text in its line and the cursor where it is.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || report.Unprintable(r) {
			return ' '
		}
		return r
	}, s)
}

// WriteJSON writes all findings as one object. ok says whether none is an error.
func WriteJSON(w io.Writer, findings []Finding) error {
	out := struct {
		OK       bool      `json:"ok"`
		Errors   int       `json:"errors"`
		Warnings int       `json:"warnings"`
		Notes    int       `json:"notes"`
		Findings []Finding `json:"findings"`
	}{Count(findings, Error) == 0, Count(findings, Error), Count(findings, Warning), Count(findings, Note), findings}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
