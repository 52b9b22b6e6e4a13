package compile

import (
	"fmt"
	"slices"

	"vernemq/appliance/report"
)

// The bounds of one run. They are far above any honest configuration.
const (
	maxFindings  = 1000 // findings in the report
	maxGuesses   = 200  // searches for what a misspelled name could mean: each looks at every key
	maxListeners = 1000
)

// suggests reports whether one more search for a similar name may be made.
func (c *compilation) suggests() bool {
	c.guesses++
	return c.guesses <= maxGuesses
}

// fits reports whether there is room for one more listener.
func (c *compilation) fits(s *setting) bool {
	if len(c.plan.Listeners) == maxListeners && !c.crowded {
		c.crowded = true
		c.report.Add(s.atKey(report.Error, report.CodeTooLarge, fmt.Sprintf("there are more than %d listeners", maxListeners), "remove some"))
	}
	return !c.crowded
}

// bound cuts a report that is too long: the notes go first, then the warnings, and of each kind the last ones.
func (c *compilation) bound() {
	r := c.report
	total := len(r.Entries)
	if total <= maxFindings {
		return
	}
	slices.SortStableFunc(r.Entries, func(a, b report.Entry) int { return int(b.Severity) - int(a.Severity) })
	worst := r.Entries[0].Severity
	r.Entries = r.Entries[:maxFindings]
	r.Add(report.Entry{Severity: worst, Code: report.CodeTooMany, Pos: report.Pos{File: c.in.Main},
		Message: fmt.Sprintf("there are %d findings, and only the %d worst are listed", total, maxFindings), Hint: "mend these and check again"})
}
