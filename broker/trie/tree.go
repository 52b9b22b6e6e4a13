package trie

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Tree maps paths of levels, divided by "/", to values. A path is a topic filter or a topic name; a level "+", and a last level "#", are
// the wildcards of Match. All methods may be called from any goroutine; those that only read take no lock. Paths and topics are not kept.
type Tree[V any] struct {
	seed maphash.Seed
	wild bucket[V] // paths whose first level is a wildcard
	tops [1 << bucketBits]bucket[V]
}

// bucketBits: the log of the number of buckets into which the first levels are divided.
const bucketBits = 6

// bucket is the unit of writing: all paths whose first levels hash alike. What readers touch is kept off the cache line of the lock.
type bucket[V any] struct {
	root  node[V] // its children are first levels; it has no value itself
	gen   atomic.Uint64
	_     [56]byte
	mu    sync.Mutex // held by writers; no other lock of this package is taken under it
	count atomic.Int64
	_     [48]byte
}

// NewTree returns an empty tree.
func NewTree[V any]() *Tree[V] { return &Tree[V]{seed: maphash.MakeSeed()} }

// levelEnd is where the level that begins at off ends: at a "/" or at the end of the path.
func levelEnd(path []byte, off int) int {
	if i := bytes.IndexByte(path[off:], '/'); i >= 0 {
		return off + i
	}
	return len(path)
}

// bucketOf is the bucket of a first level with this hash.
func (t *Tree[V]) bucketOf(h uint64) *bucket[V] { return &t.tops[h>>33&(1<<bucketBits-1)] }

// isPlus and isMulti tell whether path[off:end] is a wildcard.
func isPlus(path []byte, off, end int) bool { return end-off == 1 && path[off] == '+' }

func isMulti(path []byte, off, end int) bool {
	return end-off == 1 && end == len(path) && path[off] == '#'
}

// bucket is the bucket that a path belongs to.
func (t *Tree[V]) bucket(path []byte) *bucket[V] {
	end := levelEnd(path, 0)
	if isPlus(path, 0, end) || isMulti(path, 0, end) {
		return &t.wild
	}
	return t.bucketOf(newLevel(path[:end]).hash(t.seed))
}

// cell is where the value of a path is kept, or nil if there is no such place.
func (t *Tree[V]) cell(b *bucket[V], path []byte) *atomic.Pointer[V] {
	n := &b.root
	for off := 0; off <= len(path); {
		end := levelEnd(path, off)
		if isMulti(path, off, end) {
			return &n.multi
		}
		if n = t.below(n, path, off, end); n == nil {
			return nil
		}
		off = end + 1
	}
	return &n.value
}

// below is the child of n for the level path[off:end], which is no "#", or nil.
func (t *Tree[V]) below(n *node[V], path []byte, off, end int) *node[V] {
	if isPlus(path, off, end) {
		return n.plus.Load()
	}
	return n.child(newLevel(path[off:end]), t.seed)
}

// levels is how many nodes a path takes from off on.
func levels(path []byte, off int) int {
	n := bytes.Count(path[off:], []byte{'/'})
	if last := bytes.LastIndexByte(path, '/') + 1; last >= off && isMulti(path, last, len(path)) {
		return n
	}
	return n + 1
}

// grow is cell for a path whose nodes it makes where they are missing. They lie side by side, up to block of them: who reads one reads the
// next. The bucket's lock is held.
func (t *Tree[V]) grow(b *bucket[V], path []byte) *atomic.Pointer[V] {
	const block = 2
	n := &b.root
	var fresh []node[V]
	for off := 0; off <= len(path); {
		end := levelEnd(path, off)
		if isMulti(path, off, end) {
			return &n.multi
		}
		c := t.below(n, path, off, end)
		if c == nil {
			if len(fresh) == 0 {
				fresh = make([]node[V], min(block, levels(path, off)))
			}
			c, fresh = &fresh[0], fresh[1:]
			if isPlus(path, off, end) {
				n.plus.Store(c)
			} else {
				l := newLevel(path[off:end])
				c.become(l)
				n.add(c, l, t.seed)
			}
		}
		n, off = c, end+1
	}
	return &n.value
}

// prune unlinks the nodes of a path that have become empty, from the last towards the root. The bucket's lock is held.
func (t *Tree[V]) prune(b *bucket[V], path []byte) {
	type step struct {
		parent, child *node[V]
		off, end      int
	}
	var room [16]step
	steps := room[:0]
	n := &b.root
	for off := 0; off <= len(path); {
		end := levelEnd(path, off)
		if isMulti(path, off, end) {
			break
		}
		child := t.below(n, path, off, end)
		steps = append(steps, step{n, child, off, end})
		n, off = child, end+1
	}
	for i := len(steps) - 1; i >= 0 && steps[i].child.empty(); i-- {
		s := steps[i]
		if isPlus(path, s.off, s.end) {
			s.parent.plus.Store(nil)
		} else {
			s.parent.remove(s.child, newLevel(path[s.off:s.end]), t.seed)
		}
	}
}

// Load returns the value of exactly this path, or nil.
func (t *Tree[V]) Load(path []byte) *V {
	if c := t.cell(t.bucket(path), path); c != nil {
		return c.Load()
	}
	return nil
}

// Replace puts new in the place of old without a lock; it fails if the path's value is not old any more. Neither may be nil.
func (t *Tree[V]) Replace(path []byte, old, new *V) bool {
	c := t.cell(t.bucket(path), path)
	return c != nil && c.CompareAndSwap(old, new)
}

// Update sets the value of a path to what f makes of the present one; nil is none. It holds the path's bucket locked meanwhile, so that f
// must be short and must not call the tree. f is called again if a Replace came between. Nodes that become empty are unlinked.
func (t *Tree[V]) Update(path []byte, f func(old *V) *V) {
	b := t.bucket(path)
	b.mu.Lock()
	defer b.mu.Unlock()
	c := t.cell(b, path)
	if c == nil {
		if v := f(nil); v != nil {
			t.grow(b, path).Store(v)
			b.count.Add(1)
			b.gen.Add(1)
		}
		return
	}
	old := c.Load()
	v := f(old)
	for !c.CompareAndSwap(old, v) {
		old = c.Load()
		v = f(old)
	}
	switch {
	case old == nil && v != nil:
		b.count.Add(1)
		b.gen.Add(1)
	case old != nil && v == nil:
		b.count.Add(-1)
		t.prune(b, path)
		b.gen.Add(1)
	}
}

// Len is the number of values.
func (t *Tree[V]) Len() int {
	n := t.wild.count.Load()
	for i := range t.tops {
		n += t.tops[i].count.Load()
	}
	return int(n)
}
