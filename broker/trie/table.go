package trie

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// Sizes of tables. A flat table has one, two, four or eight groups; one that would need more becomes a directory of segments.
const (
	lanes     = 7  // children in a group
	segment   = 8  // groups in a segment of a directory: 512 bytes, the most that Go allocates without a header that would misalign it
	window    = 3  // groups that a probe looks at
	foldBelow = 32 // a directory with fewer children becomes a flat table again,
	sparse    = 64 // and one that has this many cells for each child a smaller one
)

// table holds the literal children of a node. What a lookup reads of it is this header, one cell of the directory if it is one, and the
// group. A directory is indexed by the hash's highest bits; neighbouring cells share a segment until it is full, and the cells double when
// a segment that has only one cell is. So an insertion moves no more than one segment's children, and seldom copies the cells, however
// wide the level is. Methods that change a table return what stands in its place afterwards: itself, a replacement, or nil when it is
// empty. A table or segment that was replaced is never written again.
type table[V any] struct {
	flat  *group[V]                  // the first of its groups; nil for a directory
	cells []atomic.Pointer[group[V]] // first groups of segments; nil where there are no children
	spill atomic.Pointer[[]*node[V]] // children for which there is no room where they belong: hashes that are all but the same
	mask  uint32                     // groups of the flat table or of a segment, less one
	shift uint32                     // of a hash, to get the cell
	live  int                        // children; writer only
}

// group is one step of a probe, and one cache line: a tag of each lane's hash, and the children. The highest byte of tags counts the
// children that are kept behind this group because it was full; a probe goes on only where there are any. A child is stored before its
// tag and verified by its text, so that a reader needs no more order than that.
type group[V any] struct {
	tags  atomic.Uint64 // one byte a lane, the lowest first; 0 is free, others have the high bit set
	child [lanes]atomic.Pointer[node[V]]
}

const (
	everyLane = 1<<(8*lanes) - 1
	lowBits   = 0x0101010101010101 & everyLane
	highBits  = 0x8080808080808080 & everyLane
	behindOne = 1 << (8 * lanes)
)

// tagOf takes bits of the hash that choose neither the group nor the bucket nor, below a million children, the cell.
func tagOf(h uint64) uint64 { return h>>25&0x7f | 0x80 }

// lanesWith has the high bit of each lane set whose tag is this one. A lane above such a one may be reported wrongly.
func lanesWith(tags, tag uint64) uint64 {
	x := tags ^ tag*lowBits
	return (x - lowBits) &^ x & highBits
}

func lane(found uint64) int { return bits.TrailingZeros64(found) / 8 }

// at is group i of the groups that begin with g.
func (g *group[V]) at(i uint32) *group[V] {
	return (*group[V])(unsafe.Add(unsafe.Pointer(g), uintptr(i)*unsafe.Sizeof(*g)))
}

func newFlat[V any](groups int) *table[V] {
	return &table[V]{flat: &make([]group[V], groups)[0], mask: uint32(groups - 1)}
}

// lookup is one that is under way: its first cache line was asked for, and not yet waited for.
type lookup[V any] struct {
	t    *table[V]
	g    *group[V] // the first group of table or segment; nil if there is none
	tags uint64    // of the group where the hash belongs
}

// begin starts the lookup of a hash. It is lock-free, as find is.
func (t *table[V]) begin(h uint64) lookup[V] {
	g := t.flat
	if g == nil {
		if g = t.cells[h>>t.shift].Load(); g == nil {
			return lookup[V]{t: t}
		}
	}
	return lookup[V]{t, g, g.at(uint32(h) & t.mask).tags.Load()}
}

// find ends a lookup.
func (p *lookup[V]) find(l level, h uint64) *node[V] {
	if p.g != nil {
		tag, i, tags := tagOf(h), uint32(h)&p.t.mask, p.tags
		for n := 1; ; n++ {
			g := p.g.at(i)
			for m := lanesWith(tags, tag); m != 0; m &= m - 1 {
				if c := g.child[lane(m)].Load(); c != nil && c.is(l) {
					return c
				}
			}
			if tags < behindOne || n == window {
				break
			}
			i = (i + 1) & p.t.mask
			tags = p.g.at(i).tags.Load()
		}
	}
	if s := p.t.spill.Load(); s != nil {
		for _, c := range *s {
			if c.is(l) {
				return c
			}
		}
	}
	return nil
}

func (t *table[V]) find(l level, h uint64) *node[V] {
	p := t.begin(h)
	return p.find(l, h)
}

// add inserts a child that is not in the table. t may be nil.
func (t *table[V]) add(c *node[V], h uint64, seed maphash.Seed) *table[V] {
	if t == nil {
		t = newFlat[V](1)
	}
	for !t.place(c, h) {
		r := t.grow(h, seed)
		if r == nil {
			t.overflow(c)
			break
		}
		t = r
	}
	t.live++
	return t
}

