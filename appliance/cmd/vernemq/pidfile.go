package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// errRunning is returned where another process holds the pid file.
var errRunning = errors.New("another broker runs under this root")

// pidFile is the locked pid file of a running broker. The lock, not the number in the file, tells that one runs: it is a POSIX record lock,
// which ends with the process however that ends, and whose holder the kernel names. The process must not open the file a second time.
type pidFile struct {
	file *os.File
	name string
}

// acquirePID creates and locks the pid file at the host path name; errRunning if another process holds it.
func acquirePID(name string) (*pidFile, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return nil, err
	}
	for range 10 {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		lock := wholeFile(unix.F_WRLCK)
		if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock); err != nil {
			f.Close()
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
				return nil, errRunning
			}
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if !sameFile(f, name) { // its former holder removed it between our two steps
			f.Close()
			continue
		}
		if err = f.Truncate(0); err == nil {
			_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		return &pidFile{f, name}, nil
	}
	return nil, fmt.Errorf("lock %s: it keeps being removed", name)
}

// release removes the file and gives up the lock.
func (p *pidFile) release() {
	_ = os.Remove(p.name)
	_ = p.file.Close()
}

// runningPID returns the process that holds the pid file at the host path name; 0 if none does. wait returns when that process has ended.
func runningPID(name string) (pid int, wait func() error, err error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return 0, nil, fmt.Errorf("%w: use sudo", err)
	}
	if err != nil {
		return 0, nil, err
	}
	lock := wholeFile(unix.F_WRLCK)
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		f.Close()
		return 0, nil, fmt.Errorf("ask who holds %s: %w", name, err)
	}
	if lock.Type == unix.F_UNLCK {
		f.Close()
		return 0, nil, nil
	}
	return int(lock.Pid), func() error {
		defer f.Close()
		for {
			lock := wholeFile(unix.F_RDLCK)
			if err := unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &lock); !errors.Is(err, unix.EINTR) {
				return err
			}
		}
	}, nil
}

func wholeFile(kind int16) unix.Flock_t { return unix.Flock_t{Type: kind, Whence: io.SeekStart} }

func sameFile(f *os.File, name string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(name)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
