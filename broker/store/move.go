package store

import (
	"encoding/binary"
	"math"
)

// PutMove implements Store.
func (s *Durable) PutMove(a Ack, to Recipient) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.x.message(a.Message)
	if i == 0 {
		return s.ticket()
	}
	origin := s.x.messages.at(i).origin
	if s.x.sessions[to.Session] == nil { // whoever was to have it is gone
		if a.Kind = Done; s.x.ack(a, i) {
			s.put(typeAck, func(b []byte) []byte { return appendAck(b, a, origin) })
		}
		return s.ticket()
	}
	if s.x.move(a, i, to) {
		s.put(typeMove, func(b []byte) []byte { return appendMove(b, a, origin, to) })
	}
	return s.ticket()
}

// move gives a delivery of message i to another session and reports whether there was one. An elder copy of the message in the log tells the
// delivery as it was; a later one, written by compaction, as it is: the record is needed no longer than the message's own.
func (x *index) move(a Ack, i uint32, to Recipient) bool {
	s, t := x.sessions[a.Session], x.sessions[to.Session]
	if s == nil || t == nil || i == 0 {
		return false
	}
	n := x.find(s, i, a)
	if n == 0 {
		return false
	}
	to.PacketID = 0
	after := t.tail
	if near := x.find(t, i, Ack{QoS: to.Opts & 3}); near != 0 {
		after = near // those of one message stay together: see find
	}
	x.wait(i, t, &delivered{to, Waits}, after) // first, or the message would be gone with its last delivery
	x.unwait(n)
	return true
}

func appendMove(b []byte, a Ack, origin uint64, to Recipient) []byte {
	b = appendAck(b, a, origin)
	b = binary.AppendUvarint(b, uint64(to.Session))
	b = append(b, to.Opts)
	return binary.AppendUvarint(b, uint64(to.SubID))
}

func (d *decoder) move() (a Ack, origin uint64, to Recipient) {
	a, origin = d.ack()
	to.Session, to.Opts, to.SubID = SessionKey(d.uint()), d.byte(), uint32(d.max(math.MaxUint32))
	return a, origin, to
}

// PutMove implements Store.
func (s *Memory) PutMove(a Ack, to Recipient) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, dst := s.sessions[a.Session], s.sessions[to.Session]
	switch {
	case from == nil || !from.take(a):
	case dst == nil: // whoever was to have it is gone
		s.unwait(a.Message)
	default:
		to.PacketID = 0
		dst.waiting[a.Message] = append(dst.waiting[a.Message], to.begin())
	}
	return s.ticket()
}
