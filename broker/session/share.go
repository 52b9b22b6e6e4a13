package session

import (
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Deliveries through a shared group are noted with the group, because another member gets what this one leaves behind: all that waits, and of
// what is under way the QoS 1 messages without answer and the QoS 2 messages that never left [MQTT-4.8.2-4]. In the store such a delivery is
// held by the session, or by the group's own queue if the session is not durable: a crash then gives it to another member.

// Offered is a delivery that a member of a shared group leaves to the others.
type Offered struct {
	Group *trie.Group
	Item  queue.Item
}

const manyGroups = 64 // noted groups from which on the ones no longer needed are looked for

// sharing is what only members of shared groups have.
type sharing struct {
	groups []*trie.Group // noted; a delivery names one by its place + 1; nil: vacant
	loans  []*trie.Group // want to be told when the queue is empty
}

// numberOf returns the number under which deliveries through a group are noted; 0, which is none, once there are too many.
func (s *Session) numberOf(g *trie.Group) uint16 {
	if s.shared == nil {
		s.shared = &sharing{}
	}
	x, vacant := s.shared, -1
	for i, known := range x.groups {
		if known == g {
			return uint16(i + 1)
		}
		if known == nil && vacant < 0 {
			vacant = i
		}
	}
	if n := len(x.groups); vacant < 0 && n >= manyGroups && n&(n-1) == 0 && s.Several == nil {
		vacant = s.vacate()
	}
	switch {
	case vacant >= 0:
		x.groups[vacant] = g
		return uint16(vacant + 1)
	case len(x.groups) >= 1<<15:
		return 0
	}
	x.groups = append(x.groups, g)
	return uint16(len(x.groups))
}

// vacate forgets the groups that the session has left and that no delivery is noted with; it returns one of their places, or -1.
func (s *Session) vacate() int {
	used := make([]bool, len(s.shared.groups)+1)
	if s.q != nil {
		s.q.Each(func(it *queue.Item) bool { used[it.Group] = true; return true })
	}
	for f := range s.win.all() {
		used[f.group] = true
	}
	place := -1
	for i, g := range s.shared.groups {
		if g != nil && !used[i+1] && s.Subs.OfGroup(g) == nil {
			s.shared.groups[i], place = nil, i
		}
	}
	return place
}

// holder is the stored session for which a delivery waits in the store; 0 if none does.
func (s *Session) holder(group uint16, flags byte) store.SessionKey {
	if flags&itemMain != 0 && s.Several != nil {
		return s.Several.Main.holder(group, 0)
	}
	if s.Key != 0 || group == 0 {
		return s.Key
	}
	return s.Holder(s.shared.groups[group-1])
}

// Holder is the stored session that holds a delivery to s through a group, or through none if g is nil: the group's own queue if s is not durable.
// 0 if none does.
func (s *Session) Holder(g *trie.Group) store.SessionKey {
	if s.Key == 0 && g != nil {
		if q := g.Queue(); q != nil {
			return store.SessionKey(q.Key.Load())
		}
	}
	return s.Key
}

// Lend notes that the queue of a shared group lent this member some of its deliveries and wants to know when the queue here is empty.
func (s *Session) Lend(g *trie.Group) {
	if s.shared == nil {
		s.shared = &sharing{}
	}
	s.shared.loans = append(s.shared.loans, g)
}

// Repay returns the groups that lent to this member and forgets them, if its queue is empty, or whatever it holds with all.
func (s *Session) Repay(all bool) (loans []*trie.Group) {
	if s.shared == nil || len(s.shared.loans) == 0 || !all && s.Waiting() > 0 {
		return nil
	}
	loans, s.shared.loans = s.shared.loans, nil
	return loans
}

// GroupKey is the key of a group's own queue as it stands in the record of a delivery; 0 if it has none.
func GroupKey(g *trie.Group) uint32 {
	if q := g.Queue(); q != nil && q.Key.Load()>>32 == 0 {
		return uint32(q.Key.Load())
	}
	return 0
}

// Offer takes away what others of its shared groups are to get, in order: what waits, and with underway also exchanges, for then the client is
// gone. others tells whether there is somebody to give it to. In the store what is taken waits for the group's own queue from now on.
func (s *Session) Offer(t *Turn, underway bool, others func(*trie.Group) bool) (out []Offered) {
	if s.shared == nil || s.Further() {
		return nil
	}
	give := make([]bool, len(s.shared.groups)+1)
	some := false
	for i, g := range s.shared.groups {
		if g == nil {
			continue
		}
		q := g.Queue() // what is stored can only be given to a queue that is stored
		give[i+1] = q != nil && (s.Key == 0 || q.Key.Load() != 0) && others(g)
		some = some || give[i+1]
	}
	if !some {
		return nil
	}
	if underway {
		for f, id := range s.win.all() {
			if give[f.group] && f.untaken() {
				out = append(out, s.offered(t, *f.item(), id))
				s.end(f)
			}
		}
	}
	if s.q != nil {
		s.q.Filter(func(it *queue.Item) bool { return it.QoS == 0 || !give[it.Group] }, func(it queue.Item) { out = append(out, s.offered(t, it, 0)) })
	}
	return out
}

// untaken reports whether the client of an exchange may be taken not to have the message: QoS 1 without answer, QoS 2 that never left.
func (f *flight) untaken() bool {
	return f.state == flightCommit || f.state == flightSent && (f.qos == 1 || f.flags&flightUnsent != 0)
}

func (s *Session) offered(t *Turn, it queue.Item, id uint16) Offered {
	g := s.shared.groups[it.Group-1]
	// What the queue holds for a session that is not durable changes hands all the same once its exchange has begun: no step of it was taken.
	if k := s.holder(it.Group, 0); k != 0 && it.Ref != 0 && (s.Key != 0 || id != 0 && it.QoS == 2) {
		t.Store.PutMove(store.Ack{Session: k, Message: store.MessageRef(it.Ref), PacketID: id, QoS: it.QoS},
			store.Recipient{Session: store.SessionKey(g.Queue().Key.Load()), Opts: it.QoS | byte(mqtt.SubRetainAsPublished)})
	}
	it.Group, it.SubID = 0, 0
	return Offered{g, it}
}

// forsake is the end of a session that is not durable: what is under way through its shared groups goes to nobody else [MQTT-4.8.2-5].
func (s *Session) forsake(t *Turn) {
	if s.Key != 0 || s.shared == nil || s.Further() {
		return
	}
	for f, id := range s.win.all() {
		if f.group != 0 {
			s.release(t, f.item(), id)
		}
	}
	if s.q != nil {
		s.q.Each(func(it *queue.Item) bool {
			if it.Group != 0 {
				s.release(t, it, 0)
			}
			return true
		})
	}
}

// Adopt queues a delivery that waited for a shared group as a whole, under the subscription of this member. It counts against no limit: it was
// taken when there was room for it. held is the key of the group's own queue.
func (s *Session) Adopt(t *Turn, it queue.Item, sub *Sub, held store.SessionKey) {
	main := s.MainSession()
	it.QoS = main.qosOf(t, it.QoS, sub.Opts.QoS())
	it.Flags &= itemGone
	if sub.Opts.RetainAsPublished() || s.Bridge {
		switch {
		case it.Msg == nil:
			it.Flags |= itemAsk
		case it.Msg.Retain:
			it.Flags |= itemRetain
		}
	}
	it.SubID = sub.ID
	it.Group = main.numberOf(sub.Group)
	if s.Further() {
		it.Flags |= itemMain
	}
	if main.Key != 0 && held != 0 && it.Ref != 0 {
		t.Store.PutMove(store.Ack{Session: held, Message: store.MessageRef(it.Ref)},
			store.Recipient{Session: main.Key, Opts: byte(sub.Opts)&^3 | it.QoS, SubID: GroupKey(sub.Group)})
	}
	s.Shelve(t, it)
}

// Shelve puts a delivery into the queue. It counts against no limit, for it did so before. Its size is counted here, if it has its message.
func (s *Session) Shelve(t *Turn, it queue.Item) {
	if s.q == nil {
		s.q = s.newQueue(t)
	}
	if it.Msg != nil {
		it.Size = itemSize(it.Msg)
	}
	s.q.Push(it, -1)
}

// Keep queues a message for a shared group whose members are all away, at the highest QoS that one of them may get it with. ref is as with Deliver.
func (s *Session) Keep(t *Turn, m *msg.Message, ref uint64, qos byte) {
	it := (&Delivery{Ref: ref, QoS: qos, Retain: m.Retain}).item()
	s.keep(t, m, &it)
}

// ItemOf is the delivery of a message that waits for a shared group, at the highest QoS that a member may get it with.
func ItemOf(m *msg.Message, qos byte) queue.Item {
	return queue.Item{Msg: m, Ref: m.Ref, QoS: qos}
}

// Take takes up to n deliveries out of the queue.
func (s *Session) Take(n int) (out []queue.Item) {
	if s.q == nil {
		return nil
	}
	for len(out) < n && s.q.Len() > 0 {
		out = append(out, s.q.Pop())
	}
	return out
}
