// Package eula is the gate in front of every start: without accept_eula = yes, for the very text that is shipped, nothing runs. It shows the text,
// says how to accept it, writes the acceptance into vernemq.conf and records who accepted which text when. It refuses to know who asks and what
// starts afterwards.
package eula

import (
	"fmt"
	"time"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
)

// ExitStatus is the exit status of a start without an accepted licence: EX_CONFIG of sysexits.h, so that a service manager does not try again.
const ExitStatus = 78

const (
	key      = "accept_eula"
	accepted = "yes"
)

// State says whether the licence is accepted, and if not, why.
type State struct {
	Accepted   bool
	Configured bool        // accept_eula is yes
	From       plan.Origin // of accept_eula
	Record     *Record     // the acceptance on record; nil if there is none
	Changed    bool        // the text is another one than that on record, and nobody has accepted the new one
}

// Check compares what the compiled configuration says with the record under root. A yes in the configuration without a record is the operator's word
// and counts. A record of another text means that the yes was for that text: it counts only if it is given with this very call, on the command
// line. An error means that the record is there and cannot be read.
func Check(root hostfs.Root, p *plan.Plan) (State, error) {
	v, _ := p.Get(key)
	s := State{From: v.Origin, Configured: v.Value == accepted}
	record, err := Load(root)
	if err != nil {
		return s, err
	}
	s.Record = record
	if !s.Configured {
		return s, nil
	}
	s.Changed = record != nil && record.Hash != Hash() && v.Origin.Layer != plan.CommandLine
	s.Accepted = !s.Changed
	return s, nil
}

// Recorded reports whether the record is about the shipped text, so that nothing has to be written.
func (s *State) Recorded() bool { return s.Record != nil && s.Record.Hash == Hash() }

// Refusal is what a start without acceptance prints, ending in a line end.
func (s *State) Refusal() string {
	const end = "Product license not accepted. Stopping.\n"
	if s.Changed {
		return fmt.Sprintf(`The licence has changed since it was accepted, so nothing is started.
  accepted:   %s by %s; that was another text
  read it:    %s (or: vernemq chkconfig)
  accept it:  run "vernemq chkconfig" on a terminal and answer yes,
              or run "vernemq chkconfig --accept-eula" where there is none,
              or remove %s if accept_eula = yes in the configuration is meant for the new text
`, s.Record.Time.UTC().Format(time.DateTime)+" UTC", s.Record.User, hostfs.EULAText, RecordFile) + end
	}
	return `The licence is not accepted, so nothing is started.
  read it:    ` + hostfs.EULAText + ` (or: vernemq chkconfig)
  accept it:  run "vernemq chkconfig" on a terminal and answer yes,
              or set "accept_eula = yes" in ` + hostfs.MainConf + `,
              or ACCEPT_EULA=yes in ` + hostfs.Defaults + `;
              a container takes DOCKER_VERNEMQ_ACCEPT_EULA=yes
` + end
}
