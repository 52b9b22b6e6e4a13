// Package probe reads what the host allows: file descriptors, backlog, socket memory, processor cores and memory, and says which limit is too
// low for the configuration, with the figure wanted and the command that mends it. It refuses to change anything but the soft limit of open
// files, and to know the configuration's files.
package probe

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/mem"
	"golang.org/x/sys/unix"
)

// Host is where readings come from. The zero value is not usable: see This.
type Host struct {
	ReadFile func(name string) ([]byte, error)         // for /proc and /sys
	NoFile   func() (soft, hard uint64, err error)     // RLIMIT_NOFILE
	Memory   func() (total, available uint64, e error) // bytes
	Cores    func() int                                // that may be used
}

// This returns the host the program runs on.
func This() Host {
	return Host{
		ReadFile: os.ReadFile,
		NoFile: func() (soft, hard uint64, err error) {
			var l unix.Rlimit
			err = unix.Getrlimit(unix.RLIMIT_NOFILE, &l)
			return l.Cur, l.Max, err
		},
		Memory: func() (uint64, uint64, error) {
			m, err := mem.VirtualMemory()
			if err != nil {
				return 0, 0, err
			}
			return m.Total, m.Available, nil
		},
		Cores: func() int { return runtime.GOMAXPROCS(0) },
	}
}

// RaiseNoFile raises the soft limit of open files to the hard one and returns both as they are afterwards.
func RaiseNoFile() (soft, hard uint64, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	if l.Cur < l.Max {
		raised := unix.Rlimit{Cur: l.Max, Max: l.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
			return l.Cur, l.Max, fmt.Errorf("raise the limit of open files to %d: %w", l.Max, err)
		}
		l = raised
	}
	return l.Cur, l.Max, nil
}

// Facts are what automatic defaults and messages about the host rest on. A figure that cannot be read is 0.
type Facts struct {
	Cores           int    // that may be used; a limit of the control group is taken into account
	MemoryTotal     uint64 // bytes of the machine
	MemoryAvailable uint64 // bytes
	MemoryLimit     uint64 // bytes that the control group may use; 0: no limit of its own
	NoFile          uint64 // files the process may open: the hard limit, to which the broker raises its own
}

// Facts reads the host's facts.
func (h Host) Facts() Facts {
	f := Facts{Cores: h.Cores(), MemoryLimit: h.memoryLimit()}
	if total, available, err := h.Memory(); err == nil {
		f.MemoryTotal, f.MemoryAvailable = total, available
	}
	if f.MemoryTotal > 0 && f.MemoryLimit >= f.MemoryTotal {
		f.MemoryLimit = 0 // no limit in earnest: the first version of control groups has a huge figure for none
	}
	if _, hard, err := h.NoFile(); err == nil {
		f.NoFile = hard
	}
	return f
}

// Memory returns how many bytes the broker may use: those of the machine, or of its control group if that has fewer. 0 if unknown.
func (f Facts) Memory() uint64 {
	if f.MemoryLimit > 0 && (f.MemoryTotal == 0 || f.MemoryLimit < f.MemoryTotal) {
		return f.MemoryLimit
	}
	return f.MemoryTotal
}

// Sysctl reads the figures of a sysctl such as net.core.somaxconn; nil if the kernel does not have it.
func (h Host) Sysctl(name string) []uint64 {
	text, err := h.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return nil
	}
	var out []uint64
	for _, word := range strings.Fields(string(text)) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}
