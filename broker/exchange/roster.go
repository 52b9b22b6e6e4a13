package exchange

import (
	"hash/maphash"

	"vernemq/broker/msg"
	"vernemq/broker/session"
)

// roster finds the session of a subscriber by what it calls itself. It holds slots, not names: 8 bytes a place, of which a third is free, where a
// Go map with these keys takes 100. Each of its parts grows and shrinks by itself, so that no single call has to move many.
type roster struct {
	seed  maphash.Seed
	parts [128]rosterPart
	n     int
}

// rosterPart is an open table with linear probing. Its length is a power of two, or 0.
type rosterPart struct {
	places []uint64 // 0: free; else the mark of the name in the upper half, the slot and 1 in the lower
	n      int
}

const rosterLeast = 8 // places of a part that is not empty

// mark is the part that a name belongs to and what stands for the name there.
func (r *roster) mark(id msg.SubscriberID) (*rosterPart, uint32) {
	h := maphash.String(r.seed, id.ClientID)
	if id.Mountpoint != "" {
		h = h*31 ^ maphash.String(r.seed, id.Mountpoint)
	}
	return &r.parts[h%uint64(len(r.parts))], uint32(h >> 32)
}

// find is the session of a subscriber among those in slots, or nil.
func (r *roster) find(id msg.SubscriberID, slots []*session.Session) *session.Session {
	p, mark := r.mark(id)
	if i := p.find(mark, func(slot uint32) bool { return slots[slot].ID == id }); i >= 0 {
		return slots[uint32(p.places[i])-1]
	}
	return nil
}

// add puts in the slot of a subscriber who is not in yet.
func (r *roster) add(id msg.SubscriberID, slot uint32) {
	p, mark := r.mark(id)
	if p.n*4 >= len(p.places)*3 {
		p.resize(max(rosterLeast, 2*len(p.places)))
	}
	p.put(uint64(mark)<<32 | uint64(slot+1))
	p.n++
	r.n++
}

// remove takes the slot of a subscriber out and reports whether it was in.
func (r *roster) remove(id msg.SubscriberID, slot uint32) bool {
	p, mark := r.mark(id)
	i := p.find(mark, func(other uint32) bool { return other == slot })
	if i < 0 {
		return false
	}
	p.clear(uint32(i))
	p.n--
	r.n--
	if len(p.places) > rosterLeast && p.n*8 < len(p.places) {
		p.resize(len(p.places) / 2)
	}
	return true
}

// find is the place with the mark whose slot is the one, or -1.
func (p *rosterPart) find(mark uint32, is func(slot uint32) bool) int {
	if len(p.places) == 0 {
		return -1
	}
	mask := uint32(len(p.places) - 1)
	for i := mark & mask; p.places[i] != 0; i = (i + 1) & mask {
		if uint32(p.places[i]>>32) == mark && is(uint32(p.places[i])-1) {
			return int(i)
		}
	}
	return -1
}

func (p *rosterPart) put(place uint64) {
	mask := uint32(len(p.places) - 1)
	i := uint32(place>>32) & mask
	for p.places[i] != 0 {
		i = (i + 1) & mask
	}
	p.places[i] = place
}

// clear frees a place, and moves up into it what had to make way for it.
func (p *rosterPart) clear(hole uint32) {
	mask := uint32(len(p.places) - 1)
	for i := (hole + 1) & mask; p.places[i] != 0; i = (i + 1) & mask {
		home := uint32(p.places[i]>>32) & mask
		if (i-home)&mask >= (i-hole)&mask { // it may stand as far up as the hole
			p.places[hole], hole = p.places[i], i
		}
	}
	p.places[hole] = 0
}

func (p *rosterPart) resize(n int) {
	old := p.places
	p.places = make([]uint64, n)
	for _, place := range old {
		if place != 0 {
			p.put(place)
		}
	}
}
