package exchange

import (
	"math/bits"
	"sync/atomic"

	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/trie"
)

// With queue_full_action = refuse a publisher has to see whether the queues of all receivers have room, whatever their shard: each shard keeps
// a bit for every slot.

// marks is a set of slots that its shard writes and all shards read.
type marks struct {
	bits  words // 64 slots each
	count atomic.Int64
}

func (b *marks) has(slot uint32) bool {
	return b.count.Load() != 0 && b.bits.get(slot/64)>>(slot%64)&1 != 0
}

// set belongs to the shard's loop; the slot's mark must change by it.
func (b *marks) set(slot uint32, on bool) {
	w := b.bits.at(slot / 64)
	if on {
		w.Or(1 << (slot % 64))
		b.count.Add(1)
	} else {
		w.And(^(uint64(1) << (slot % 64)))
		b.count.Add(-1)
	}
}

// mark tells publishers whether the queue of a session is full, if that has changed. Of a client with several connections it is if one of them has
// no room.
func (h *Home) mark(s *session.Session) {
	full := h.refuses && !s.Gone && s.Full(&h.T)
	if x := s.Several; x != nil && h.refuses {
		s, full = x.Main, x.Main.Online() && x.Main.Full(&h.T)
		for _, o := range x.Others {
			full = full || o.Full(&h.T)
		}
	}
	if full != s.Marked {
		s.Marked = full
		h.x.full[h.shard].set(s.Slot, full)
	}
}

// markStep is how many sessions are looked at in one turn after a change of the options.
const markStep = 4096

// markAll takes one step through the sessions to see which queues are full as the options are now.
func (h *Home) markAll() {
	for n := 0; h.marking > 0 && n < markStep; n++ {
		h.marking--
		if s := h.slots[h.marking]; s != nil && !s.Gone {
			h.mark(s)
		}
	}
}

// full reports whether a receiver of m that keeps it has no room.
func (h *Home) full(m *msg.Message, leaves []*trie.Leaf) bool {
	some := false
	for i := range h.x.full {
		some = some || h.x.full[i].count.Load() > 0
	}
	if !some {
		return false
	}
	is := func(shard int, e trie.Entry) bool {
		return e != 0 && h.x.full[shard].has(e.Slot()) && h.deliveryQoS(m, e) > 0 && !isOwn(m, shard, e)
	}
	for _, l := range leaves {
		if shard, e, ok := l.Single(); ok {
			if is(shard, e) {
				return true
			}
			continue
		}
		for mask := l.Shards(); mask != 0; mask &= mask - 1 {
			shard := bits.TrailingZeros64(mask)
			v := l.View(shard)
			for i := range v.Len() {
				if is(shard, v.At(i)) {
					return true
				}
			}
		}
	}
	for i := range h.chosen {
		c := &h.chosen[i]
		if c.own != nil && h.x.full[c.own.Shard].has(c.own.Slot) || c.own == nil && is(int(c.member.Shard), c.member.Entry) {
			return true
		}
	}
	return false
}
