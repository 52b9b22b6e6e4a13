package store

import (
	"hash/maphash"

	"vernemq/broker/store/wallog"
)

// index is what the durable store holds in memory: everything but payloads. It is the same whether it grew call by call or was read back from
// the log: both go through its methods. It is guarded by its owner's lock.
type index struct {
	sessions map[SessionKey]*stored
	slots    pages[*stored]
	messages pages[message]
	waiting  pages[delivery]
	retained map[name]kept
	apiKeys  map[keyID]keptKey
	seeds    [2]maphash.Seed // of names
	dying    []*stored       // ended sessions whose deliveries are still to be taken away
	lastKey  SessionKey
	live     int64    // bytes on disk of what is needed
	settled  census   // messages that wait, by segment
	standing census   // other records that are needed, by sequence number in blocks of standBlock
	byOrigin *origins // while the log is read back: messages by sequence number
}

// message is a stored message: 32 bytes. place.Segment is 0 while it is not in the log yet.
type message struct {
	origin uint64 // sequence number it was first written under: its age
	place  wallog.Place
	head   uint32 // its first delivery; the list is a ring
	gen    uint32 // goes up when the entry is used for another message
}

// delivery is one delivery that waits: 32 bytes.
type delivery struct {
	session        uint32 // slot
	message        uint32
	mnext, mprev   uint32 // ring of the message's deliveries
	snext, sprev   uint32 // list of the session's deliveries
	subID          uint32
	packetID       uint16
	opts, ackState byte
}

// stored is a stored session.
type stored struct {
	rec        Session // without subscriptions
	at         uint64  // sequence number of its record
	subs       []storedSub
	byFilter   map[string]int    // of subs, once there are many
	inbound    map[uint16]uint64 // sequence number of the record that has the identifier
	slot       uint32
	head, tail uint32 // deliveries
	count      int
	dead       bool
}

type storedSub struct {
	Subscription
	at uint64
}

// name stands for the mountpoint and the topic of a retained message: a hash of 128 bits with seeds of this process. That two of a million
// topics share it has a probability of 10^-27; the texts would be most of what a retained message costs here.
type name [2]uint64

func (x *index) name(mountpoint string, topic []byte) (n name) {
	for i, seed := range x.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		_, _ = h.WriteString(mountpoint)
		_ = h.WriteByte(0) // neither has one [MQTT-1.5.4-2]
		_, _ = h.Write(topic)
		n[i] = h.Sum64()
	}
	return n
}

// kept is a retained message.
type kept struct {
	at    uint64
	place wallog.Place
}

// standBlock is the log of how many neighbouring records index.standing counts together.
const standBlock = 10

// stands notes that a record that is needed and not a message's has the number at, in place of old; 0 is none.
func (x *index) stands(old, at uint64) {
	if old == at {
		return
	}
	if at != 0 {
		x.standing.add(at>>standBlock, 1)
	}
	if old != 0 {
		x.standing.add(old>>standBlock, -1)
	}
}

// lies notes that a waiting message lies in a segment, in place of old; 0 is none.
func (x *index) lies(old, segment uint32) {
	if old == segment {
		return
	}
	if segment != 0 {
		x.settled.add(uint64(segment), 1)
	}
	if old != 0 {
		x.settled.add(uint64(old), -1)
	}
}

// barren reports whether nothing of a segment with the records from first to last is needed. If it says no there may be nothing all the same.
func (x *index) barren(segment uint32, first, last uint64) bool {
	return x.settled.none(uint64(segment), uint64(segment)) && x.standing.none(first>>standBlock, last>>standBlock)
}

// manySubs is how many subscriptions are searched one by one.
const manySubs = 32

// Rough sizes on disk of what has no record of its own to measure, in bytes.
const (
	sessionBytes = 64
	subBytes     = 32
	inboundBytes = 32
)

