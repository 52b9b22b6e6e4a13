package store

import (
	"cmp"
	"encoding/binary"

	"vernemq/broker/msg"
	"vernemq/broker/store/wallog"
)

// goneRef names a message that was never stored because nobody waits for it.
const goneRef = MessageRef(1) << 63

// gatherBytes is how much of what can wait gathers before it is written, if Config.GatherFor is not over before: after a crash clients see no more
// than that again.
const gatherBytes = 64 << 10

// put adds a record to the batch, which is written at once, and returns its sequence number, 0 if nothing is written any more. The lock is held.
func (s *Durable) put(typ byte, payload func([]byte) []byte) uint64 {
	at := s.add(typ, payload)
	if at != 0 {
		s.urge()
	}
	return at
}

// putLater is put for a record whose loss in a crash is no loss: a write of its own would cost the disk more than it is worth. The lock is held.
func (s *Durable) putLater(typ byte, payload func([]byte) []byte) {
	switch {
	case s.add(typ, payload) == 0 || s.pending.urgent:
	case s.pending.Bytes() >= gatherBytes:
		s.urge()
	case s.pending.Len() == 1:
		s.unhurried.Reset(s.cfg.GatherFor)
	}
}

// urge has the batch written that is being filled. The lock is held.
func (s *Durable) urge() {
	if !s.pending.urgent {
		s.pending.urgent = true
		s.kick()
	}
}

func (s *Durable) urgeNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending.Len() > 0 {
		s.urge()
	}
}

// add adds a record to the batch, as put does.
func (s *Durable) add(typ byte, payload func([]byte) []byte) uint64 {
	if s.dead != nil || s.closed {
		return 0
	}
	if int64(s.pending.Bytes()) > 2*s.cfg.MaxPending {
		s.lose()
		return 0
	}
	s.pending.End(payload(s.pending.Add(typ)))
	s.seq++
	return s.seq
}

func (s *Durable) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// ticket is that of the last record that was put; what was put for later has none of its own. With DurableNone nobody has to wait, unless much waits
// for the disk. The lock is held.
func (s *Durable) ticket() Ticket {
	switch {
	case s.cfg.Durability == DurableNone && s.dead == nil:
		if int64(s.pending.Bytes()) < min(s.cfg.MaxPending/64, int64(s.cfg.SegmentBytes)/4) && !s.hurried() {
			return 0
		}
		s.awaited = s.next
		s.urge()
		return s.next
	case s.dead == nil && !s.pending.urgent:
		return s.next - 1
	}
	return s.next
}

// PutSession implements Store.
func (s *Durable) PutSession(rec *Session) (SessionKey, Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := *rec
	if r.Key == 0 {
		r.Key = s.x.lastKey + 1
	}
	if r.Disconnected != 0 && !s.cfg.ClockSet() {
		r.Disconnected = UnknownTime
	}
	at := s.put(typeSession, func(b []byte) []byte { return appendSession(b, &r) })
	s.x.putSession(&r, at)
	return r.Key, s.ticket()
}

// PutSubscription implements Store.
func (s *Durable) PutSubscription(k SessionKey, sub Subscription) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x.sessions[k] != nil {
		at := s.put(typeSubscription, func(b []byte) []byte { return appendSubscription(b, k, sub) })
		s.x.putSub(k, sub, at)
	}
	return s.ticket()
}

// DeleteSubscription implements Store.
func (s *Durable) DeleteSubscription(k SessionKey, filter string) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.x.sessions[k]; x != nil && x.findSub(filter) >= 0 {
		s.put(typeUnsubscription, func(b []byte) []byte { return appendString(binary.AppendUvarint(b, uint64(k)), filter) })
		s.x.deleteSub(k, filter)
	}
	return s.ticket()
}

// DeleteSession implements Store.
func (s *Durable) DeleteSession(k SessionKey) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x.sessions[k] != nil {
		s.put(typeSessionEnd, func(b []byte) []byte { return binary.AppendUvarint(b, uint64(k)) })
		s.x.endSession(k)
		if len(s.x.dying) > 0 {
			s.kickTidy()
		}
	}
	return s.ticket()
}

