package session

import (
	"iter"
	"slices"

	"vernemq/broker/msg"
	"vernemq/broker/queue"
)

// flight states.
const (
	flightFree      uint8 = iota // a hole: the exchange ended before its elders'
	flightCommit                 // QoS 2: waits until message and identifier are durable
	flightSent                   // PUBLISH went out
	flightRelCommit              // PUBREC came, PUBREL waits until that is durable
	flightReleased               // PUBREL went out
)

// flight is one outgoing QoS 1 or 2 exchange. Its packet identifier is its place in the window.
type flight struct {
	m     *msg.Message // nil: it is in the store only, or not needed any more
	ref   uint64       // store.MessageRef of its record, 0 none
	subID uint32
	sent  uint32 // seconds of monotonic time of the last transmission
	group uint16 // as in queue.Item
	since uint16 // likewise
	qos   byte
	flags byte // item flags, and flightCounted
	state uint8
}

// item is the delivery as it was before it left; its message's size is not counted.
func (f *flight) item() *queue.Item {
	return &queue.Item{Msg: f.m, Ref: f.ref, SubID: f.subID, Group: f.group, Since: f.since, QoS: f.qos, Flags: f.flags &^ (flightCounted | flightUnsent)}
}

// Flags of a flight, beside those of the item it was.
const (
	flightCounted = 0x80 // it was sent on this connection and counts against the receiver's window
	flightUnsent  = 0x40 // it has an identifier from an earlier connection, which ended before it was sent
)

// window is the ordered set of outgoing exchanges: a ring by packet identifier, so that finding one is an index whatever its size. Identifiers
// are given out in order, so one in use is never given again [MQTT-2.2.1-4 of 5.0].
type window struct {
	ring  []flight // length a power of two
	head  int
	n     int    // span from the eldest open exchange to the youngest
	open  int    // exchanges that are not holes
	first uint16 // packet identifier of the eldest; 0 before the first use
}

const maxID = 65535

func idAfter(id uint16, n int) uint16 { return uint16((int(id)-1+n)%maxID + 1) }

// full reports whether no identifier is left.
func (w *window) full() bool { return w.n >= maxID }

// add opens an exchange and returns its identifier.
func (w *window) add(f flight) uint16 {
	if w.first == 0 {
		w.first = 1
	}
	if w.n == len(w.ring) {
		ring := make([]flight, max(4, 2*len(w.ring)))
		for i := range w.n {
			ring[i] = w.ring[(w.head+i)&(len(w.ring)-1)]
		}
		w.ring, w.head = ring, 0
	}
	w.ring[(w.head+w.n)&(len(w.ring)-1)] = f
	id := idAfter(w.first, w.n)
	w.n++
	w.open++
	return id
}

// at returns the i-th exchange of the span, eldest first, and its identifier.
func (w *window) at(i int) (*flight, uint16) {
	return &w.ring[(w.head+i)&(len(w.ring)-1)], idAfter(w.first, i)
}

// all gives the open exchanges and their identifiers, eldest first; the one that is given may be removed. There are none in a nil window.
func (w *window) all() iter.Seq2[*flight, uint16] {
	return func(yield func(*flight, uint16) bool) {
		if w == nil {
			return
		}
		for i := 0; i < w.n; {
			n := w.n
			if f, id := w.at(i); f.state != flightFree && !yield(f, id) {
				return
			}
			if w.n == n { // else it was the eldest, and the next one is in its place
				i++
			}
		}
	}
}

// get returns the open exchange of an identifier, or nil. There are none in a nil window.
func (w *window) get(id uint16) *flight {
	if w == nil || w.n == 0 || id == 0 {
		return nil
	}
	i := (int(id) - int(w.first) + maxID) % maxID
	if i >= w.n {
		return nil
	}
	if f, _ := w.at(i); f.state != flightFree {
		return f
	}
	return nil
}

// remove ends an open exchange. It returns by how many places the span lost elders.
func (w *window) remove(f *flight) (shifted int) {
	*f = flight{}
	w.open--
	for w.n > 0 && w.ring[w.head].state == flightFree {
		w.head = (w.head + 1) & (len(w.ring) - 1)
		w.first = idAfter(w.first, 1)
		w.n--
		shifted++
	}
	if w.n == 0 && len(w.ring) > 32 {
		w.ring, w.head = nil, 0
	}
	return shifted
}

// idSet holds the identifiers of incoming QoS 2 exchanges. Small sets are a list, large ones a bitmap: never more than 8 KiB.
type idSet struct {
	list []uint16
	bits *[65536 / 64]uint64
	n    int
}

func (s *idSet) has(id uint16) bool {
	if s.bits != nil {
		return s.bits[id/64]&(1<<(id%64)) != 0
	}
	return slices.Contains(s.list, id)
}

// add puts id in; it must not be there.
func (s *idSet) add(id uint16) {
	s.n++
	if s.bits == nil && len(s.list) < 32 {
		s.list = append(s.list, id)
		return
	}
	if s.bits == nil {
		s.bits = new([65536 / 64]uint64)
		for _, x := range s.list {
			s.bits[x/64] |= 1 << (x % 64)
		}
		s.list = nil
	}
	s.bits[id/64] |= 1 << (id % 64)
}

// remove takes id out and reports whether it was there.
func (s *idSet) remove(id uint16) bool {
	if !s.has(id) {
		return false
	}
	s.n--
	if s.bits != nil {
		s.bits[id/64] &^= 1 << (id % 64)
		if s.n == 0 {
			s.bits = nil
		}
		return true
	}
	last := len(s.list) - 1
	s.list[slices.Index(s.list, id)] = s.list[last]
	s.list = s.list[:last]
	return true
}
