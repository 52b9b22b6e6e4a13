package trie

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// indexAbove: splits with room for more entries have an index from slot to position.
const indexAbove = 32

// split holds the entries of one shard in a leaf, in the order in which they came. An entry never moves while the split lives: removal
// leaves a hole, and a split that is full or mostly holes is replaced by a new one, so that a View of it keeps its meaning. The fields
// without atomics belong to the holder of the bucket's lock.
type split struct {
	n     atomic.Uint32 // positions used, holes among them
	live  uint32
	list  []atomic.Uint64
	index []uint32 // position + 1 by hash of the slot, a power of two; 0 ends a probe. nil for a small split
}

func newSplit(room int) *split {
	s := &split{list: make([]atomic.Uint64, room)}
	if room > indexAbove {
		s.index = make([]uint32, 1<<bits.Len(uint(2*room-1)))
	}
	return s
}

// probe is where the search for a slot begins in an index of this size. Slots are handed out densely, so sixteen neighbours share a cache
// line: a rebuild then walks the index line by line.
func probe(slot uint32, size int) int {
	block := slot >> 4 * 0x9E3779B1 >> (37 - bits.Len(uint(size)))
	return int(block<<4 | slot&15)
}

// find is the position of a slot's entry, or -1.
func (s *split) find(slot uint32) int {
	if s.index == nil {
		for i := range s.list[:s.n.Load()] {
			if e := Entry(s.list[i].Load()); e != 0 && e.Slot() == slot {
				return i
			}
		}
		return -1
	}
	for i := probe(slot, len(s.index)); s.index[i] != 0; i = (i + 1) & (len(s.index) - 1) {
		p := int(s.index[i] - 1)
		if e := Entry(s.list[p].Load()); e != 0 && e.Slot() == slot {
			return p
		}
	}
	return -1
}

// append adds an entry for which there is room.
func (s *split) append(e Entry) {
	n := s.n.Load()
	s.note(e.Slot(), n)
	s.list[n].Store(uint64(e))
	s.n.Store(n + 1)
	s.live++
}

// note enters a position into the index, if there is one.
func (s *split) note(slot, position uint32) {
	if s.index == nil {
		return
	}
	i := probe(slot, len(s.index))
	for s.index[i] != 0 {
		i = (i + 1) & (len(s.index) - 1)
	}
	s.index[i] = position + 1
}

// put adds an entry or replaces that of the same slot. It returns the split that stands in s's place afterwards.
func (s *split) put(e Entry) (r *split, replaced bool) {
	if p := s.find(e.Slot()); p >= 0 {
		s.list[p].Store(uint64(e))
		return s, true
	}
	if int(s.n.Load()) == len(s.list) {
		s = s.rebuild()
	}
	s.append(e)
	return s, false
}

// remove takes out the entry of a slot. It returns the split that stands in s's place afterwards; nil when that would be empty.
func (s *split) remove(slot uint32) (r *split, removed bool) {
	p := s.find(slot)
	if p < 0 {
		return s, false
	}
	s.list[p].Store(0)
	s.live--
	switch n := s.n.Load(); {
	case s.live == 0:
		return nil, true
	case n > 8 && s.live < n/2:
		return s.rebuild(), true
	}
	return s, true
}

// rebuild copies the entries without the holes into a split with room for half as many again, and one at least. Nobody sees that one yet,
// and an atomic store costs ten times a plain one: in a big leaf this is the longest step of subscribing.
func (s *split) rebuild() *split {
	r := newSplit(int(s.live + s.live/2 + 1))
	list := unsafe.Slice((*Entry)(unsafe.Pointer(&r.list[0])), len(r.list))
	for i := range s.list[:s.n.Load()] {
		if e := Entry(s.list[i].Load()); e != 0 {
			list[r.live] = e
			r.note(e.Slot(), r.live)
			r.live++
		}
	}
	r.n.Store(r.live)
	return r
}