// PutMessage implements Store. A reference of 0 says that the message was refused: see Health.
func (s *Durable) PutMessage(m *msg.Message, in Inbound, recipients []Recipient) (MessageRef, Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses() != nil {
		s.stats.Refused++
		return 0, s.ticket()
	}
	e := envelope{flags: messageFlags(m), to: make([]delivered, 0, len(recipients))}
	for _, r := range recipients {
		if s.x.sessions[r.Session] != nil {
			e.to = append(e.to, r.begin())
		}
	}
	known := s.x.sessions[in.Session] != nil
	if len(e.to) == 0 {
		if known {
			at := s.put(typeInbound, func(b []byte) []byte { return appendInbound(b, in) })
			s.x.putInbound(in, at)
		}
		return goneRef, s.ticket()
	}
	if known {
		e.flags |= flagInbound
		e.inbound = in
	}
	e.stamp = s.clock.stamp(s.cfg.Wall())
	at := s.put(typeMessage, func(b []byte) []byte {
		return appendContent(s.appendDeadline(appendEnvelope(b, &e), m.Deadline), m)
	})
	if at == 0 {
		return 0, s.ticket()
	}
	if known {
		s.x.putInbound(in, at)
	}
	i := s.x.addMessage(at, wallog.Place{}, e.to)
	s.pending.placed = append(s.pending.placed, placing{record: s.pending.Len() - 1, message: i, gen: s.x.messages.at(i).gen})
	s.stats.Messages++
	s.stats.MessageBytes += int64(len(m.Topic) + len(m.Props) + len(m.Payload))
	return s.x.ref(i), s.ticket()
}

// appendDeadline keeps a deadline; 0 is never, of which the flags tell already. A wall clock that cannot be trusted is not noted: once it is set it
// would make the message decades old.
func (s *Durable) appendDeadline(b []byte, deadline int64) []byte {
	if deadline == 0 {
		return b
	}
	l := lifetime{deadline: deadline, left: deadline - s.cfg.Now(), run: s.run}
	if s.cfg.ClockSet() {
		l.wall = s.cfg.Wall()
	}
	return appendLifetime(b, l)
}

// deadline is when what was read back expires, in the time of this run; 0 is never. By the wall clock it ages only if that can be trusted, now and
// when the record was written, and only forwards.
func (s *Durable) deadline(c *body) int64 {
	if c.flags&flagDeadline == 0 {
		return 0
	}
	l := c.lifetime
	if l.run == s.run {
		return cmp.Or(l.deadline, 1)
	}
	left := l.left
	if l.wall != 0 && s.cfg.ClockSet() {
		left -= max(s.cfg.Wall()-l.wall, 0) * 1e6
	}
	return cmp.Or(s.cfg.Now()+left, 1)
}

// PutAck implements Store.
func (s *Durable) PutAck(a Ack) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Kind == Released {
		x := s.x.sessions[a.Session]
		if x != nil {
			if _, ok := x.inbound[a.PacketID]; ok {
				s.put(typeAck, func(b []byte) []byte { return appendAck(b, a, 0) })
				s.x.release(a.Session, a.PacketID)
			}
		}
		return s.ticket()
	}
	i := s.x.message(a.Message)
	if i == 0 {
		return s.ticket()
	}
	origin := s.x.messages.at(i).origin
	if !s.x.ack(a, i) {
		return s.ticket()
	}
	record := func(b []byte) []byte { return appendAck(b, a, origin) }
	if a.Kind != Done {
		s.put(typeAck, record)
		return s.ticket()
	}
	s.putLater(typeAck, record)
	if s.cfg.Durability == DurableNone || s.dead != nil {
		return s.ticket()
	}
	return s.next // nobody of the broker waits for it; who does waits until it is written
}

// PutRetained implements Store.
func (s *Durable) PutRetained(mountpoint string, m *msg.Message) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.x.name(mountpoint, m.Topic)
	if len(m.Payload) == 0 {
		if _, ok := s.x.retained[k]; ok {
			s.put(typeUnretained, func(b []byte) []byte { return appendString(appendString(b, mountpoint), m.Topic) })
			s.x.deleteRetained(k)
		}
		return s.ticket()
	}
	stamp := s.clock.stamp(s.cfg.Wall())
	at := s.put(typeRetained, func(b []byte) []byte {
		b = appendStamp(append(b, messageFlags(m)|flagRetain), stamp)
		b = appendString(appendString(b, mountpoint), m.Topic)
		b = s.appendDeadline(b, m.Deadline)
		return appendString(appendString(b, m.Props), m.Payload)
	})
	if at != 0 {
		s.x.putRetained(k, at, wallog.Place{})
		s.pending.placed = append(s.pending.placed, placing{record: s.pending.Len() - 1, name: k})
		s.stats.MessageBytes += int64(len(m.Topic) + len(m.Props) + len(m.Payload))
	}
	return s.ticket()
}
