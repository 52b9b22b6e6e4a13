package trie

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// Sizes of tables. A flat table is open-addressed; its groups, and so its steps of growth, are powers of two.
const (
	lanes     = 7  // children in a group
	maxGroups = 64 // a flat table that would need more becomes a directory
	fanBits   = 6
	fan       = 1 << fanBits // tables in a directory
	maxFan    = 4            // directories above one another; below them flat tables grow without limit
	foldBelow = 128          // a directory with fewer children becomes a flat table again
)

// table holds the literal children of a node: flat, or a directory of tables chosen by the hash's highest bits. Its methods that change
// it return what stands in its place afterwards: itself, a replacement, or nil when it is empty. A replaced table is never written again.
type table[V any] struct {
	groups []group[V]                     // flat
	sub    *[fan]atomic.Pointer[table[V]] // directory
	live   int32                          // children; writer only
	used   int32                          // flat: lanes that are not free; writer only
}

// group is one step of a probe, and one cache line: a tag of each lane's hash, and the children. A probe goes on to the next group for as
// long as none of the lanes is free; therefore a lane that is emptied in a group without free ones is left, not freed. A child is
// stored before its tag and verified by its text, so that a reader needs no more order than that.
type group[V any] struct {
	tags  atomic.Uint64 // one byte a lane, the lowest first; the highest byte is not used
	child [lanes]atomic.Pointer[node[V]]
}

// Tags. Those of children have the high bit set.
const (
	tagFree = 0
	tagLeft = 1

	everyLane = 1<<(8*lanes) - 1
	lowBits   = 0x0101010101010101 & everyLane
	highBits  = 0x8080808080808080 & everyLane
)

// tagOf takes bits of the hash that choose neither the group nor the bucket.
func tagOf(h uint64) uint64 { return h>>25&0x7f | 0x80 }

// lanesWith has the high bit of each lane set whose tag is this one. A lane above such a one may be reported wrongly.
func lanesWith(tags, tag uint64) uint64 {
	x := tags ^ tag*lowBits
	return (x - lowBits) &^ x & highBits
}

func lane(found uint64) int { return bits.TrailingZeros64(found) / 8 }

// groupsFor is the size of a new flat table for n children: two thirds full at most, or a single group.
func groupsFor(n int) int {
	g := 1
	for n > lanes && 3*n > 2*lanes*g {
		g *= 2
	}
	return g
}

func newTable[V any](groups int) *table[V] { return &table[V]{groups: make([]group[V], groups)} }

// room is how many lanes of a flat table may be in use: seven eighths, so that probes end soon, or all of a single group.
func (t *table[V]) room() int {
	if len(t.groups) == 1 {
		return lanes
	}
	return len(t.groups) * lanes * 7 / 8
}

// branch picks the directory's entry for a hash at a depth.
func branch(h uint64, depth int) int { return int(h >> (64 - fanBits*(depth+1)) & (fan - 1)) }

// find is lock-free.
func (t *table[V]) find(l level, h uint64) *node[V] {
	for depth := 0; t.sub != nil; depth++ {
		if t = t.sub[branch(h, depth)].Load(); t == nil {
			return nil
		}
	}
	tag := tagOf(h)
	mask := len(t.groups) - 1
	i := int(h) & mask
	for range t.groups {
		g := &t.groups[i]
		tags := g.tags.Load()
		for m := lanesWith(tags, tag); m != 0; m &= m - 1 {
			if c := g.child[lane(m)].Load(); c != nil && c.is(l) {
				return c
			}
		}
		if lanesWith(tags, tagFree) != 0 {
			return nil
		}
		i = (i + 1) & mask
	}
	return nil
}