func newIndex() *index {
	return &index{sessions: map[SessionKey]*stored{}, retained: map[name]kept{}, apiKeys: map[keyID]keptKey{}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func sessionSize(r *Session) int64 {
	n := sessionBytes + len(r.ID.Mountpoint) + len(r.ID.ClientID) + len(r.Username)
	if w := r.Will; w != nil {
		n += len(w.Topic) + len(w.Props) + len(w.Payload)
	}
	return int64(n)
}

func (x *index) putSession(rec *Session, at uint64) {
	s := x.sessions[rec.Key]
	if s == nil {
		s = &stored{slot: x.slots.alloc()}
		*x.slots.at(s.slot) = s
		x.sessions[rec.Key] = s
		x.lastKey = max(x.lastKey, rec.Key)
	} else {
		x.live -= sessionSize(&s.rec)
	}
	x.stands(s.at, at)
	s.rec, s.at = *rec, at
	s.rec.Subscriptions = nil
	x.live += sessionSize(&s.rec)
}

// expect makes a session whose record is still to come: while the log is read back what belongs to a session may stand before its record,
// because compaction has written that again behind it.
func (x *index) expect(k SessionKey) {
	if x.sessions[k] == nil {
		x.putSession(&Session{Key: k}, 0)
	}
}

// settle ends the reading back. Sessions whose record did not come were in a part of the log that is damaged.
func (x *index) settle() {
	for k, s := range x.sessions {
		if s.at == 0 {
			x.endSession(k)
		}
	}
	for x.reap(1 << 30) {
	}
	x.byOrigin = nil
}

// endSession takes a session away; deliveries, if they are many, later by reap.
func (x *index) endSession(k SessionKey) {
	s := x.sessions[k]
	if s == nil {
		return
	}
	delete(x.sessions, k)
	x.live -= sessionSize(&s.rec) + inboundBytes*int64(len(s.inbound))
	x.stands(s.at, 0)
	for _, at := range s.inbound {
		x.stands(at, 0)
	}
	for i := range s.subs {
		x.stands(s.subs[i].at, 0)
		x.live -= subBytes + int64(len(s.subs[i].Filter))
	}
	s.dead, s.subs, s.byFilter, s.inbound = true, nil, nil, nil
	if !x.bury(s, 64) {
		x.dying = append(x.dying, s)
	}
}

// bury takes away up to n deliveries of a dead session, and reports whether that were all.
func (x *index) bury(s *stored, n int) bool {
	for ; s.head != 0 && n > 0; n-- {
		x.unwait(s.head)
	}
	if s.head != 0 {
		return false
	}
	*x.slots.at(s.slot) = nil
	x.slots.release(s.slot)
	return true
}

// reap takes away up to n deliveries of dead sessions and reports whether there are more.
func (x *index) reap(n int) bool {
	if len(x.dying) > 0 && x.bury(x.dying[len(x.dying)-1], n) {
		x.dying[len(x.dying)-1] = nil
		x.dying = x.dying[:len(x.dying)-1]
	}
	return len(x.dying) > 0
}

// findSub returns the place of a filter in s.subs, or -1.
func (s *stored) findSub(filter string) int {
	if s.byFilter != nil {
		if i, ok := s.byFilter[filter]; ok {
			return i
		}
		return -1
	}
	for i := range s.subs {
		if s.subs[i].Filter == filter {
			return i
		}
	}
	return -1
}

func (x *index) putSub(k SessionKey, sub Subscription, at uint64) {
	s := x.sessions[k]
	if s == nil {
		return
	}
	if i := s.findSub(sub.Filter); i >= 0 {
		x.stands(s.subs[i].at, at)
		s.subs[i] = storedSub{sub, at}
		return
	}
	x.stands(0, at)
	s.subs = append(s.subs, storedSub{sub, at})
	x.live += subBytes + int64(len(sub.Filter))
	switch {
	case s.byFilter != nil:
		s.byFilter[sub.Filter] = len(s.subs) - 1
	case len(s.subs) > manySubs:
		s.byFilter = make(map[string]int, 2*manySubs)
		for i := range s.subs {
			s.byFilter[s.subs[i].Filter] = i
		}
	}
}

func (x *index) deleteSub(k SessionKey, filter string) {
	s := x.sessions[k]
	if s == nil {
		return
	}
	i := s.findSub(filter)
	if i < 0 {
		return
	}
	x.live -= subBytes + int64(len(filter))
	x.stands(s.subs[i].at, 0)
	last := len(s.subs) - 1
	s.subs[i] = s.subs[last]
	s.subs[last] = storedSub{}
	s.subs = s.subs[:last]
	if s.byFilter != nil {
		delete(s.byFilter, filter)
		if i < last {
			s.byFilter[s.subs[i].Filter] = i
		}
	}
}

func (x *index) putInbound(in Inbound, at uint64) {
	s := x.sessions[in.Session]
	if s == nil {
		return
	}
	if s.inbound == nil {
		s.inbound = map[uint16]uint64{}
	}
	old, ok := s.inbound[in.PacketID]
	if !ok {
		x.live += inboundBytes
	}
	x.stands(old, at)
	s.inbound[in.PacketID] = at
}

func (x *index) release(k SessionKey, id uint16) {
	s := x.sessions[k]
	if s == nil {
		return
	}
	if at, ok := s.inbound[id]; ok {
		x.live -= inboundBytes
		x.stands(at, 0)
		if delete(s.inbound, id); len(s.inbound) == 0 {
			s.inbound = nil
		}
	}
}

func (x *index) putRetained(k name, at uint64, place wallog.Place) {
	old := x.retained[k]
	x.live += int64(place.Size) - int64(old.place.Size)
	x.stands(old.at, at)
	x.retained[k] = kept{at, place}
}

func (x *index) deleteRetained(k name) {
	old := x.retained[k]
	x.live -= int64(old.place.Size)
	x.stands(old.at, 0)
	delete(x.retained, k)
}
