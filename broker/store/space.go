package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"vernemq/broker/store/wallog"
)

const (
	lockName    = "LOCK"
	versionName = "VERSION"
	ballastName = "ballast"
)

// version is the version of the records and the files: what this broker reads and writes.
const version = 2

// eldest is the version of the stores that this broker goes on with as they are, and of those it makes. A store gets a later one with the first
// record of a type that came with it: until then a broker of that version may have it back.
const eldest = 1

// versionAPIKeys is the version that API keys came with.
const versionAPIKeys = 2

// lockDir takes the lock of a directory; closing the file gives it back, as does the end of the process.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the store: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.ReadAt(holder, 0)
		_ = f.Close() // nothing was written
		pid := strings.TrimSpace(string(holder[:n]))
		return nil, fmt.Errorf("%w in %s (process %s): stop it first, or give this one a directory of its own: %w", ErrLocked, dir, pid, err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // a courtesy to whoever is locked out
	}
	return f, nil
}

// ErrVersion is what Open and the tools return, by errors.Is, for a store whose version is not known or another than this broker's: until somebody
// changes the directory or the broker, trying again gives the same.
var ErrVersion = errors.New("the store is not of this broker's version")

// wrongVersion is an ErrVersion that says what to do.
type wrongVersion string

func (e wrongVersion) Error() string        { return string(e) }
func (e wrongVersion) Is(target error) bool { return target == ErrVersion }

func versionErrorf(format string, args ...any) error {
	return wrongVersion(fmt.Sprintf(format, args...))
}

// raise marks the store with the version that the records of a batch need, before they are written: a broker that would not understand them refuses
// the store, rather than take them for damage. Only the writer calls it.
func (s *Durable) raise(b *batch) error {
	if b.version > int(s.raised.Load()) {
		if err := writeVersion(s.cfg.FS, s.cfg.Dir, b.version); err != nil {
			return err
		}
		s.raised.Store(int32(b.version))
	}
	b.version = 0
	return nil
}

// checkVersion refuses a store of a version that this broker cannot read, marks a new one if it may, and returns the version.
func checkVersion(files wallog.FS, dir string, create bool) (int, error) {
	name := filepath.Join(dir, versionName)
	f, err := files.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		names, err := files.ReadDir(dir)
		if err != nil {
			return 0, err
		}
		for _, n := range names {
			if strings.HasPrefix(n, wallog.DirPrefix) {
				return 0, versionErrorf("%s has a log but no file %s: if it is of this version of the broker, write the line \"vernemq-store %d\" to that "+
					"file; else put back a backup", dir, versionName, version)
			}
		}
		if !create {
			return 0, fmt.Errorf("%w in %s", ErrNone, dir)
		}
		return eldest, writeVersion(files, dir, eldest)
	}
	if err != nil {
		return 0, err
	}
	b := make([]byte, 64)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(b[:n]))
	v, err := strconv.Atoi(strings.TrimPrefix(text, "vernemq-store "))
	switch {
	case err != nil || !strings.HasPrefix(text, "vernemq-store "):
		return 0, versionErrorf("%s does not say which version the store has, but %q: put back a backup", name, text)
	case v > version:
		return 0, versionErrorf("the store in %s has version %d, and this broker knows up to %d: install the newer broker again, run \"vernemq store export FILE\", then this "+
			"one and \"vernemq store import FILE\" on an empty directory", dir, v, version)
	case v < eldest:
		return 0, versionErrorf("the store in %s has version %d, and this broker needs %d or later: run \"vernemq store export FILE\" with the older broker, move the "+
			"directory away, then run \"vernemq store import FILE\" with this one", dir, v, eldest)
	}
	return v, nil
}

func writeVersion(files wallog.FS, dir string, v int) error {
	name := filepath.Join(dir, versionName)
	f, err := files.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "vernemq-store %d\n", v)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the store's version: %w", err)
	}
	if err := files.Rename(name+".new", name); err != nil {
		return err
	}
	return files.SyncDir(dir)
}

// ballast makes the file that keeps space for acknowledgements, or gives the space away: then nothing but acknowledgements is taken until there
// is space for the file again.
func (s *Durable) ballast(want bool) {
	name := filepath.Join(s.cfg.Dir, ballastName)
	if s.cfg.BallastBytes < 0 {
		return
	}
	var err error
	if want {
		if err = s.cfg.FS.Allocate(name, s.cfg.BallastBytes); err != nil {
			_ = s.cfg.FS.Remove(name) // half a ballast is none
		}
	} else if err = s.cfg.FS.Remove(name); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.mu.Lock()
	before := s.full
	s.full = !want || err != nil
	now := s.full
	s.changed.Broadcast()
	s.mu.Unlock()
	switch {
	case now && !before:
		s.cfg.Log.Error("store: the disk is full; only acknowledgements are stored until space returns", "dir", s.cfg.Dir, "error", err)
	case before && !now:
		s.cfg.Log.Info("store: there is space again; messages are stored")
	}
}

// checkSpace ends the time of need once the ballast and some more fits again.
func (s *Durable) checkSpace() {
	s.mu.Lock()
	full := s.full
	s.mu.Unlock()
	if !full {
		return
	}
	if free, err := s.cfg.FS.Free(s.cfg.Dir); err == nil && free > s.cfg.BallastBytes+2*int64(s.cfg.SegmentBytes) {
		s.ballast(true)
	}
}
