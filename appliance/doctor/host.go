package doctor

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/appliance/probe"
)

// Host is where readings come from. Every field can be replaced in tests.
type Host struct {
	ReadFile func(name string) ([]byte, error)                // /proc and /sys
	NoFile   func() (soft, hard uint64, err error)            // RLIMIT_NOFILE of a broker that is started by the caller
	Space    func(hostPath string) (Space, error)             // of a file system
	Sync     func(hostDir string) (Latency, error)            // measures fsync in a directory
	Clock    func() (Clock, error)                            // what the kernel knows of the clock
	Listen   func(network, address string) error              // tries to listen, and stops at once
	Access   func(hostPath string, uid int, gids []int) error // whether that user can write into a directory
}

// Space is what a file system has.
type Space struct {
	Total, Free uint64 // bytes; free for everybody, not for root alone
	Files, Left uint64 // inodes; 0 total: the file system does not count them
	Volatile    bool   // memory: gone at the next boot
	Remote      bool   // on another machine
}

// Latency is what writing and syncing took.
type Latency struct {
	Median, Worst time.Duration
	Samples       int
}

// Clock is the state of the system's clock.
type Clock struct {
	Synchronised bool
	MaxError     time.Duration
}

// This returns the machine the program runs on. dir is put before /proc and /sys; empty for the machine's own.
func This(dir string) Host {
	return Host{
		ReadFile: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) },
		NoFile:   probe.This().NoFile,
		Space:    space,
		Sync:     syncLatency,
		Clock:    kernelClock,
		Listen:   listen,
		Access:   access,
	}
}

// The numbers of file systems, from linux/magic.h.
const (
	magicTmpfs = 0x01021994
	magicRamfs = 0x858458f6
	magicNFS   = 0x6969
	magicSMB2  = 0xfe534d42
	magicCIFS  = 0xff534d42
)

func space(path string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Space{}, err
	}
	size := uint64(st.Bsize)
	kind := uint32(st.Type)
	return Space{Total: st.Blocks * size, Free: st.Bavail * size, Files: st.Files, Left: st.Ffree,
		Volatile: kind == magicTmpfs || kind == magicRamfs, Remote: kind == magicNFS || kind == magicSMB2 || kind == magicCIFS}, nil
}

// The bounds of measuring: how often at most, and for how long.
const (
	samples    = 32
	sampleTime = 2 * time.Second
	sampleSize = 4096 // bytes
)

// syncLatency appends to a temporary file in dir and syncs it, as the store does.
func syncLatency(dir string) (l Latency, err error) {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, sampleSize)
	var took []time.Duration
	for begin := time.Now(); len(took) < samples && time.Since(begin) < sampleTime; {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return l, err
		}
		if err := f.Sync(); err != nil {
			return l, err
		}
		took = append(took, time.Since(start))
	}
	return latency(took), nil
}

// latency sums measurements up.
func latency(took []time.Duration) (l Latency) {
	if l.Samples = len(took); l.Samples == 0 {
		return l
	}
	sorted := slices.Sorted(slices.Values(took))
	l.Median, l.Worst = sorted[len(sorted)/2], sorted[len(sorted)-1]
	return l
}

func kernelClock() (Clock, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return Clock{}, err
	}
	return Clock{Synchronised: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, MaxError: time.Duration(t.Maxerror) * time.Microsecond}, nil
}

func listen(network, address string) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// access checks by owner and mode bits; what else a system may know of rights is not seen.
func access(path string, uid int, gids []int) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	const write, enter = 2, 1
	bits := st.Mode
	switch {
	case uid == 0:
		return nil
	case int(st.Uid) == uid:
		bits >>= 6
	case slices.Contains(gids, int(st.Gid)):
		bits >>= 3
	}
	if bits&(write|enter) != write|enter {
		return unix.EACCES
	}
	return nil
}

// sysctl reads the figures of a sysctl such as net.core.somaxconn; nil if the kernel does not have it.
func (h *Host) sysctl(name string) []uint64 { return probe.Host{ReadFile: h.ReadFile}.Sysctl(name) }
