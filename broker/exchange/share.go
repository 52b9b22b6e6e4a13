package exchange

import (
	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// A message for a shared group goes to one member that is connected. If none is, or if others wait already, it goes to the group's own queue,
// which is a session that is never connected: it has a place on a shard, limits, and records like that of any absent client. What it holds is
// lent to the first members that can take it, a few deliveries at a time. A member that goes away gives back what it did not bring to an end,
// and the queue lends that to the next one. So there is one way for a delivery to change hands, and the store knows whose it is at any time.

// choice is who gets a message that is being routed to a shared group: a member, or with own the group's queue.
type choice struct {
	leaf   *trie.Leaf
	group  *trie.Group
	member trie.Member
	own    *trie.GroupQueue
	owed   *Owed // of m's record
}

// choose picks for every group at the leaves, as the publisher s wants it: before the message is stored, for the choice is part of its record.
func (h *Home) choose(m *msg.Message, s *session.Session, leaves []*trie.Leaf) {
	for _, l := range leaves {
		for _, g := range l.Groups() {
			if c, ok := h.chooseFor(m, g, h.policy(s)); ok {
				c.leaf = l
				h.chosen = append(h.chosen, c)
			}
		}
	}
}

// policy is how a member is chosen for what s publishes; s is nil for messages of the broker.
func (h *Home) policy(s *session.Session) string {
	if s == nil {
		return h.T.Opts.SharedPolicy
	}
	return hook.Or(s.Options().SharedPolicy, h.T.Opts.SharedPolicy)
}

func (h *Home) chooseFor(m *msg.Message, g *trie.Group, policy string) (choice, bool) {
	own := g.Queue()
	if h.groupQoS(m) == 0 {
		own = nil // is kept for nobody
	}
	if own != nil && own.Waiting.Load() > 0 {
		return choice{group: g, own: own}, true
	}
	mb, online, ok := h.chooseMember(g, policy)
	if !ok {
		return choice{}, false
	}
	if !online && own != nil {
		return choice{group: g, own: own}, true
	}
	return choice{group: g, member: mb}, true
}

// chooseMember picks one member by a policy: one that is online if there is any.
func (h *Home) chooseMember(g *trie.Group, policy string) (mb trie.Member, online, ok bool) {
	ms := g.Members()
	if len(ms) == 0 {
		return trie.Member{}, false, false
	}
	var start int
	switch policy {
	case "round_robin":
		start = int(g.Next()) % len(ms)
	default:
		start = h.rng.IntN(len(ms))
	}
	pick := -1
	for i := range ms {
		k := (start + i) % len(ms)
		if !ms[k].Presence.Online.Load() {
			continue
		}
		if policy != "least_inflight" {
			pick = k
			break
		}
		if pick < 0 || ms[k].Presence.Inflight.Load() < ms[pick].Presence.Inflight.Load() {
			pick = k
		}
	}
	if pick < 0 {
		return ms[start], false, true
	}
	return ms[pick], true, true
}

// groupQoS is the highest QoS at which a member may get m.
func (h *Home) groupQoS(m *msg.Message) byte {
	if h.T.Opts.UpgradeOutgoingQoS {
		return 2
	}
	return m.QoS
}

// groupRecipient appends who holds a message for a group in the store: the member, or the group's queue if it goes there or to a member that is
// not durable itself, while others are.
func (h *Home) groupRecipient(rs []store.Recipient, m *msg.Message, c *choice) []store.Recipient {
	q := c.own
	if q == nil {
		n := len(rs)
		rs = h.recipient(rs, m, int(c.member.Shard), c.member.Entry)
		if len(rs) > n {
			rs[n].SubID = session.GroupKey(c.group)
			return rs
		}
		if q = c.group.Queue(); q == nil || c.member.Entry.Durable() || h.deliveryQoS(m, c.member.Entry) == 0 {
			return rs
		}
	}
	if k := q.Key.Load(); k != 0 {
		qos := h.groupQoS(m)
		if c.own == nil {
			qos = h.deliveryQoS(m, c.member.Entry)
		}
		rs = append(rs, store.Recipient{Session: store.SessionKey(k), Opts: qos | byte(mqtt.SubRetainAsPublished)})
	}
	return rs
}

// deliverChosen gives m to whom it was chosen for.
func (h *Home) deliverChosen(m *msg.Message, c *choice) {
	shard, slot := int(c.member.Shard), c.member.Entry.Slot()
	if c.own != nil {
		shard, slot = int(c.own.Shard), c.own.Slot
	}
	if shard == h.shard {
		h.deliverMember(m, c.leaf, c.group, slot, c.owed)
		return
	}
	h.loop.MailMember(shard, m, c.leaf, c.group, slot, c.owed)
}

// DeliverMember takes mail: m for a group, from whose members or queue slot was chosen, and what its record owes to that.
func (h *Home) DeliverMember(m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *Owed) {
	h.T.Forms.Begin(m)
	h.deliverMember(m, l, g, slot, o)
}

func (h *Home) deliverMember(m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *Owed) {
	defer h.settle(m, o)
	if sf := h.groups[slot]; sf != nil && sf.g == g {
		qos := h.groupQoS(m)
		sf.s.Keep(&h.T, m, reference(m, qos, sf.s.Key, o), qos)
		h.mark(sf.s)
		h.lend(sf)
		return
	}
	if s := h.At(slot); s != nil {
		if sub := s.Subs.OfGroup(g); sub != nil {
			h.deliver(m, l, h.entry(s, sub.Opts, sub.ID), g, o)
			if !s.Connected() { // it went while this was on its way
				h.offer(s, g, false)
			}
			return
		}
	}
	h.astray(m, l, g, slot, o)
}

// astray gives m to another member, because the chosen one left the group while m was on its way.
func (h *Home) astray(m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *Owed) {
	if q, qos := g.Queue(), h.groupQoS(m); q != nil && qos > 0 {
		it := session.ItemOf(h.T.Forms.Own(m), qos)
		it.Ref = h.handOver(m, slot, store.Recipient{Session: store.SessionKey(q.Key.Load()), Opts: qos | byte(mqtt.SubRetainAsPublished)}, o)
		h.giveBack(g, q, []queue.Item{it})
		return
	}
	if mb, online, ok := h.chooseMember(g, h.policy(nil)); ok && online {
		c := &choice{leaf: l, group: g, member: mb}
		h.deliverChosen(h.place(m, h.groupRecipient(nil, m, c), &c.owed), c)
	}
}

// handOver makes the queue of a group hold m, which was on its way to the member in a slot. It returns under which reference, 0 if the queue is not
// durable.
func (h *Home) handOver(m *msg.Message, slot uint32, to store.Recipient, o *Owed) uint64 {
	if to.Session == 0 {
		return 0
	}
	if reference(m, 1, to.Session, o) != 0 { // it did already
		return m.Ref
	}
	if s := h.At(slot); s != nil && reference(m, 1, s.Key, o) != 0 {
		h.x.Store.PutMove(store.Ack{Session: s.Key, Message: store.MessageRef(m.Ref)}, to)
		return m.Ref
	}
	return h.place(m, []store.Recipient{to}, new(*Owed)).Ref // nobody held it, or a session that has ended
}
