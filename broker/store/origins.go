package store

import "math/bits"

// origins finds messages by the sequence number that they were first written under, while the log is read back. It is a hash table of entries
// of messages, whose origins stand there: 6 to 12 bytes for each, where a map takes three times that just when memory is needed most.
type origins struct {
	slots []uint32 // 0: none. The length is a power of two; a quarter at least is none
	n     int
}

// home is where an origin is looked for first.
func (o *origins) home(origin uint64) int {
	return int(origin * 0x9e3779b97f4a7c15 >> (64 - bits.TrailingZeros(uint(len(o.slots)))))
}

// find returns the slot that has an origin, or the free one where it would be put.
func (o *origins) find(ms *pages[message], origin uint64) int {
	at := o.home(origin)
	for i := o.slots[at]; i != 0 && ms.at(i).origin != origin; i = o.slots[at] {
		at = (at + 1) & (len(o.slots) - 1)
	}
	return at
}

// get returns the message of an origin, 0 if there is none. A nil table has none.
func (o *origins) get(ms *pages[message], origin uint64) uint32 {
	if o == nil || o.n == 0 {
		return 0
	}
	return o.slots[o.find(ms, origin)]
}

// put adds message i, in the place of one of the same origin.
func (o *origins) put(ms *pages[message], i uint32) {
	if o.n >= len(o.slots)/4*3 {
		old := o.slots
		o.slots = make([]uint32, max(64, 2*len(old)))
		for _, m := range old {
			if m != 0 {
				o.slots[o.find(ms, ms.at(m).origin)] = m
			}
		}
	}
	at := o.find(ms, ms.at(i).origin)
	if o.slots[at] == 0 {
		o.n++
	}
	o.slots[at] = i
}

// forget takes the message of an origin out, if there is one. Those that stand behind it because of it move up.
func (o *origins) forget(ms *pages[message], origin uint64) {
	if o == nil || o.n == 0 {
		return
	}
	mask := len(o.slots) - 1
	hole := o.find(ms, origin)
	if o.slots[hole] == 0 {
		return
	}
	o.n--
	for at := (hole + 1) & mask; o.slots[at] != 0; at = (at + 1) & mask {
		if home := o.home(ms.at(o.slots[at]).origin); (at-home)&mask >= (at-hole)&mask {
			o.slots[hole], hole = o.slots[at], at
		}
	}
	o.slots[hole] = 0
}