// place puts a child into a free lane of its window if there is one.
func (t *table[V]) place(c *node[V], h uint64) bool {
	g := t.flat
	if g == nil {
		cell := &t.cells[h>>t.shift]
		if g = cell.Load(); g == nil {
			g = &make([]group[V], segment)[0]
			g.put(c, h, t.mask)
			cell.Store(g)
			return true
		}
	}
	return g.put(c, h, t.mask)
}

// put is place in the groups that begin with g.
func (g *group[V]) put(c *node[V], h uint64, mask uint32) bool {
	home := uint32(h) & mask
	for n := range min(window, mask+1) {
		at := g.at((home + n) & mask)
		tags := at.tags.Load()
		free := ^tags & highBits
		if free == 0 {
			continue
		}
		k := lane(free)
		at.child[k].Store(c)
		at.tags.Store(tags | tagOf(h)<<(8*k))
		for n := range n {
			passed := g.at((home + n) & mask)
			passed.tags.Store(passed.tags.Load() + behindOne)
		}
		return true
	}
	return false
}

// overflow keeps a child apart.
func (t *table[V]) overflow(c *node[V]) {
	var s []*node[V]
	if old := t.spill.Load(); old != nil {
		s = append(s, *old...)
	}
	s = append(s, c)
	t.spill.Store(&s)
}

// grow makes room where a hash belongs. It returns nil if that cannot be had at a price in proportion to the number of children.
func (t *table[V]) grow(h uint64, seed maphash.Seed) *table[V] {
	switch {
	case t.flat == nil:
		return t.split(h, seed)
	case t.mask+1 < segment:
		r := newFlat[V](int(2 * (t.mask + 1)))
		t.each(seed, r.take)
		return r
	}
	r := &table[V]{cells: make([]atomic.Pointer[group[V]], 2), mask: segment - 1, shift: 63}
	t.each(seed, r.take)
	return r
}

// take is add without growth, for tables that nobody sees yet.
func (t *table[V]) take(c *node[V], h uint64) {
	if !t.place(c, h) {
		t.overflow(c)
	}
	t.live++
}

// split divides the segment of a hash among its cells, after doubling the cells if it has only one.
func (t *table[V]) split(h uint64, seed maphash.Seed) *table[V] {
	i, size := t.block(h)
	old := t.cells[i].Load()
	if size == 1 {
		if 2*len(t.cells) > t.live {
			return nil
		}
		t = t.double()
		i, size = 2*i, 2
	}
	var half [2]*group[V]
	old.each(t.mask, func(c *node[V]) {
		h := c.hash(seed)
		s := &half[h>>t.shift&uint64(size/2)/uint64(size/2)]
		if *s == nil {
			*s = &make([]group[V], segment)[0]
		}
		if !(*s).put(c, h, t.mask) {
			t.overflow(c)
		}
	})
	for k := range size {
		t.cells[i+k].Store(half[k/(size/2)])
	}
	return t
}

// block is the cells of the segment of a hash, if it has one: a power of two of them, in its natural place.
func (t *table[V]) block(h uint64) (first, size int) {
	first, size = int(h>>t.shift), 1
	g := t.cells[first].Load()
	for size < len(t.cells) && t.cells[first^size].Load() == g {
		first &^= size
		size *= 2
	}
	return first, size
}

// double copies a directory into one with two cells for each. Nobody sees the new cells yet, and an atomic store costs ten times a plain
// one: this is the longest step of subscribing in a wide level.
func (t *table[V]) double() *table[V] {
	r := &table[V]{cells: make([]atomic.Pointer[group[V]], 2*len(t.cells)), mask: t.mask, shift: t.shift - 1, live: t.live}
	r.spill.Store(t.spill.Load())
	cells := unsafe.Slice((**group[V])(unsafe.Pointer(&r.cells[0])), len(r.cells))
	for i := range t.cells {
		s := t.cells[i].Load()
		cells[2*i], cells[2*i+1] = s, s
	}
	return r
}

// each calls f for the children in the groups that begin with g.
func (g *group[V]) each(mask uint32, f func(c *node[V])) {
	for i := range mask + 1 {
		at := g.at(i)
		for k := range at.child {
			if c := at.child[k].Load(); c != nil {
				f(c)
			}
		}
	}
}

// each calls f for the children of a table with their hashes. The bucket's lock is held.
func (t *table[V]) each(seed maphash.Seed, f func(c *node[V], h uint64)) {
	hashed := func(c *node[V]) { f(c, c.hash(seed)) }
	if t.flat != nil {
		t.flat.each(t.mask, hashed)
	}
	var last *group[V]
	for i := range t.cells {
		if s := t.cells[i].Load(); s != last {
			if last = s; s != nil {
				s.each(t.mask, hashed)
			}
		}
	}
	if s := t.spill.Load(); s != nil {
		for _, c := range *s {
			hashed(c)
		}
	}
}
