package wallog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidwall/wal"
	"golang.org/x/sys/unix"
)

// FS is what the log, and the store above it, ask of the operating system. Names are host paths. Its methods are safe for concurrent use.
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes a directory and the missing ones above it, each synced into its parent.
	Mkdir(name string) error
	// ReadDir lists the names in a directory, sorted.
	ReadDir(name string) ([]string, error)
	Remove(name string) error
	Rename(from, to string) error
	// SyncDir makes the entries of a directory durable.
	SyncDir(name string) error
	// Allocate makes a file of the given size whose blocks are reserved.
	Allocate(name string, size int64) error
	// Free returns how many bytes are free to an unprivileged user on the file system of name.
	Free(name string) (int64, error)
	// OpenWriter opens tidwall/wal on a directory.
	OpenWriter(dir string, segmentBytes int) (Writer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Writer
	io.Closer
	Truncate(size int64) error
	Sync() error
	Size() (int64, error)
}

// Writer is what the log uses of tidwall/wal.
type Writer interface {
	WriteBatch(*wal.Batch) error
	Sync() error
	ClearCache() error
	Close() error
}

// OS is the real file system.
type OS struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// OpenFile implements FS.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Mkdir implements FS.
func (o OS) Mkdir(name string) error {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := o.Mkdir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return o.SyncDir(parent)
}

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]string, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Allocate implements FS.
func (OS) Allocate(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fill(f, size)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func fill(f *os.File, size int64) error {
	b := make([]byte, 1<<16)
	for ; size > 0; size -= int64(len(b)) {
		if _, err := f.Write(b[:min(size, int64(len(b)))]); err != nil {
			return err
		}
	}
	return nil
}

// Free implements FS.
func (OS) Free(name string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(name, &st); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: name, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // 32 bits wide on some machines
}

// OpenWriter implements FS.
func (OS) OpenWriter(dir string, segmentBytes int) (Writer, error) {
	l, err := wal.Open(dir, &wal.Options{NoSync: true, SegmentSize: segmentBytes, SegmentCacheSize: 1, AllowEmpty: true, DirPerms: 0o700, FilePerms: 0o600})
	if err != nil {
		return nil, err
	}
	return l, nil
}
