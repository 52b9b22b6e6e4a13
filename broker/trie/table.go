package trie

import "sync/atomic"

// Sizes of tables. A flat table is open-addressed with at most three quarters of its slots used.
const (
	minSlots  = 4
	maxSlots  = 1024 // a flat table that would need more becomes a directory
	fanBits   = 6
	fan       = 1 << fanBits // tables in a directory
	maxFan    = 4            // directories above one another; below them flat tables grow without limit
	foldBelow = maxSlots / 4 // a directory with fewer children becomes a flat table again
)

// table holds the literal children of a node: flat, or a directory of tables chosen by the hash's highest bits. Its methods that change
// it return what stands in its place afterwards: itself, a replacement, or nil when it is empty. A replaced table is never written again.
type table[V any] struct {
	slots []slot[V]                      // flat: a power of two
	sub   *[fan]atomic.Pointer[table[V]] // directory
	live  int32                          // children; writer only
	used  int32                          // flat: slots with a hash; writer only
}

// slot is free (hash 0), taken, or left (hash but no child). Left slots keep probe sequences together; an insertion may take them. The
// child is stored last and verified by its text, so that a reader needs no more order than that.
type slot[V any] struct {
	hash  atomic.Uint64
	child atomic.Pointer[node[V]]
}

// slotsFor is the size of a new flat table for n children: at most half full.
func slotsFor(n int) int {
	size := minSlots
	for size < 2*n {
		size *= 2
	}
	return size
}

func newTable[V any](slots int) *table[V] { return &table[V]{slots: make([]slot[V], slots)} }

// branch picks the directory's entry for a hash at a depth.
func branch(h uint64, depth int) int { return int(h >> (64 - fanBits*(depth+1)) & (fan - 1)) }

// find is lock-free.
func (t *table[V]) find(l level, h uint64) *node[V] {
	for depth := 0; t.sub != nil; depth++ {
		if t = t.sub[branch(h, depth)].Load(); t == nil {
			return nil
		}
	}
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		switch s.hash.Load() {
		case h:
			if c := s.child.Load(); c != nil && c.is(l) {
				return c
			}
		case 0: // there always is one
			return nil
		}
	}
}

// add inserts a child that is not in the table. t may be nil.
func (t *table[V]) add(c *node[V], h uint64, depth int) *table[V] {
	if t == nil {
		t = newTable[V](minSlots)
	}
	if t.sub != nil {
		cell := &t.sub[branch(h, depth)]
		old := cell.Load()
		if s := old.add(c, h, depth+1); s != old {
			cell.Store(s)
		}
		t.live++
		return t
	}
	if int(t.used+1)*4 > len(t.slots)*3 {
		t = t.rebuild(slotsFor(int(t.live)+1), depth)
		if t.sub != nil {
			return t.add(c, h, depth)
		}
	}
	t.place(c, h)
	return t
}

// place puts a child into the first slot of its probe sequence that has none.
func (t *table[V]) place(c *node[V], h uint64) {
	mask := uint64(len(t.slots) - 1)
	i := h & mask
	for t.slots[i].child.Load() != nil {
		i = (i + 1) & mask
	}
	s := &t.slots[i]
	if s.hash.Load() == 0 {
		t.used++
	}
	s.hash.Store(h)
	s.child.Store(c)
	t.live++
}

// rebuild copies a flat table into one of the given size, or into a directory when that is too big.
func (t *table[V]) rebuild(slots, depth int) *table[V] {
	if slots > maxSlots && depth < maxFan {
		return t.split(depth)
	}
	r := newTable[V](slots)
	for i := range t.slots {
		if c := t.slots[i].child.Load(); c != nil {
			r.place(c, t.slots[i].hash.Load())
		}
	}
	return r
}

// split copies a flat table into a directory.
func (t *table[V]) split(depth int) *table[V] {
	var sizes [fan]int
	for i := range t.slots {
		if t.slots[i].child.Load() != nil {
			sizes[branch(t.slots[i].hash.Load(), depth)]++
		}
	}
	d := &table[V]{sub: new([fan]atomic.Pointer[table[V]]), live: t.live}
	for i, n := range sizes {
		if n > 0 {
			d.sub[i].Store(newTable[V](slotsFor(n)))
		}
	}
	for i := range t.slots {
		if c := t.slots[i].child.Load(); c != nil {
			h := t.slots[i].hash.Load()
			d.sub[branch(h, depth)].Load().place(c, h)
		}
	}
	return d
}

// remove takes out a child that is in the table.
func (t *table[V]) remove(c *node[V], h uint64, depth int) *table[V] {
	if t.live == 1 {
		return nil
	}
	t.live--
	if t.sub != nil {
		cell := &t.sub[branch(h, depth)]
		old := cell.Load()
		if s := old.remove(c, h, depth+1); s != old {
			cell.Store(s)
		}
		if t.live < foldBelow {
			return t.fold()
		}
		return t
	}
	mask := uint64(len(t.slots) - 1)
	i := h & mask
	for t.slots[i].child.Load() != c {
		i = (i + 1) & mask
	}
	t.slots[i].child.Store(nil)
	if len(t.slots) > 4*minSlots && int(t.live) < len(t.slots)/8 {
		return t.rebuild(slotsFor(int(t.live)), depth)
	}
	return t
}

// fold copies a directory with few children into a flat table.
func (t *table[V]) fold() *table[V] {
	r := newTable[V](slotsFor(int(t.live)))
	t.foldInto(r)
	return r
}

func (t *table[V]) foldInto(r *table[V]) {
	for i := range t.slots {
		if c := t.slots[i].child.Load(); c != nil {
			r.place(c, t.slots[i].hash.Load())
		}
	}
	if t.sub == nil {
		return
	}
	for i := range t.sub {
		if s := t.sub[i].Load(); s != nil {
			s.foldInto(r)
		}
	}
}
