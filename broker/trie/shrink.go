package trie

import (
	"hash/maphash"
	"slices"
)

// remove takes out a child that is in the table.
func (t *table[V]) remove(c *node[V], h uint64, seed maphash.Seed) *table[V] {
	if t.live == 1 {
		return nil
	}
	t.live--
	if !t.unspill(c) {
		t.displace(c, h)
	}
	if t.flat != nil && (t.mask < 2 || t.live >= int(t.mask+1)*lanes/8) ||
		t.flat == nil && t.live >= foldBelow && t.live*sparse >= len(t.cells) {
		return t
	}
	var r *table[V]
	t.each(seed, func(c *node[V], h uint64) { r = r.add(c, h, seed) })
	return r
}

// displace empties the lane of a child, and the cells of its segment if it was the last.
func (t *table[V]) displace(c *node[V], h uint64) {
	g := t.flat
	if g == nil {
		g = t.cells[h>>t.shift].Load()
	}
	at := g.drop(c, h, t.mask)
	if t.flat != nil || at.tags.Load() != 0 || !g.empty(t.mask) {
		return
	}
	i, size := t.block(h)
	for k := range size {
		t.cells[i+k].Store(nil)
	}
}

// drop takes a child out of the groups that begin with g, and returns the group where it was.
func (g *group[V]) drop(c *node[V], h uint64, mask uint32) *group[V] {
	for i := uint32(h) & mask; ; i = (i + 1) & mask {
		at := g.at(i)
		for k := range at.child {
			if at.child[k].Load() == c {
				at.tags.Store(at.tags.Load() &^ (0xff << (8 * k)))
				at.child[k].Store(nil)
				return at
			}
		}
		at.tags.Store(at.tags.Load() - behindOne)
	}
}

// empty tells whether the groups that begin with g have no child.
func (g *group[V]) empty(mask uint32) bool {
	for i := range mask + 1 {
		if g.at(i).tags.Load() != 0 {
			return false
		}
	}
	return true
}

// unspill takes out a child that is kept apart; false if it is not.
func (t *table[V]) unspill(c *node[V]) bool {
	old := t.spill.Load()
	if old == nil {
		return false
	}
	i := slices.Index(*old, c)
	switch {
	case i < 0:
		return false
	case len(*old) == 1:
		t.spill.Store(nil)
	default:
		s := slices.Delete(slices.Clone(*old), i, i+1)
		t.spill.Store(&s)
	}
	return true
}
