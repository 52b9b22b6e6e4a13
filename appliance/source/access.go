package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Node is one directory or file on the way to a file, as its inode describes it.
type Node struct {
	Name     string // inside the root
	Mode     fs.FileMode
	UID, GID int
}

// Way returns the directories from the root down to a file, and the file itself as the last one, symbolic links followed. ok is false if fsys
// cannot tell, or the file cannot be reached.
func Way(fsys FS, name string) (way []Node, ok bool) {
	w, ok := fsys.(interface {
		Way(name string) ([]Node, bool)
	})
	if !ok {
		return nil, false
	}
	return w.Way(name)
}

// Way implements Way for the host. Directories above the root are not looked at.
func (h host) Way(name string) ([]Node, bool) {
	target, err := filepath.EvalSymlinks(h.root.Path(name))
	if err != nil || !filepath.IsAbs(target) {
		return nil, false
	}
	top, err := filepath.EvalSymlinks(h.root.Dir())
	if err != nil {
		return nil, false
	}
	inside, ok := strings.CutPrefix(target, strings.TrimSuffix(top, "/")+"/")
	if !ok {
		top, inside = "/", strings.TrimPrefix(target, "/") // a link out of the root
	}
	parts := append([]string{""}, strings.Split(inside, "/")...)
	way := make([]Node, 0, len(parts))
	at := top
	for _, part := range parts {
		at = filepath.Join(at, part)
		info, err := os.Stat(at)
		if err != nil {
			return nil, false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil, false
		}
		way = append(way, Node{h.root.Inside(at), info.Mode(), int(st.Uid), int(st.Gid)})
	}
	return way, true
}

// Way implements Way: the upper file system counts where it has the file.
func (f fallback) Way(name string) ([]Node, bool) { return Way(f.upper, name) }

// User is an account of the host.
type User struct {
	Name string
	UID  int
	GIDs []int // the main group first
}

// maxAccounts bounds the files of accounts, in bytes.
const maxAccounts = 4 << 20

// Account returns the account called name from /etc/passwd and /etc/group; ok is false if there is none.
func Account(fsys FS, name string) (u User, ok bool) {
	text, err := fsys.ReadFile("/etc/passwd", maxAccounts)
	if err != nil {
		return User{}, false
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":") // name:password:uid:gid:...
		if len(f) < 4 || f[0] != name {
			continue
		}
		uid, errU := strconv.Atoi(f[2])
		gid, errG := strconv.Atoi(f[3])
		if errors.Join(errU, errG) != nil {
			continue
		}
		u, ok = User{Name: name, UID: uid, GIDs: []int{gid}}, true
		break
	}
	if !ok {
		return User{}, false
	}
	groups, err := fsys.ReadFile("/etc/group", maxAccounts)
	if err != nil {
		return u, true
	}
	for line := range strings.Lines(string(groups)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":") // name:password:gid:members
		if len(f) != 4 || !slices.Contains(strings.Split(f[3], ","), name) {
			continue
		}
		if gid, err := strconv.Atoi(f[2]); err == nil {
			u.GIDs = append(u.GIDs, gid)
		}
	}
	return u, true
}

// CanRead reports whether u may read the file at the end of way by the mode bits on it; if not, obstacle is the node that is in the way. Access
// control lists are not looked at.
func (u User) CanRead(way []Node) (obstacle Node, ok bool) {
	for i, n := range way {
		want := fs.FileMode(0o1) // to pass through a directory
		if i == len(way)-1 {
			want = 0o4
		}
		if !u.allowed(n, want) {
			return n, false
		}
	}
	return Node{}, true
}

// allowed reports whether u has the permission want, given as for others, on n.
func (u User) allowed(n Node, want fs.FileMode) bool {
	switch {
	case u.UID == 0:
		return true
	case u.UID == n.UID:
		want <<= 6
	case slices.Contains(u.GIDs, n.GID):
		want <<= 3
	}
	return n.Mode.Perm()&want != 0
}
