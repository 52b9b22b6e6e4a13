package session

import (
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
)

// Messages that wait long are in the store only: an item holds a reference, and its message is read back in batches when its turn comes.
const (
	warm      = 128 // items of a connected session's queue that keep their message
	readBatch = 64
)

// cold reports whether a delivery that has to be queued need not hold its message: the store has it and it will not be sent soon.
func (s *Session) cold(ref uint64) bool {
	return ref != 0 && s.Key != 0 && (s.Out == nil || s.q != nil && s.q.Len() >= warm)
}

// readQueue asks for the messages of the next items. Pump is called again when they are there.
func (s *Session) readQueue(t *Turn) {
	if s.reading {
		return
	}
	var refs []store.MessageRef
	s.q.Next(func(it *queue.Item) bool {
		if it.Msg == nil && it.Flags&itemGone == 0 {
			refs = append(refs, store.MessageRef(it.Ref))
		}
		return len(refs) < readBatch
	})
	s.read(t, refs, func(byRef map[uint64]*msg.Message) {
		if s.q == nil {
			return
		}
		left := 2 * readBatch // new items may have come in front of a last-in-first-out queue
		s.q.Next(func(it *queue.Item) bool {
			if m, asked := byRef[it.Ref]; asked && it.Msg == nil {
				if it.Msg = m; m == nil {
					it.Flags |= itemGone
				}
			}
			left--
			return left > 0
		})
	})
}

// readFlights asks for the messages of exchanges that have to be sent again. An exchange whose message the store no longer has is over.
func (s *Session) readFlights(t *Turn) {
	if s.reading {
		return
	}
	var refs []store.MessageRef
	for i := int(s.resendAt); i < s.win.n && len(refs) < readBatch; i++ {
		if x, _ := s.win.at(i); x.state == flightSent && x.m == nil {
			refs = append(refs, store.MessageRef(x.ref))
		}
	}
	s.read(t, refs, func(byRef map[uint64]*msg.Message) {
		for x, id := range s.win.all() {
			m, asked := byRef[x.ref]
			switch {
			case !asked || x.state != flightSent || x.m != nil:
			case m == nil:
				s.drop(t, x.item(), id, "lost")
				s.end(x)
			default:
				x.m = m
				x.flags, x.subID = s.known(m, x.flags, x.subID)
				if t.Hooks.Delivers() {
					x.m = s.rewrite(t, m, x.qos, x.flags)
				}
			}
		}
	})
}

// known completes a restored delivery with what its message tells: the identifier of its subscription, and whether it was published with the
// RETAIN flag.
func (s *Session) known(m *msg.Message, flags byte, subID uint32) (byte, uint32) {
	if flags&itemAsk != 0 {
		flags &^= itemAsk
		if m.Retain {
			flags |= itemRetain
		}
	}
	if flags&itemRestored == 0 {
		return flags, subID
	}
	if !m.Retain {
		flags &^= itemRetain
	}
	return flags &^ itemRestored, s.Subs.matching(m.Topic)
}

// read asks the store and goes on pumping when the answer is there, whatever connection the session has by then.
func (s *Session) read(t *Turn, refs []store.MessageRef, fill func(byRef map[uint64]*msg.Message)) {
	s.reading = true
	t.Read(refs, func(ms []*msg.Message) {
		s.reading = false
		if s.Gone {
			return
		}
		byRef := make(map[uint64]*msg.Message, len(ms))
		for i, m := range ms {
			byRef[uint64(refs[i])] = m
		}
		fill(byRef)
		if s.Out != nil {
			t.Sink.Pump(s)
		}
	})
}

// cool lets go of messages that were read back and not sent: the client is away again.
func (s *Session) cool() {
	left := 2 * readBatch
	s.q.Next(func(it *queue.Item) bool {
		if it.Ref != 0 && it.QoS > 0 {
			it.Msg = nil
		}
		left--
		return left > 0
	})
}
