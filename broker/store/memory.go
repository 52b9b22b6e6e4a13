package store

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"vernemq/broker/msg"
)

// Memory is a Store that keeps everything in memory: the twin of the durable one, with the same records and the same promises for as long as
// the process lives. With Hold its writes become durable only when Release is called, which is how the waiting is tested.
type Memory struct {
	mu         sync.Mutex
	completers []Completer
	sessions   map[SessionKey]*memSession
	messages   map[MessageRef]*memMessage
	retained   map[retainedKey]*msg.Message
	apiKeys    map[keyID]APIKey
	lastKey    SessionKey
	lastRef    MessageRef

	full error
	hold bool
	last Ticket
	done Ticket
}

type memSession struct {
	rec     Session
	subs    map[string]Subscription
	waiting map[MessageRef][]delivered // several for overlapping subscriptions
	inbound map[uint16]struct{}
}

type memMessage struct {
	m    *msg.Message
	open int // deliveries it still waits for
}

type retainedKey struct{ mountpoint, topic string }

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{sessions: map[SessionKey]*memSession{}, messages: map[MessageRef]*memMessage{}, retained: map[retainedKey]*msg.Message{},
		apiKeys: map[keyID]APIKey{}}
}

// Hold makes the writes from now on wait for Release.
func (s *Memory) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = true
}

// Fill makes the store full until it is called with nil.
func (s *Memory) Fill(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = why
}

// Full implements Store.
func (s *Memory) Full() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// Release completes the tickets up to and including upTo, or all with 0.
func (s *Memory) Release(upTo Ticket) {
	s.mu.Lock()
	if upTo == 0 || upTo > s.last {
		upTo = s.last
	}
	s.done = max(s.done, upTo)
	cs := s.completers
	upTo = s.done
	s.mu.Unlock()
	for _, c := range cs {
		c.Durable(upTo, nil)
	}
}

// Held returns how many tickets wait for Release.
func (s *Memory) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.last - s.done)
}

// ticket is called with the lock held, once for each write.
func (s *Memory) ticket() Ticket {
	if !s.hold {
		return 0
	}
	s.last++
	return s.last
}

// Notify implements Store.
func (s *Memory) Notify(c Completer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.completers = append(s.completers, c)
	c.Durable(s.done, nil)
}

// PutSession implements Store.
func (s *Memory) PutSession(rec *Session) (SessionKey, Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := rec.Key
	if k == 0 {
		s.lastKey++
		k = s.lastKey
	}
	ms := s.sessions[k]
	if ms == nil {
		ms = &memSession{subs: map[string]Subscription{}, waiting: map[MessageRef][]delivered{}, inbound: map[uint16]struct{}{}}
		s.sessions[k] = ms
	}
	ms.rec = *rec
	ms.rec.Key, ms.rec.Subscriptions = k, nil
	return k, s.ticket()
}

// PutSubscription implements Store.
func (s *Memory) PutSubscription(k SessionKey, sub Subscription) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms := s.sessions[k]; ms != nil {
		ms.subs[sub.Filter] = sub
	}
	return s.ticket()
}

// DeleteSubscription implements Store.
func (s *Memory) DeleteSubscription(k SessionKey, filter string) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms := s.sessions[k]; ms != nil {
		delete(ms.subs, filter)
	}
	return s.ticket()
}

// DeleteSession implements Store.
func (s *Memory) DeleteSession(k SessionKey) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms := s.sessions[k]; ms != nil {
		for ref, ds := range ms.waiting {
			for range ds {
				s.unwait(ref)
			}
		}
		delete(s.sessions, k)
	}
	return s.ticket()
}

// unwait is called with the lock held when one delivery of a message is over.
func (s *Memory) unwait(ref MessageRef) {
	if m := s.messages[ref]; m != nil {
		if m.open--; m.open <= 0 {
			delete(s.messages, ref)
		}
	}
}

