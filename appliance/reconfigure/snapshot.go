package reconfigure

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"vernemq/appliance/source"
)

// Snapshot is a file system that answers the same for as long as it lives: what was read once is not read again. A setting that is changed at run
// time is compiled with it, so that files an operator is editing do not come into force before a reload. It is safe for concurrent use.
type Snapshot struct {
	source.FS

	mu    sync.Mutex
	files map[string]answer
	dirs  map[string][]string
}

// answer is the content of a file, or why there is none.
type answer struct {
	data []byte
	err  error
}

// NewSnapshot returns a snapshot of fsys that has read nothing yet.
func NewSnapshot(fsys source.FS) *Snapshot {
	return &Snapshot{FS: fsys, files: map[string]answer{}, dirs: map[string][]string{}}
}

// ReadFile implements source.FS.
func (s *Snapshot) ReadFile(name string, limit int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.files[name]
	if !ok {
		a.data, a.err = s.FS.ReadFile(name, limit)
		s.files[name] = a
	}
	return a.data, a.err
}

// List implements source.FS.
func (s *Snapshot) List(dir string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, ok := s.dirs[dir]
	if ok {
		return names, nil
	}
	names, err := s.FS.List(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		s.dirs[dir] = names
	}
	return names, err
}

// With returns a snapshot in which a file has another content; nil takes it away. s stays as it is.
func (s *Snapshot) With(name string, data []byte) *Snapshot {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	names, _ := s.List(dir) // a directory that cannot be listed is empty
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &Snapshot{FS: s.FS, files: maps.Clone(s.files), dirs: maps.Clone(s.dirs)}
	out.files[name] = answer{data: data}
	list := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == base })
	if data == nil {
		out.files[name] = answer{err: fs.ErrNotExist}
	} else {
		list = append(list, base)
	}
	out.dirs[dir] = list
	return out
}

// Mode lets the compiler see who can read a file.
func (s *Snapshot) Mode(name string) (fs.FileMode, bool) { return source.Mode(s.FS, name) }

// Way lets the compiler see whether the service can read a file.
func (s *Snapshot) Way(name string) ([]source.Node, bool) { return source.Way(s.FS, name) }
