package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"vernemq/appliance/hostfs"
)

// FS is where configuration files come from. Names are absolute, as the operator writes them (inside the root). Errors wrap fs.ErrNotExist
// and fs.ErrPermission where that is the reason.
type FS interface {
	// ReadFile returns the content of a regular file of at most limit bytes; a larger one is an error wrapping ErrTooLarge.
	ReadFile(name string, limit int64) ([]byte, error)
	// List returns the names of the entries of a directory that are not directories, in any order.
	List(dir string) ([]string, error)
}

// ErrTooLarge is returned for a file above the limit asked for.
var ErrTooLarge = errors.New("file is too large")

// Host returns the file system of the host under root.
func Host(root hostfs.Root) FS { return host{root} }

type host struct{ root hostfs.Root }

func (h host) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(h.root.Path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not keep us waiting for its writer
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, reason(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return data, nil
}

func (h host) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(h.root.Path(dir))
	if err != nil {
		return nil, reason(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// reason drops the host path from an error: the message names the place in the operator's own words.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Mode returns the mode of a file, where fsys can tell it.
func Mode(fsys FS, name string) (mode fs.FileMode, ok bool) {
	m, ok := fsys.(interface {
		Mode(name string) (fs.FileMode, bool)
	})
	if !ok {
		return 0, false
	}
	return m.Mode(name)
}

func (h host) Mode(name string) (fs.FileMode, bool) {
	info, err := os.Stat(h.root.Path(name))
	if err != nil {
		return 0, false
	}
	return info.Mode(), true
}

// Texts is a file system in memory: absolute name to content.
type Texts map[string]string

// ReadFile implements FS.
func (t Texts) ReadFile(name string, limit int64) ([]byte, error) {
	text, ok := t[name]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return []byte(text), nil
}

// List implements FS.
func (t Texts) List(dir string) ([]string, error) {
	var names []string
	for name := range t {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	if names == nil {
		return nil, fs.ErrNotExist
	}
	return names, nil
}

// Fallback returns upper with the files of lower showing through where upper has no file, respectively no directory, of that name. That is
// how the embedded defaults serve under an empty root.
func Fallback(upper, lower FS) FS { return fallback{upper, lower} }

type fallback struct{ upper, lower FS }

func (f fallback) ReadFile(name string, limit int64) ([]byte, error) {
	data, err := f.upper.ReadFile(name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return f.lower.ReadFile(name, limit)
	}
	return data, err
}

func (f fallback) List(dir string) ([]string, error) {
	names, err := f.upper.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f.lower.List(dir)
	}
	return names, err
}

func (f fallback) Mode(name string) (fs.FileMode, bool) { return Mode(f.upper, name) }

// match returns the files that the include pattern names, in name order. Only the last part may hold asterisks. A name beginning with a dot
// is matched only by a pattern beginning with one, so that editors' files stay out.
func match(fsys FS, pattern string) ([]string, error) {
	dir, last := path.Split(pattern)
	if !strings.Contains(last, "*") {
		return []string{pattern}, nil
	}
	dir = path.Clean(dir)
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []string
	for _, name := range names {
		if glob(last, name) && (name[0] != '.' || last[0] == '.') {
			out = append(out, path.Join(dir, name))
		}
	}
	return out, nil
}

// glob reports whether name matches pattern, in which only * is special. Its time is bounded by the product of the lengths.
func glob(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
