// Package tune changes settings of the kernel and limits of the service to what the configuration needs on this machine, and back again. What is
// needed, and why, doctor knows; this package owns the files it writes and the record of what was there before. It never lowers a figure, and
// decides nothing that an operator would rather decide.
package tune

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vernemq/appliance/doctor"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/probe"
)

// Setting is one value that is, or was, to be changed.
type Setting struct {
	Name    string `json:"name"` // a sysctl, a file of the kernel with the choice of huge pages, or RLIMIT_NOFILE
	Before  string `json:"before"`
	After   string `json:"after"`
	Why     string `json:"why"`
	Applied string `json:"applied,omitempty"` // what became of it; empty: nothing was tried
	Failed  bool   `json:"failed,omitempty"`
}

// Machine is what is tuned.
type Machine struct {
	Root hostfs.Root // of the files
	Proc string      // put before /proc; empty: the machine's own
	Live bool        // values of the running kernel are changed; else only files, for a machine that is to boot from Root
}

// Compute returns what has to change. in.Host is the machine's.
func (m Machine) Compute(in doctor.Input) (out []Setting) {
	limit, known := m.unitLimit()
	for _, f := range doctor.Tunable(in) {
		before, err := m.read(f.Name)
		if err != nil {
			continue
		}
		if after := raise(f.Name, before, f.Wanted); after != before {
			out = append(out, Setting{Name: f.Name, Before: before, After: after, Why: f.Why})
		}
	}
	if want := doctor.OpenFiles(in.Plan); known && limit < want {
		before := strconv.FormatUint(limit, 10)
		if limit == 0 {
			before = "the system's default"
		}
		out = append(out, Setting{Name: probe.NoFileLimit, Before: before, After: strconv.FormatUint(want, 10),
			Why: "the service may have to open as many files as its listeners take connections, and some"})
	}
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// raise returns wanted with no figure below that of before; of a range of ports the first figure may be lower, and other texts are as wanted.
func raise(name, before, wanted string) string {
	old, now := strings.Fields(before), strings.Fields(wanted)
	if len(old) != len(now) || strings.Contains(name, "_ports") {
		return wanted
	}
	for i := range now {
		a, errA := strconv.ParseUint(old[i], 10, 64)
		b, errB := strconv.ParseUint(now[i], 10, 64)
		first := i == 0 && strings.HasSuffix(name, "_port_range")
		if errA == nil && errB == nil && a > b && !first {
			now[i] = old[i]
		}
	}
	return strings.Join(now, " ")
}

// path is where a setting is.
func (m Machine) path(name string) string {
	if probe.IsHugePage(name) {
		return filepath.Join(m.Proc, name)
	}
	return filepath.Join(m.Proc, "/proc/sys", strings.ReplaceAll(name, ".", "/"))
}

// read returns the value of a sysctl, its figures separated by blanks, or the word that is chosen.
func (m Machine) read(name string) (string, error) {
	text, err := os.ReadFile(m.path(name))
	if probe.IsHugePage(name) {
		return probe.Chosen(string(text)), err
	}
	return strings.Join(strings.Fields(string(text)), " "), err
}

// write changes a setting of the running kernel.
func (m Machine) write(name, value string) error {
	f, err := os.OpenFile(m.path(name), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(value + "\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// units are where the service's unit may be, the one that counts first.
var units = []string{"/etc/systemd/system/vernemq.service", "/run/systemd/system/vernemq.service", "/usr/lib/systemd/system/vernemq.service",
	"/lib/systemd/system/vernemq.service"}

// dropIns are the directories of additions to it, the ones that count more last.
var dropIns = []string{"/usr/lib/systemd/system/vernemq.service.d", "/run/systemd/system/vernemq.service.d", "/etc/systemd/system/vernemq.service.d"}

// maxUnit bounds what is read of a unit, in bytes.
const maxUnit = 1 << 20

// unitLimit returns LimitNOFILE of the service: 0 if it sets none. known is false if there is no such service.
func (m Machine) unitLimit() (limit uint64, known bool) {
	for _, u := range units {
		if text, err := os.ReadFile(m.Root.Path(u)); err == nil && len(text) < maxUnit {
			limit, known = limitIn(string(text), 0), true
			break
		}
	}
	for _, dir := range dropIns {
		names, _ := filepath.Glob(filepath.Join(m.Root.Path(dir), "*.conf")) // the pattern is good; sorted
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && len(text) < maxUnit {
				limit = limitIn(string(text), limit)
			}
		}
	}
	return limit, known
}

// limitIn returns the last LimitNOFILE of a unit's text; of soft:hard the hard one, to which the broker raises its own.
func limitIn(text string, before uint64) uint64 {
	for line := range strings.Lines(text) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "LimitNOFILE=")
		if !ok {
			continue
		}
		if _, hard, two := strings.Cut(value, ":"); two {
			value = hard
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
			before = n
		} else if strings.TrimSpace(value) == "infinity" {
			before = 1 << 30
		}
	}
	return before
}

// limitsText is the drop-in.
func limitsText(files string) string {
	return fmt.Sprintf("# Written by vernemq tune --apply; vernemq tune --revert takes it back.\n[Service]\nLimitNOFILE=%s\n", files)
}
