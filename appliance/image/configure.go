package image

import (
	"bytes"
	"fmt"
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

// Configured is what became of the configuration partition.
type Configured struct {
	State   string // one of the Conf constants
	Sum     string // of what is in force
	Changed bool   // it is another one than at the boot before
	Report  string // errors and warnings, ready to be shown; empty if there are none
	Licence bool   // the licence is accepted
}

// configure puts the partition's configuration in force, or, when anything in it is wrong, the last one without errors: all of it, so that an
// address never goes with another listener. b is nil if the partition could not be read.
func configure(root hostfs.Root, b bundle, gid int, compile Compile) (c Configured, err error) {
	good := kept(root)
	if b == nil {
		c.State = ConfNone
		b = good
	}
	findings, result, err := try(root, b, gid, compile)
	if err != nil {
		return c, err
	}
	var text bytes.Buffer
	if err := findings.WriteText(&text, report.Warning); err != nil {
		return c, err
	}
	c.Report = text.String()
	switch {
	case c.State == ConfNone:
	case !findings.Fatal(false):
		c.State = ConfApplied
		if good == nil || good.sum() != b.sum() {
			c.Changed = true
			if err := b.keep(root); err != nil {
				return c, err
			}
		}
	default:
		c.State, b = ConfKept, good
		if good == nil {
			c.State = ConfDefaults
		}
		if _, result, err = try(root, b, gid, compile); err != nil {
			return c, err
		}
	}
	c.Sum = b.sum()
	licence, err := eula.Check(root, result)
	if err != nil {
		return c, err
	}
	c.Licence = licence.Accepted
	return c, nil
}

// try lays a bundle over the system and returns what is wrong with it. Places in it are named as on the partition.
func try(root hostfs.Root, b bundle, gid int, compile Compile) (*report.Report, *plan.Plan, error) {
	if err := b.place(root, gid); err != nil {
		return nil, nil, err
	}
	result, findings, err := compile()
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
