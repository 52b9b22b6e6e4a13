// Package faultfs is a file layer that fails on demand and remembers what was made durable. It puts wallog.FS, and the calls to tidwall/wal,
// over a real directory: every operation really happens there, a failing write is cut short there, and a Trace of all of them gives the crash
// images that a power cut at any moment could leave. It is for tests, and knows nothing of what is written.
package faultfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/wal"

	"vernemq/broker/store/wallog"
)

// FS is a wallog.FS over the real one. Fail, if set, is asked before every operation with its name ("write", "sync", "batch", "open", …) and the
// file: an error it returns is what the operation returns. Its first use must come before those of the FS.
type FS struct {
	Root string // what the Trace is about: names below it
	Fail func(op, name string) error
	// Torn is how many bytes of a failing write reach the file all the same.
	Torn int
	// Space is what Free returns; 0: what the real one does.
	Space int64

	mu    sync.Mutex
	trace []Op
	on    bool
}

var _ wallog.FS = (*FS)(nil)

// Kind is the kind of an Op.
type Kind int

// The kinds of Op.
const (
	Create   Kind = iota // an empty file, or one emptied
	Write                // Data at Off
	Truncate             // to Off
	Sync                 // of a file
	Remove
	Rename // to To
	Mkdir
	SyncDir
)

// Op is something that happened to the files. Names are below the root.
type Op struct {
	Kind     Kind
	Name, To string
	Off      int64
	Data     []byte
}

// Record begins the trace; Trace returns it.
func (f *FS) Record() { f.mu.Lock(); f.on = true; f.mu.Unlock() }

// Len returns how many operations the trace has.
func (f *FS) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.trace)
}

// Trace returns what happened since Record.
func (f *FS) Trace() []Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.trace)
}

func (f *FS) note(op Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.on {
		return
	}
	op.Name = f.below(op.Name)
	if op.To != "" {
		op.To = f.below(op.To)
	}
	op.Data = slices.Clone(op.Data)
	f.trace = append(f.trace, op)
}

func (f *FS) below(name string) string {
	if rest, ok := strings.CutPrefix(name, f.Root); ok {
		return strings.TrimPrefix(rest, "/")
	}
	return name
}

func (f *FS) fail(op, name string) error {
	if f.Fail == nil {
		return nil
	}
	if err := f.Fail(op, f.below(name)); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

type file struct {
	wallog.File
	fs   *FS
	name string
	off  int64 // of the next Write; files are written from their begin
}

// OpenFile implements wallog.FS.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (wallog.File, error) {
	if err := f.fail("open", name); err != nil {
		return nil, err
	}
	_, err := os.Lstat(name)
	missing := errors.Is(err, fs.ErrNotExist)
	x, err := wallog.OS{}.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 && (missing || flag&os.O_TRUNC != 0) {
		f.note(Op{Kind: Create, Name: name})
	}
	return &file{File: x, fs: f, name: name}, nil
}

func (x *file) Write(b []byte) (int, error) {
	err := x.fs.fail("write", x.name)
	all := b
	if err != nil {
		b = b[:min(x.fs.Torn, len(b))]
	}
	n, e := x.File.Write(b)
	x.fs.note(Op{Kind: Write, Name: x.name, Off: x.off, Data: all[:n]})
	x.off += int64(n)
	return n, errors.Join(err, e)
}

func (x *file) Truncate(size int64) error {
	if err := x.fs.fail("truncate", x.name); err != nil {
		return err
	}
	x.fs.note(Op{Kind: Truncate, Name: x.name, Off: size})
	return x.File.Truncate(size)
}

func (x *file) Sync() error {
	if err := x.fs.fail("sync", x.name); err != nil {
		return err
	}
	x.fs.note(Op{Kind: Sync, Name: x.name})
	return nil
}

func (x *file) ReadAt(b []byte, off int64) (int, error) {
	if err := x.fs.fail("read", x.name); err != nil {
		return 0, err
	}
	return x.File.ReadAt(b, off)
}

// Mkdir implements wallog.FS.
func (f *FS) Mkdir(name string) error {
	if err := f.fail("mkdir", name); err != nil {
		return err
	}
	if _, err := os.Lstat(name); err == nil {
		return nil
	}
	f.note(Op{Kind: Mkdir, Name: name})
	f.note(Op{Kind: SyncDir, Name: filepath.Dir(name)})
	return os.MkdirAll(name, 0o700)
}

