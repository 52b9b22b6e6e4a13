package trie

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// Leaf is a filter that somebody subscribes to: its plain entries, divided by shard, and its shared groups. It may be read from any
// goroutine at any time. It lives from the first subscription to the filter until the last one ends, and is empty for ever after that.
type Leaf struct {
	only atomic.Uint64 // the one plain entry, with its shard; counts only while many is nil
	many atomic.Pointer[fanout]
}

// fanout is a leaf with more than one plain entry or with groups. Which shards and groups there are is immutable; splits change in place.
type fanout struct {
	shards uint64
	splits []atomic.Pointer[split] // one for each bit of shards
	groups []*Group                // by name
}

// View is the plain entries that one shard had in a leaf when it was taken. An entry that is removed later becomes a hole, or stays if the
// leaf was compacted in between; one that is added later is not seen; one that is replaced may change. The zero View is empty.
type View struct {
	only Entry
	list []atomic.Uint64
}

// Len is the number of positions, holes included.
func (v View) Len() int {
	if v.only != 0 {
		return 1
	}
	return len(v.list)
}

// Same tells whether a position means the same in both views: they are of one shard and leaf, and it was not compacted in between.
func (v View) Same(o View) bool {
	return len(v.list) > 0 && len(o.list) > 0 && unsafe.SliceData(v.list) == unsafe.SliceData(o.list)
}

// At is the entry at a position below Len; 0 is a hole.
func (v View) At(i int) Entry {
	if v.only != 0 {
		return v.only
	}
	return Entry(v.list[i].Load())
}

// Shards has bit k set if shard k has at least one plain entry.
func (l *Leaf) Shards() uint64 {
	if m := l.many.Load(); m != nil {
		return m.shards
	}
	if o := l.only.Load(); o != 0 {
		shard, _ := unpack(o)
		return 1 << shard
	}
	return 0
}

// View takes the plain entries of a shard.
func (l *Leaf) View(shard int) View {
	if m := l.many.Load(); m != nil {
		c := m.split(shard)
		if c == nil {
			return View{}
		}
		s := c.Load()
		return View{list: s.list[:s.n.Load()]}
	}
	if o := l.only.Load(); o != 0 {
		if k, e := unpack(o); k == shard {
			return View{only: e}
		}
	}
	return View{}
}

// Single is the leaf's entry and its shard if there is exactly one, plain: the common case, without the detour over Shards and View.
func (l *Leaf) Single() (shard int, e Entry, ok bool) {
	if l.many.Load() != nil {
		return 0, 0, false
	}
	shard, e = unpack(l.only.Load())
	return shard, e, e != 0
}

// Groups are the shared groups in the order of their names. The slice is immutable.
func (l *Leaf) Groups() []*Group {
	if m := l.many.Load(); m != nil {
		return m.groups
	}
	return nil
}

// split is the place of a shard's split, or nil if it has none.
func (m *fanout) split(shard int) *atomic.Pointer[split] {
	if m.shards>>shard&1 == 0 {
		return nil
	}
	return &m.splits[bits.OnesCount64(m.shards&(1<<shard-1))]
}

// with copies a fanout for other shards, of which new ones get the split s, and other groups.
func (m *fanout) with(shards uint64, s *split, groups []*Group) *fanout {
	r := &fanout{shards: shards, splits: make([]atomic.Pointer[split], bits.OnesCount64(shards)), groups: groups}
	for rest := shards; rest != 0; rest &= rest - 1 {
		shard, from := bits.TrailingZeros64(rest), s
		if c := m.split(shard); c != nil {
			from = c.Load()
		}
		r.split(shard).Store(from)
	}
	return r
}

// The methods below change the leaf. The bucket's lock is held.

// spread is the leaf's fanout, made if there is none.
func (l *Leaf) spread() *fanout {
	m := l.many.Load()
	if m != nil {
		return m
	}
	m = new(fanout)
	if o := l.only.Load(); o != 0 {
		shard, e := unpack(o)
		s := newSplit(2)
		s.append(e)
		m = m.with(1<<shard, s, nil)
	}
	return m
}

// put adds a plain entry or replaces that of the same shard and slot.
func (l *Leaf) put(shard int, e Entry) (replaced bool) {
	m := l.many.Load()
	if m == nil {
		k, old := unpack(l.only.Load())
		if old == 0 || k == shard && old.Slot() == e.Slot() {
			l.only.Store(e.withShard(shard))
			return old != 0
		}
		m = l.spread()
	}
	if c := m.split(shard); c != nil {
		s := c.Load()
		r, replaced := s.put(e)
		if r != s {
			c.Store(r)
		}
		l.many.Store(m)
		return replaced
	}
	s := newSplit(1)
	s.append(e)
	l.many.Store(m.with(m.shards|1<<shard, s, m.groups))
	return false
}

// take removes the plain entry of a shard and slot.
func (l *Leaf) take(shard int, slot uint32) bool {
	m := l.many.Load()
	if m == nil {
		k, old := unpack(l.only.Load())
		if old == 0 || k != shard || old.Slot() != slot {
			return false
		}
		l.only.Store(0)
		return true
	}
	c := m.split(shard)
	if c == nil {
		return false
	}
	s := c.Load()
	r, removed := s.remove(slot)
	switch {
	case !removed:
		return false
	case r == nil:
		l.settle(m.with(m.shards&^(1<<shard), nil, m.groups))
	default:
		if r != s {
			c.Store(r)
		}
		l.settle(m)
	}
	return true
}

// settle makes m the leaf's content, in the compact form if it allows it.
func (l *Leaf) settle(m *fanout) {
	var only uint64
	if len(m.groups) == 0 {
		switch len(m.splits) {
		case 0:
			m = nil
		case 1:
			if s := m.splits[0].Load(); s.live == 1 {
				only = s.sole().withShard(bits.TrailingZeros64(m.shards))
				m = nil
			}
		}
	}
	if m == nil {
		l.only.Store(only) // before many: a reader that finds many nil must find this
	}
	l.many.Store(m)
}

// sole is the entry of a split that has exactly one.
func (s *split) sole() Entry {
	for i := range s.list {
		if e := Entry(s.list[i].Load()); e != 0 {
			return e
		}
	}
	return 0
}

func (l *Leaf) empty() bool { return l.many.Load() == nil && l.only.Load() == 0 }
