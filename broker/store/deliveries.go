package store

import "vernemq/broker/store/wallog"

// addMessage puts a message in, with those of its deliveries whose session exists. It returns 0 if there is none.
func (x *index) addMessage(origin uint64, place wallog.Place, to []delivered) uint32 {
	i := uint32(0)
	for j := range to {
		s := x.sessions[to[j].Session]
		if s == nil {
			continue
		}
		if i == 0 {
			i = x.messages.alloc()
			m := x.messages.at(i)
			m.origin, m.place = origin, place
			m.gen = max(m.gen, 1)
			x.live += int64(place.Size)
			x.lies(0, place.Segment)
		}
		x.wait(i, s, &to[j], s.tail)
	}
	return i
}

// wait adds one delivery at the end of message i's, and to session s's after one of them (0: as the first).
func (x *index) wait(i uint32, s *stored, r *delivered, after uint32) {
	n := x.waiting.alloc()
	d := x.waiting.at(n)
	*d = delivery{session: s.slot, message: i, subID: r.SubID, packetID: r.PacketID, opts: r.Opts, ackState: byte(r.state), mnext: n, mprev: n, sprev: after}
	if m := x.messages.at(i); m.head == 0 {
		m.head = n
	} else {
		first := x.waiting.at(m.head)
		d.mnext, d.mprev = m.head, first.mprev
		x.waiting.at(first.mprev).mnext = n
		first.mprev = n
	}
	next := &s.head
	if after != 0 {
		next = &x.waiting.at(after).snext
	}
	if d.snext, *next = *next, n; d.snext == 0 {
		s.tail = n
	} else {
		x.waiting.at(d.snext).sprev = n
	}
	s.count++
}

// unwait takes a delivery away, and its message with the last one.
func (x *index) unwait(n uint32) {
	d := x.waiting.at(n)
	s, m := *x.slots.at(d.session), x.messages.at(d.message)
	if d.sprev == 0 {
		s.head = d.snext
	} else {
		x.waiting.at(d.sprev).snext = d.snext
	}
	if d.snext == 0 {
		s.tail = d.sprev
	} else {
		x.waiting.at(d.snext).sprev = d.sprev
	}
	s.count--
	if d.mnext == n {
		x.dropMessage(d.message)
	} else {
		x.waiting.at(d.mprev).mnext = d.mnext
		x.waiting.at(d.mnext).mprev = d.mprev
		if m.head == n {
			m.head = d.mnext
		}
	}
	*d = delivery{}
	x.waiting.release(n)
}

func (x *index) dropMessage(i uint32) {
	m := x.messages.at(i)
	x.byOrigin.forget(&x.messages, m.origin)
	x.live -= int64(m.place.Size)
	x.lies(m.place.Segment, 0)
	*m = message{gen: m.gen + 1}
	x.messages.release(i)
}

// place says where a message lies now.
func (x *index) place(i uint32, p wallog.Place) {
	m := x.messages.at(i)
	x.live += int64(p.Size) - int64(m.place.Size)
	x.lies(m.place.Segment, p.Segment)
	m.place = p
}

// ref names a message. It holds until the message is gone: entries are used again under another generation.
func (x *index) ref(i uint32) MessageRef {
	return MessageRef(uint64(x.messages.at(i).gen)<<32 | uint64(i))
}

// message returns the entry of a reference, 0 if it is gone.
func (x *index) message(ref MessageRef) uint32 {
	i := uint32(ref)
	if !x.messages.has(i) {
		return 0
	}
	if m := x.messages.at(i); m.gen != uint32(ref>>32) || m.head == 0 {
		return 0
	}
	return i
}

// ack takes one step of the delivery of message i to a session that an Ack is about, and reports whether there was one.
func (x *index) ack(a Ack, i uint32) bool {
	s := x.sessions[a.Session]
	if s == nil || i == 0 {
		return false
	}
	n := x.find(s, i, a)
	if n == 0 {
		return false
	}
	if a.Kind == Done {
		x.unwait(n)
		return true
	}
	d := x.waiting.at(n)
	d.ackState, d.packetID = byte(a.Kind), a.PacketID
	if a.Kind == Sent && a.QoS != 0 {
		d.opts = d.opts&^3 | a.QoS&3 // what was asked for may have changed since the record
	}
	return true
}

// find returns the delivery of message i to s that an Ack is about: see fits. It walks the deliveries of both
// at once: in one of the two it is near, for acknowledgements come about in order and few messages have many receivers that wait long.
func (x *index) find(s *stored, i uint32, about Ack) uint32 {
	head := x.messages.at(i).head
	a, b := s.head, head
	for {
		if a == 0 {
			return 0
		}
		if x.waiting.at(a).message == i {
			break
		}
		if x.waiting.at(b).session == s.slot {
			a = b
			break
		}
		a = x.waiting.at(a).snext
		if b = x.waiting.at(b).mnext; b == head {
			return 0
		}
	}
	// Those of one message to one session are neighbours in the session's list.
	for p := x.waiting.at(a).sprev; p != 0 && x.waiting.at(p).message == i; p = x.waiting.at(p).sprev {
		a = p
	}
	best, rank := a, -1
	for ; a != 0 && x.waiting.at(a).message == i; a = x.waiting.at(a).snext {
		d := x.waiting.at(a)
		if r := fits(d.packetID, d.opts, about); r > rank {
			best, rank = a, r
		}
	}
	return best
}

// fits is how well an Ack fits a delivery of its message to its session: the one with its packet identifier, else one that has none, of its QoS if
// there is one. Of those that fit alike it is about the first.
func fits(id uint16, opts byte, about Ack) (rank int) {
	switch {
	case id == about.PacketID && id != 0:
		return 4
	case id == 0:
		rank = 2
	}
	if opts&3 == about.QoS {
		rank++
	}
	return rank
}

// recipients appends the deliveries of message i that still wait.
func (x *index) recipients(dst []delivered, i uint32) []delivered {
	head := x.messages.at(i).head
	for n := head; n != 0; {
		d := x.waiting.at(n)
		if s := *x.slots.at(d.session); !s.dead {
			r := Recipient{Session: s.rec.Key, Opts: d.opts, SubID: d.subID, PacketID: d.packetID}
			dst = append(dst, delivered{r, AckKind(d.ackState)})
		}
		if n = d.mnext; n == head {
			break
		}
	}
	return dst
}