// add inserts a child that is not in the table. t may be nil.
func (t *table[V]) add(c *node[V], h uint64, depth int, seed maphash.Seed) *table[V] {
	if t == nil {
		t = newTable[V](1)
	}
	if t.sub != nil {
		cell := &t.sub[branch(h, depth)]
		old := cell.Load()
		if s := old.add(c, h, depth+1, seed); s != old {
			cell.Store(s)
		}
		t.live++
		return t
	}
	if t.place(c, h) {
		return t
	}
	return t.rebuild(depth, seed).add(c, h, depth, seed)
}

// place puts a child into the first lane of its probe that is free or left, unless that would use one too many.
func (t *table[V]) place(c *node[V], h uint64) bool {
	mask := len(t.groups) - 1
	i := int(h) & mask
	for range t.groups {
		g := &t.groups[i]
		tags := g.tags.Load()
		if empty := ^tags & highBits; empty != 0 {
			k := lane(empty)
			if tags>>(8*k)&0xff == tagFree {
				if int(t.used) == t.room() {
					return false
				}
				t.used++
			}
			g.child[k].Store(c)
			g.setTag(k, tagOf(h))
			t.live++
			return true
		}
		i = (i + 1) & mask
	}
	return false
}

func (g *group[V]) setTag(k int, tag uint64) {
	g.tags.Store(g.tags.Load()&^(0xff<<(8*k)) | tag<<(8*k))
}

// each calls f for the children of a table with their hashes.
func (t *table[V]) each(seed maphash.Seed, f func(c *node[V], h uint64)) {
	for i := range t.groups {
		for k := range t.groups[i].child {
			if c := t.groups[i].child[k].Load(); c != nil {
				f(c, c.hash(seed))
			}
		}
	}
	if t.sub == nil {
		return
	}
	for i := range t.sub {
		if s := t.sub[i].Load(); s != nil {
			s.each(seed, f)
		}
	}
}

// rebuild copies a table into a flat one with room for one more child, or into a directory when that would be too big.
func (t *table[V]) rebuild(depth int, seed maphash.Seed) *table[V] {
	groups := groupsFor(int(t.live) + 1)
	if groups > maxGroups && depth < maxFan {
		return t.split(depth, seed)
	}
	r := newTable[V](groups)
	t.each(seed, func(c *node[V], h uint64) { r.place(c, h) })
	return r
}

// split copies a flat table into a directory.
func (t *table[V]) split(depth int, seed maphash.Seed) *table[V] {
	var sizes [fan]int
	t.each(seed, func(_ *node[V], h uint64) { sizes[branch(h, depth)]++ })
	d := &table[V]{sub: new([fan]atomic.Pointer[table[V]]), live: t.live}
	for i, n := range sizes {
		if n > 0 {
			d.sub[i].Store(newTable[V](groupsFor(n)))
		}
	}
	t.each(seed, func(c *node[V], h uint64) { d.sub[branch(h, depth)].Load().place(c, h) })
	return d
}

// remove takes out a child that is in the table.
func (t *table[V]) remove(c *node[V], h uint64, depth int, seed maphash.Seed) *table[V] {
	if t.live == 1 {
		return nil
	}
	t.live--
	if t.sub != nil {
		cell := &t.sub[branch(h, depth)]
		old := cell.Load()
		if s := old.remove(c, h, depth+1, seed); s != old {
			cell.Store(s)
		}
		if t.live < foldBelow {
			return t.rebuild(depth, seed)
		}
		return t
	}
	t.displace(c, h)
	if len(t.groups) > 2 && int(t.live) < len(t.groups)*lanes/8 {
		return t.rebuild(depth, seed)
	}
	return t
}

// displace empties the lane of a child.
func (t *table[V]) displace(c *node[V], h uint64) {
	mask := len(t.groups) - 1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		g := &t.groups[i]
		for k := range g.child {
			if g.child[k].Load() != c {
				continue
			}
			if lanesWith(g.tags.Load(), tagFree) != 0 {
				g.setTag(k, tagFree)
				t.used--
			} else {
				g.setTag(k, tagLeft)
			}
			g.child[k].Store(nil)
			return
		}
	}
}