// PutMessage implements Store.
func (s *Memory) PutMessage(m *msg.Message, in Inbound, recipients []Recipient) (MessageRef, Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastRef++
	ref := s.lastRef
	mm := &memMessage{m: m}
	for _, r := range recipients {
		if ms := s.sessions[r.Session]; ms != nil {
			ms.waiting[ref] = append(ms.waiting[ref], r.begin())
			mm.open++
		}
	}
	if mm.open > 0 {
		s.messages[ref] = mm
	}
	if ms := s.sessions[in.Session]; ms != nil {
		ms.inbound[in.PacketID] = struct{}{}
	}
	return ref, s.ticket()
}

// PutAck implements Store.
func (s *Memory) PutAck(a Ack) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	ms := s.sessions[a.Session]
	if ms == nil {
		return s.ticket()
	}
	switch a.Kind {
	case Released:
		delete(ms.inbound, a.PacketID)
	case Done:
		if ms.take(a) {
			s.unwait(a.Message)
		}
	default:
		if ds := ms.waiting[a.Message]; len(ds) > 0 {
			d := &ds[find(ds, a)]
			d.state, d.PacketID = a.Kind, a.PacketID
			if a.Kind == Sent && a.QoS != 0 {
				d.Opts = d.Opts&^3 | a.QoS&3
			}
		}
	}
	return s.ticket()
}

// take removes the delivery that an Ack is about; false if the session has none of the message.
func (ms *memSession) take(a Ack) bool {
	ds := ms.waiting[a.Message]
	switch len(ds) {
	case 0:
		return false
	case 1:
		delete(ms.waiting, a.Message)
	default:
		i := find(ds, a)
		ms.waiting[a.Message] = slices.Delete(ds, i, i+1)
	}
	return true
}

// find returns the delivery that an Ack is about.
func find(ds []delivered, a Ack) int {
	best, rank := 0, -1
	for i := range ds {
		if r := fits(ds[i].PacketID, ds[i].Opts, a); r > rank {
			best, rank = i, r
		}
	}
	return best
}

// PutRetained implements Store.
func (s *Memory) PutRetained(mountpoint string, m *msg.Message) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := retainedKey{mountpoint, string(m.Topic)}
	if len(m.Payload) == 0 {
		delete(s.retained, k)
	} else {
		s.retained[k] = m.Own()
	}
	return s.ticket()
}

// ReadMessages implements Store.
func (s *Memory) ReadMessages(refs []MessageRef, done func([]*msg.Message)) {
	refs = slices.Clone(refs)
	go func() { done(s.Messages(refs)) }()
}

// Messages returns messages at once; nil for one that is gone.
func (s *Memory) Messages(refs []MessageRef) []*msg.Message {
	out := make([]*msg.Message, len(refs))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range refs {
		if m := s.messages[r]; m != nil {
			out[i] = m.m
		}
	}
	return out
}

// Load implements Store. The lock is held meanwhile: the loader must not call the store.
func (s *Memory) Load(f Loader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	type waiting struct {
		ref MessageRef
		delivered
	}
	var all []waiting
	for _, k := range slices.Sorted(maps.Keys(s.sessions)) {
		ms := s.sessions[k]
		rec := ms.rec
		rec.Subscriptions = slices.SortedFunc(maps.Values(ms.subs), byFilter)
		f.session(&rec)
		for id := range ms.inbound {
			f.inbound(Inbound{Session: k, PacketID: id})
		}
		for ref, ds := range ms.waiting {
			for _, d := range ds {
				all = append(all, waiting{ref, d})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b waiting) int { return cmp.Or(cmp.Compare(a.ref, b.ref), cmp.Compare(a.Session, b.Session)) })
	for _, x := range all {
		m := s.messages[x.ref].m
		switch {
		case f.Waiting != nil:
			f.Waiting(x.ref, m.Size(), x.Recipient, x.state)
		case f.Message != nil:
			f.Message(x.ref, m, x.Recipient, x.state)
		}
	}
	for k, m := range s.retained {
		if f.Retained != nil {
			f.Retained(k.mountpoint, m)
		}
	}
	s.loadAPIKeys(f)
	return nil
}

// Close implements Store.
func (s *Memory) Close() error { return nil }
