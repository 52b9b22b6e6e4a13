package session

import (
	"vernemq/broker/mqtt"
	"vernemq/broker/store"
)

// Waits is the first-in-first-out list of what waits for the store on one shard: acknowledgements that are promises, and transmissions that
// must not happen before a commit. Tickets complete in order, so it is a list and not a set.
type Waits struct {
	list []wait
	head int
	done store.Ticket
}

type waitKind uint8

const (
	waitFrame   waitKind = iota // send frame
	waitPublish                 // incoming publish: answer it, see Session.answerPublish
	waitPubcomp
	waitConnack
	waitFlight // outgoing QoS 2: send the PUBLISH, or the PUBREL
)

type wait struct {
	ticket store.Ticket
	s      *Session
	frame  []byte // of waitPublish: the reason string
	epoch  uint32
	id     uint16
	kind   waitKind
	qos    byte
	code   mqtt.Code
}

// Len returns how much waits.
func (w *Waits) Len() int { return len(w.list) - w.head }

// need reports whether a ticket is still to be waited for.
func (w *Waits) need(t store.Ticket) bool { return t > w.done }

func (w *Waits) add(x wait) {
	if w.head > 1024 && w.head*2 > len(w.list) {
		n := copy(w.list, w.list[w.head:])
		clear(w.list[n:])
		w.list, w.head = w.list[:n], 0
	}
	w.list = append(w.list, x)
}

// Committed does what waited for tickets up to and including upTo. It belongs to the shard's loop.
func (t *Turn) Committed(upTo store.Ticket) {
	w := &t.Waits
	w.done = max(w.done, upTo)
	for w.head < len(w.list) && w.list[w.head].ticket <= w.done {
		x := w.list[w.head]
		w.list[w.head] = wait{}
		w.head++
		if x.s.Epoch != x.epoch || x.s.Out == nil {
			continue // the connection it was meant for is gone; the client will ask again
		}
		switch x.kind {
		case waitFrame:
			x.s.Send(t, x.frame)
		case waitConnack:
			x.s.Out.Held = false
			x.s.Send(t, x.frame)
			t.Sink.Ready(x.s.Out)
		case waitPublish:
			x.s.pending--
			x.s.answerPublish(t, x.qos, x.id, x.code, x.frame)
		case waitPubcomp:
			x.s.sendAck(t, mqtt.TypePubcomp, x.id, x.code)
		case waitFlight:
			x.s.commitFlight(t, x.id)
		}
	}
	if w.head == len(w.list) {
		w.list, w.head = w.list[:0], 0
	}
}

// SendAfter sends frame once ticket is durable: at once if it is.
func (s *Session) SendAfter(t *Turn, ticket store.Ticket, frame []byte) {
	if !t.Waits.need(ticket) {
		s.Send(t, frame)
		return
	}
	t.Waits.add(wait{ticket: ticket, s: s, epoch: s.Epoch, kind: waitFrame, frame: frame})
}

// Send appends a whole frame to the connection's output.
func (s *Session) Send(t *Turn, frame []byte) {
	t.Sink.Touch(s.Out)
	s.Out.Buf = append(s.Out.Buf, frame...)
}
