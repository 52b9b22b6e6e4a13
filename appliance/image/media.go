package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
)

// Media is what an update is written to. Each call is done, and on the medium, when it returns; a power cut during a call leaves what it writes
// in any state, and nothing else changed. Names are host paths.
type Media interface {
	// Write replaces the content of a file, or the beginning of a device, by size bytes of r.
	Write(name string, r io.Reader, size int64) error
	// Sum returns the SHA-256 of the first size bytes, as the medium itself gives them back.
	Sum(name string, size int64) ([sha256.Size]byte, error)
	// Rename gives a file another name in the same directory, replacing what had it.
	Rename(from, to string) error
	// Remove deletes a file; one that is not there is no error.
	Remove(name string) error
}

// Disk is the machine's own media.
type Disk struct{}

// Write implements Media.
func (Disk) Write(name string, r io.Reader, size int64) (err error) {
	flags := os.O_WRONLY
	info, statErr := os.Stat(name)
	device := statErr == nil && info.Mode()&fs.ModeDevice != 0
	if !device {
		flags |= os.O_CREATE | os.O_TRUNC
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if n, err := io.Copy(f, io.LimitReader(r, size)); err != nil || n != size {
		return fmt.Errorf("%s: %d of %d bytes written: %w", name, n, size, errors.Join(err, io.ErrShortWrite))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// What is read from now on comes from the medium, not from memory.
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return err
	}
	if device {
		return nil
	}
	return hostfs.SyncDir(filepath.Dir(name))
}

// Sum implements Media.
func (Disk) Sum(name string, size int64) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return sum, err
	}
	h := sha256.New()
	if _, err := io.CopyN(h, f, size); err != nil {
		return sum, fmt.Errorf("read %s back: %w", name, err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Rename implements Media.
func (Disk) Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return hostfs.SyncDir(filepath.Dir(to))
}

// Remove implements Media.
func (Disk) Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := hostfs.SyncDir(filepath.Dir(name)); !errors.Is(err, fs.ErrNotExist) { // nothing is in a directory that is not there
		return err
	}
	return nil
}

var errReadBack = errors.New("the medium gives back something else than was written to it")
