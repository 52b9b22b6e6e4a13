package session

import (
	"slices"

	"vernemq/broker/mqtt"
	"vernemq/broker/queue"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Restored gathers what the store holds for one session while it is loaded; Done puts it in place.
type Restored struct {
	s       *Session
	flights []restoredFlight
}

type restoredFlight struct {
	f  flight
	id uint16
}

// Restore begins to restore what waits for s.
func Restore(s *Session) *Restored { return &Restored{s: s} }

// Delivery adds one delivery, in the order of the messages' age. Its message, of about size
// bytes, is read back when it is needed. g is the shared group it came through, or nil.
func (r *Restored) Delivery(ref store.MessageRef, size int, d store.Recipient, state store.AckKind, lifo bool, g *trie.Group) {
	var group uint16
	if g != nil {
		group = r.s.numberOf(g)
	}
	flags := byte(itemRestored)
	if mqtt.SubOptions(d.Opts).RetainAsPublished() { // retain as published; known looks at the message
		flags |= itemRetain
	}
	qos := d.Opts & 3
	if state == store.Waits || d.PacketID == 0 {
		if r.s.q == nil {
			r.s.q = &queue.Queue{LIFO: lifo}
		}
		r.s.q.Push(queue.Item{Ref: uint64(ref), QoS: qos, Flags: flags, Size: uint32(size), Group: group}, -1)
		return
	}
	f := flight{ref: uint64(ref), qos: qos, flags: flags, state: flightSent, group: group}
	if state == store.Received {
		f.state = flightReleased
	}
	r.flights = append(r.flights, restoredFlight{f, d.PacketID})
}

// Inbound adds the identifier of an incoming QoS 2 exchange.
func (r *Restored) Inbound(id uint16) {
	if r.s.in == nil {
		r.s.in = &idSet{}
	}
	if !r.s.in.has(id) {
		r.s.in.add(id)
	}
}

// Done builds the window of outgoing exchanges. Identifiers were given out in a row and wrap around: the row begins after the widest gap.
func (r *Restored) Done() {
	r.s.resendAt = -1
	if len(r.flights) == 0 {
		return
	}
	slices.SortFunc(r.flights, func(a, b restoredFlight) int { return int(a.id) - int(b.id) })
	start, widest := 0, 0
	for i := range r.flights {
		prev := r.flights[(i+len(r.flights)-1)%len(r.flights)].id
		if gap := (int(r.flights[i].id) - int(prev) + maxID) % maxID; gap > widest || gap == 0 {
			start, widest = i, gap
		}
	}
	r.s.win = &window{first: r.flights[start].id}
	for i := range r.flights {
		x := r.flights[(start+i)%len(r.flights)]
		r.s.win.place(x.id, x.f)
	}
}

// place opens an exchange under an identifier at or after the end of the span; identifiers between are holes.
func (w *window) place(id uint16, f flight) {
	for w.n > 0 && idAfter(w.first, w.n) != id && w.n < maxID {
		w.add(flight{})
		w.open--
	}
	w.add(f)
}
