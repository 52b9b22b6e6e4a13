package faultfs

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Loss is what a power cut does to what was not synced.
type Loss int

// The ways in which a power cut can go.
const (
	Nothing  Loss = iota // everything arrived: the process was killed, not the machine
	Unsynced             // nothing arrived that was not synced: neither data nor names
	Torn                 // names arrived, and of each file's unsynced end the first half
	Holes                // names arrived, and of each file's unsynced end the second half, zeros before it
	Zeros                // names and lengths arrived, and no data: zeros
	Names                // unsynced names arrived, removals did not, and no data
	Losses               // how many there are
)

func (l Loss) String() string {
	return [...]string{"nothing", "unsynced", "torn", "holes", "zeros", "names"}[l]
}

// image is the state of a directory, in memory and on disk.
type image struct {
	now  map[string]*inode // names as the system sees them
	disk map[string]*inode // as they are on disk
	dirs map[string]bool
	gone map[string]*inode // removed, and the removal is not synced
}

type inode struct {
	data   []byte
	synced []byte
}

// Build makes, in the empty directory dir, the files that are there after the operations of a trace and a power cut.
func Build(dir string, trace []Op, loss Loss) error {
	im := image{now: map[string]*inode{}, disk: map[string]*inode{}, dirs: map[string]bool{}, gone: map[string]*inode{}}
	for _, op := range trace {
		im.apply(op)
	}
	for d := range im.dirs {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return err
		}
	}
	names := im.now
	if loss == Unsynced {
		names = im.disk
	}
	if loss == Names {
		for name, x := range im.gone {
			if names[name] == nil {
				names[name] = x
			}
		}
	}
	for name, x := range names {
		if err := os.WriteFile(filepath.Join(dir, name), x.after(loss), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// after returns what a file holds after the power cut.
func (x *inode) after(loss Loss) []byte {
	if loss == Nothing {
		return x.data
	}
	n := len(x.synced)
	if loss == Unsynced || loss == Names || len(x.data) <= n || !strings.HasPrefix(string(x.data), string(x.synced)) {
		return x.synced
	}
	half := n + (len(x.data)-n)/2
	out := append([]byte(nil), x.data...)
	switch loss {
	case Torn:
		return out[:half]
	case Holes:
		clear(out[n:half])
	case Zeros:
		clear(out[n:])
	}
	return out
}

func (im *image) apply(op Op) {
	x := im.now[op.Name]
	switch op.Kind {
	case Create:
		if x == nil {
			im.now[op.Name] = &inode{}
		} else {
			x.data = nil
		}
	case Write:
		if need := int(op.Off) + len(op.Data); len(x.data) < need {
			x.data = append(x.data, make([]byte, need-len(x.data))...)
		}
		copy(x.data[op.Off:], op.Data)
	case Truncate:
		x.data = x.data[:op.Off:op.Off]
	case Sync:
		x.synced = append([]byte(nil), x.data...)
	case Remove:
		im.gone[op.Name] = x
		delete(im.now, op.Name)
	case Rename:
		im.now[op.To] = x
		delete(im.now, op.Name)
	case Mkdir:
		im.dirs[op.Name] = true
	case SyncDir:
		im.syncDir(op.Name)
	}
}

// syncDir makes the names in a directory durable.
func (im *image) syncDir(dir string) {
	if dir == "" {
		dir = "."
	}
	for name := range im.disk {
		if path.Dir(name) == dir && im.now[name] == nil {
			delete(im.disk, name)
		}
	}
	for name, x := range im.now {
		if path.Dir(name) == dir {
			im.disk[name] = x
		}
	}
	for name := range im.gone {
		if path.Dir(name) == dir {
			delete(im.gone, name)
		}
	}
}
