package image

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

// Compile compiles the configuration of the system: all layers, that of the appliance among them.
type Compile func() (*plan.Plan, *report.Report, error)

// What the broker runs with.
const (
	ConfApplied  = "applied"                // what the partition holds
	ConfKept     = "last good kept"         // the partition's has errors
	ConfDefaults = "errors, none was good"  // the partition's has errors, and there is no earlier one
	ConfNone     = "partition not readable" // the last good one, if there is any
)

// configure puts the partition's configuration in force, or, when anything in it is wrong, the last one without errors: all of it, so that an
// address never goes with another listener. b is nil if the partition could not be read. What became of it is written into the status.
func (s *System) configure(b bundle, status *Status) error {
	good := kept(s.Root)
	unread := b == nil
	if unread {
		b = good
	}
	findings, result, err := s.try(b)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := findings.WriteText(&text, report.Warning); err != nil {
		return err
	}
	status.Report = text.String()
	switch {
	case unread:
		status.Configuration = ConfNone
	case !findings.Fatal(false):
		status.Configuration = ConfApplied
		if good == nil || !maps.EqualFunc(good, b, bytes.Equal) {
			if err := b.keep(s.Root); err != nil {
				return err
			}
		}
	default:
		status.Configuration = ConfKept
		if good == nil {
			status.Configuration = ConfDefaults
		}
		if _, result, err = s.try(good); err != nil {
			return err
		}
	}
	licence, err := eula.Check(s.Root, result)
	status.Licence = licence.Accepted
	return err
}

// try lays a bundle over the system and returns what is wrong with it. Places in it are named as on the partition.
func (s *System) try(b bundle) (*report.Report, *plan.Plan, error) {
	if err := b.place(s.Root, s.GID); err != nil {
		return nil, nil, err
	}
	result, findings, err := s.Compile()
	if err != nil {
		return nil, nil, err
	}
	for i := range findings.Entries {
		e := &findings.Entries[i]
		e.Pos.File = strings.TrimPrefix(e.Pos.File, hostfs.ImageDir+"/")
		if name, ok := strings.CutPrefix(e.Pos.File, certDir+"/"); ok {
			e.Pos.File = confCerts + "/" + name
		}
	}
	if text, ok := b[confNetwork]; ok {
		_, wrong := parseNetwork(text)
		findings.Merge(wrong)
	}
	if text, ok := b[confHostname]; ok && !goodName(hostname(text)) {
		findings.Add(report.Entry{Severity: report.Error, Code: codeHostname, Pos: report.Pos{File: confHostname},
			Message: fmt.Sprintf("%.80q is not the name of a host", hostname(text)), Hint: "one line of letters, digits and hyphens"})
	}
	if text, ok := b[confKeys]; ok {
		findings.Merge(checkKeys(text))
	}
	return findings, result, nil
}

// checkKeys complains about lines that are no SSH public keys: somebody who cannot log in cannot ask why.
func checkKeys(text []byte) *report.Report {
	r, n := &report.Report{}, 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[0], "ssh-") && !strings.HasPrefix(words[0], "ecdsa-") || !strings.HasPrefix(words[1], "AAAA") {
			r.Add(report.Entry{Severity: report.Error, Code: codeKeys, Pos: report.Pos{File: confKeys, Line: n},
				Message: "not a public key", Hint: "a line of a .pub file, such as ssh-ed25519 AAAA… name; options in front are not taken"})
		}
	}
	return r
}
