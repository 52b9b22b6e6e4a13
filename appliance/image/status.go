package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vernemq/appliance/hostfs"
)

// Status is what an operator wants to know about the appliance. It is written for programs to StatusFile, and for people to status.txt on the
// configuration partition.
type Status struct {
	Version       string `json:"version"`
	Slot          string `json:"slot"`
	Trial         bool   `json:"trial"` // an update that is not committed yet
	Other         string `json:"other"` // what is in the other slot, in words
	Configuration string `json:"configuration"`
	Report        string `json:"report"` // errors and warnings of the configuration
	Licence       bool   `json:"licence"`
	Update        string `json:"update"` // what became of the last one; empty if there was none
	Broker        string `json:"broker"` // in words
	DebugShell    bool   `json:"debug_shell"`
	NoData        bool   `json:"no_data"` // the data partition cannot be used
}

// Text tells the status to people.
func (s *Status) Text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	trial := ""
	if s.Trial {
		trial = ", an update on trial"
	}
	line("version", "%s, slot %s%s", s.Version, s.Slot, trial)
	line("other slot", "%s", s.Other)
	line("configuration", "%s", s.Configuration)
	if s.Licence {
		line("licence", "accepted")
	} else {
		line("licence", "NOT ACCEPTED, so the broker is not started: read EULA.md, then set accept_eula = yes in vernemq.conf of this partition")
	}
	line("broker", "%s", s.Broker)
	if s.Update != "" {
		line("update", "%s", s.Update)
	}
	if s.NoData {
		line("DATA", "the data partition cannot be used, so the broker is not started: a file factory-reset on this partition makes it anew and empty")
	}
	if s.DebugShell {
		line("DEBUG SHELL", "ON: who reaches the console is root. Delete debug-shell from this partition when you are done")
	}
	if s.Report != "" {
		fmt.Fprintf(&b, "\n%s", s.Report)
	}
	return b.String()
}

// publish writes the status for programs, and for people onto the configuration partition if it is not there yet: its memory wears out.
func (s *Status) publish(root hostfs.Root, parts Partitions) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root.Path(RunDir), 0o755); err != nil {
		return err
	}
	if err := hostfs.WriteFile(root.Path(StatusFile), append(data, '\n'), 0o644, -1, -1); err != nil {
		return err
	}
	text := []byte(strings.ReplaceAll(s.Text(), "\n", "\r\n")) // for editors of any system
	same := false
	err = parts.With(PartConfig, false, func(dir string) error {
		old, err := os.ReadFile(filepath.Join(dir, confStatus))
		same = err == nil && bytes.Equal(old, text)
		return nil
	})
	if err != nil || same {
		return err
	}
	return parts.With(PartConfig, true, func(dir string) error {
		return Disk{}.Write(filepath.Join(dir, confStatus), bytes.NewReader(text), int64(len(text)))
	})
}

// LoadStatus reads what the running system has written last.
func LoadStatus(root hostfs.Root) (s Status, err error) {
	data, err := os.ReadFile(root.Path(StatusFile))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(data, &s)
}