// ReadDir implements wallog.FS.
func (f *FS) ReadDir(name string) ([]string, error) {
	if err := f.fail("readdir", name); err != nil {
		return nil, err
	}
	return wallog.OS{}.ReadDir(name)
}

// Remove implements wallog.FS.
func (f *FS) Remove(name string) error {
	if err := f.fail("remove", name); err != nil {
		return err
	}
	err := os.Remove(name)
	if err == nil {
		f.note(Op{Kind: Remove, Name: name})
	}
	return err
}

// Rename implements wallog.FS.
func (f *FS) Rename(from, to string) error {
	if err := f.fail("rename", from); err != nil {
		return err
	}
	f.note(Op{Kind: Rename, Name: from, To: to})
	return os.Rename(from, to)
}

// SyncDir implements wallog.FS.
func (f *FS) SyncDir(name string) error {
	if err := f.fail("syncdir", name); err != nil {
		return err
	}
	f.note(Op{Kind: SyncDir, Name: name})
	return nil
}

// Allocate implements wallog.FS.
func (f *FS) Allocate(name string, size int64) error {
	if err := f.fail("allocate", name); err != nil {
		return err
	}
	return os.WriteFile(name, nil, 0o600)
}

// Free implements wallog.FS.
func (f *FS) Free(name string) (int64, error) {
	if err := f.fail("free", name); err != nil {
		return 0, err
	}
	if f.Space != 0 {
		return f.Space, nil
	}
	return wallog.OS{}.Free(name)
}

// writer watches what tidwall/wal does to its directory.
type writer struct {
	wallog.Writer
	fs    *FS
	dir   string
	tail  string // the last segment
	bytes int64  // of it
}

// OpenWriter implements wallog.FS.
func (f *FS) OpenWriter(dir string, segmentBytes int) (wallog.Writer, error) {
	if err := f.fail("openwriter", dir); err != nil {
		return nil, err
	}
	empty := len(segments(dir)) == 0
	w, err := wallog.OS{}.OpenWriter(dir, segmentBytes)
	if err != nil {
		return nil, err
	}
	x := &writer{Writer: w, fs: f, dir: dir}
	all := segments(dir)
	x.tail = all[len(all)-1]
	x.bytes = size(x.tail)
	if empty {
		f.note(Op{Kind: Create, Name: x.tail})
	}
	return x, nil
}

func segments(dir string) []string {
	all, err := filepath.Glob(filepath.Join(dir, "????????????????????"))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	slices.Sort(all)
	return all
}

func size(name string) int64 {
	st, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return st.Size()
}

// WriteBatch implements wallog.Writer. What tidwall/wal does is: append to the tail; when it is full sync it, make the next one, append to that.
func (w *writer) WriteBatch(b *wal.Batch) error {
	err := w.fs.fail("batch", w.tail)
	old := w.tail
	if e := w.Writer.WriteBatch(b); e != nil {
		return e
	}
	left := int64(w.fs.Torn) // that reach the disk although it fails
	for _, name := range segments(w.dir) {
		if name < old {
			continue
		}
		if name > old {
			if err != nil && left <= 0 {
				_ = os.Remove(name)
				continue
			}
			w.fs.note(Op{Kind: Sync, Name: w.tail})
			w.fs.note(Op{Kind: Create, Name: name})
			w.tail, w.bytes = name, 0
		}
		n := size(name)
		if err != nil && n-w.bytes > left {
			n = w.bytes + left
			if e := os.Truncate(name, n); e != nil {
				return e
			}
		}
		left -= n - w.bytes
		if n > w.bytes {
			data, e := os.ReadFile(name)
			if e != nil {
				return e
			}
			w.fs.note(Op{Kind: Write, Name: name, Off: w.bytes, Data: data[w.bytes:n]})
		}
		w.bytes = n
	}
	return err
}

// Sync implements wallog.Writer.
func (w *writer) Sync() error {
	if err := w.fs.fail("sync", w.tail); err != nil {
		return err
	}
	w.fs.note(Op{Kind: Sync, Name: w.tail})
	return nil
}

// Close implements wallog.Writer.
func (w *writer) Close() error {
	err := w.Writer.Close()
	if e := w.fs.fail("close", w.tail); e != nil {
		return e
	}
	w.fs.note(Op{Kind: Sync, Name: w.tail})
	return err
}
