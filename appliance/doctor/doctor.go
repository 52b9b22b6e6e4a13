// Package doctor examines a machine and the configuration it is to run: limits and settings of the kernel, the clock, the disk, certificates, the
// licence. Each finding names what was read, what is wanted, why, and the exact command or line that mends it. It refuses to mend anything itself;
// all it writes is a small file in the data directory, which it removes.
package doctor

import (
	"slices"
	"sort"
	"time"

	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

// Status says how bad a finding is.
type Status string

// The statuses, the worst first.
const (
	Error   Status = "error"   // it does not work, or data is in danger
	Warning Status = "warning" // it works, and not as well as it should
	Note    Status = "note"    // worth knowing
	OK      Status = "ok"      // in order
	Unknown Status = "unknown" // the machine does not tell
)

// Finding is the result of one examination.
type Finding struct {
	Status  Status `json:"status"`
	Subject string `json:"subject"`           // kernel, clock, disk, configuration, …
	Name    string `json:"name"`              // as the system calls it
	Reading string `json:"reading,omitempty"` // what it is
	Wanted  string `json:"wanted,omitempty"`  // what it should be
	Why     string `json:"why,omitempty"`     // what happens otherwise
	Mend    string `json:"mend,omitempty"`    // the command, or file and line, that mends it
}

// Input is what is examined.
type Input struct {
	Root     hostfs.Root
	Host     Host
	Plan     *plan.Plan
	Findings *report.Report // of compiling the plan
	Licence  eula.State
	Running  int  // process id of the broker; 0: it does not run
	Hidden   bool // the user may not know whether it runs
	Now      time.Time
}

// examiner is one subject.
type examiner struct {
	subject string
	examine func(in *Input) []Finding
}

// examiners are all subjects, in the order in which they are told.
var examiners = []examiner{
	{"licence", licence},
	{"configuration", configuration},
	{"certificates", certificates},
	{"listeners", ports},
	{"limits", limits},
	{"kernel", kernel},
	{"clock", clock},
	{"disk", disk},
	{"memory", memory},
}

// Examine returns the findings of all subjects: in the order of the subjects, the worst of each first.
func Examine(in Input) (out []Finding) {
	for _, e := range examiners {
		found := e.examine(&in)
		for i := range found {
			found[i].Subject = e.subject
		}
		sort.SliceStable(found, func(i, j int) bool { return rank(found[i].Status) < rank(found[j].Status) })
		out = append(out, found...)
	}
	return out
}

func rank(s Status) int {
	for i, other := range []Status{Error, Warning, Note, Unknown, OK} {
		if s == other {
			return i
		}
	}
	return -1
}

// Count returns how many findings have the status.
func Count(findings []Finding, s Status) (n int) {
	for _, f := range findings {
		if f.Status == s {
			n++
		}
	}
	return n
}

// licence examines whether a start would be refused.
func licence(in *Input) []Finding {
	f := Finding{Status: OK, Name: "accept_eula", Reading: "accepted"}
	switch {
	case !in.Licence.Accepted && slices.ContainsFunc(in.Findings.Entries, func(e report.Entry) bool { return e.Code == report.CodeDenied }):
		f = Finding{Status: Unknown, Name: "accept_eula", Reading: "not known: not all files may be read", Mend: "sudo vernemq doctor"}
	case in.Licence.Changed:
		f = Finding{Status: Error, Name: eula.RecordFile, Reading: "an older text is accepted", Wanted: "the text that is installed",
			Why: "nothing starts before the new text is accepted", Mend: "vernemq chkconfig, on a terminal; or vernemq chkconfig --accept-eula"}
	case !in.Licence.Accepted:
		f = Finding{Status: Error, Name: "accept_eula", Reading: "not accepted (" + in.Licence.From.String() + ")", Wanted: "yes",
			Why: "nothing starts without it", Mend: "vernemq chkconfig, on a terminal; or vernemq chkconfig --accept-eula"}
	case in.Licence.Record != nil:
		f.Reading += " by " + in.Licence.Record.User + ", " + in.Licence.Record.Time.UTC().Format(time.DateOnly)
	}
	return []Finding{f}
}

// configuration tells what compiling found.
func configuration(in *Input) (out []Finding) {
	for _, e := range in.Findings.Entries {
		if e.Severity == report.Note {
			continue
		}
		f := Finding{Status: Warning, Name: e.Code, Reading: e.Message, Mend: e.Hint, Why: "see vernemq chkconfig"}
		if e.Severity == report.Error {
			f.Status, f.Why = Error, "nothing starts with it; see vernemq chkconfig"
		}
		if e.Pos.Known() {
			f.Name = e.Pos.String()
		}
		out = append(out, f)
	}
	if out == nil {
		out = []Finding{{Status: OK, Name: hostfs.MainConf, Reading: "compiles without errors and warnings"}}
	}
	return out
}
