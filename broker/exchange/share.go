package exchange

import (
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/topic"
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

// choose picks for every group at the leaves: before the message is stored, for the choice is part of its record.
func (h *Home) choose(m *msg.Message, leaves []*trie.Leaf) {
	clear(h.chosen)
	h.chosen = h.chosen[:0]
	for _, l := range leaves {
		for _, g := range l.Groups() {
			if c, ok := h.chooseFor(m, g); ok {
				c.leaf = l
				h.chosen = append(h.chosen, c)
			}
		}
	}
}

func (h *Home) chooseFor(m *msg.Message, g *trie.Group) (choice, bool) {
	own := g.Queue()
	if h.groupQoS(m) == 0 {
		own = nil // is kept for nobody
	}
	if own != nil && own.Waiting.Load() > 0 {
		return choice{group: g, own: own}, true
	}
	mb, online, ok := h.chooseMember(g)
	if !ok {
		return choice{}, false
	}
	if !online && own != nil {
		return choice{group: g, own: own}, true
	}
	return choice{group: g, member: mb}, true
}

// chooseMember picks one member by the policy: one that is online if there is any.
func (h *Home) chooseMember(g *trie.Group) (mb trie.Member, online, ok bool) {
	ms := g.Members()
	if len(ms) == 0 {
		return trie.Member{}, false, false
	}
	var start int
	switch h.policy {
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
		if h.policy != "least_inflight" {
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
		rs = append(rs, store.Recipient{Session: store.SessionKey(k), Opts: qos | 8})
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
	for _, mb := range g.Members() {
		if int(mb.Shard) == h.shard && mb.Entry.Slot() == slot {
			h.deliver(m, l, mb.Entry, g, o)
			if s := h.slots[slot]; s != nil && !s.Connected() { // it went while this was on its way
				h.offer(s, g, false)
			}
			return
		}
	}
	h.astray(m, l, g, slot, o)
}

// holder is the stored session that holds a delivery to s through a group: the group's own queue if s is not durable. 0: none.
func holder(s *session.Session, g *trie.Group) store.SessionKey {
	if s.Key == 0 && g != nil {
		if q := g.Queue(); q != nil {
			return store.SessionKey(q.Key.Load())
		}
	}
	return s.Key
}

// astray gives m to another member, because the chosen one left the group while m was on its way.
func (h *Home) astray(m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *Owed) {
	if q, qos := g.Queue(), h.groupQoS(m); q != nil && qos > 0 {
		it := session.ItemOf(h.T.Forms.Own(m), qos)
		it.Ref = h.handOver(m, slot, store.Recipient{Session: store.SessionKey(q.Key.Load()), Opts: qos | 8}, o)
		h.giveBack(g, q, []queue.Item{it})
		return
	}
	if mb, online, ok := h.chooseMember(g); ok && online {
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
	if int(slot) < len(h.slots) && h.slots[slot] != nil && !h.slots[slot].Gone {
		if k := h.slots[slot].Key; reference(m, 1, k, o) != 0 {
			h.x.Store.PutMove(store.Ack{Session: k, Message: store.MessageRef(m.Ref)}, to)
			return m.Ref
		}
	}
	return h.place(m, []store.Recipient{to}, new(*Owed)).Ref // nobody held it, or a session that has ended
}

// shelf is the queue of a shared group, on the shard where it lives.
type shelf struct {
	id    msg.SubscriberID
	s     *session.Session
	g     *trie.Group
	q     *trie.GroupQueue
	lent  map[uint64]struct{} // members who have some of it
	start int                 // with whom the next round of lending begins
}

const (
	lendAtOnce = 64 // deliveries lent to a member before it has to ask for more
	groupMark  = "\x00"
)

// groupID names the queue of a shared group; no client can have such an identifier [MQTT-1.5.4-2].
func groupID(mountpoint, filter string) msg.SubscriberID {
	return msg.SubscriberID{Mountpoint: mountpoint, ClientID: groupMark + filter}
}

func isGroupID(id msg.SubscriberID) bool { return len(id.ClientID) > 0 && id.ClientID[:1] == groupMark }

// home returns the shard on which the queue of a group lives.
func (x *Exchange) home(id msg.SubscriberID) *Home {
	sum := uint32(2166136261) // FNV-1a: the same place in every run costs nothing and is easy to follow
	for i := range len(id.ClientID) {
		sum = (sum ^ uint32(id.ClientID[i])) * 16777619
	}
	return x.homes[int(sum%uint32(len(x.homes)))]
}

// joined sees to it that the group of a new member has a queue, one that is durable if the member is. The only other member, if it is away, had
// nobody to leave anything to until now.
func (h *Home) joined(s *session.Session, sub *session.Sub) {
	q, keeps := sub.Group.Queue(), sub.Opts.QoS() > 0 || h.T.Opts.UpgradeOutgoingQoS
	if q == nil && keeps || q != nil && (keeps && s.Key != 0 && q.Key.Load() == 0 || q.Waiting.Load() > 0) {
		h.tendLater(groupID(s.ID.Mountpoint, sub.Filter))
	}
	if ms := sub.Group.Members(); len(ms) == 2 && s.Connected() {
		for _, mb := range ms {
			if !mb.Presence.Online.Load() {
				to := h.x.homes[mb.Shard]
				to.loop.Post(func() { to.leaveBehind(mb.Entry.Slot(), sub.Group) })
			}
		}
	}
}

// leaveBehind offers what a member has that is away.
func (h *Home) leaveBehind(slot uint32, g *trie.Group) {
	if s := h.slots[slot]; s != nil && !s.Gone && !s.Connected() && s.Subs.OfGroup(g) != nil {
		h.offer(s, g, true)
	}
}

// left gives what waits for a session through a group that it has left to the others, and sees to the end of a group without members.
func (h *Home) left(s *session.Session, filter string, g *trie.Group) {
	h.offer(s, g, false)
	if g.Queue() != nil && len(g.Members()) == 0 {
		h.tendLater(groupID(s.ID.Mountpoint, filter))
	}
}

func (h *Home) tendLater(id msg.SubscriberID) {
	to := h.x.home(id)
	to.loop.Post(func() { to.tend(id) })
}

// tend makes, changes or ends the queue of a group, as its members want it by now.
func (h *Home) tend(id msg.SubscriberID) {
	sh, _, _ := topic.ParseShared(id.ClientID[len(groupMark):])
	g := h.x.index(id.Mountpoint).Group(sh.Group, sh.Filter)
	var sf *shelf
	s := h.byID[id]
	if s != nil {
		sf = h.groups[s.Slot]
	}
	if g == nil {
		if sf != nil {
			h.disband(sf)
		}
		return
	}
	durable := false
	for _, mb := range g.Members() {
		durable = durable || mb.Entry.Durable() && (mb.Entry.QoS() > 0 || h.T.Opts.UpgradeOutgoingQoS)
	}
	if sf == nil {
		if s == nil {
			s = h.create(id, h.T.Wall*1000)
			s.Expiry, s.Offline = session.Never, h.T.Now
		}
		s.OfGroup = true
		sf = &shelf{id: id, s: s, q: &trie.GroupQueue{Shard: uint16(h.shard), Slot: s.Slot}, lent: map[uint64]struct{}{}}
		sf.q.Key.Store(uint64(s.Key))
		h.groups[s.Slot] = sf
	}
	if durable && s.Key == 0 {
		h.putSession(s)
		sf.q.Key.Store(uint64(s.Key))
	}
	sf.g = g
	h.lend(sf)
	g.SetQueue(sf.q)
}

// disband ends the queue of a group that has no members any more, with what waits in it.
func (h *Home) disband(sf *shelf) {
	delete(h.groups, sf.s.Slot)
	sf.q.Waiting.Store(0)
	sf.q.Key.Store(0)
	h.end(sf.s)
}

// lend gives members that are connected and have nothing lent the eldest of what waits.
func (h *Home) lend(sf *shelf) {
	ms := sf.g.Members()
	for i := range ms {
		if sf.s.Waiting() == 0 {
			break
		}
		mb := ms[(sf.start+i)%len(ms)]
		if _, has := sf.lent[memberKey(&mb)]; has || !mb.Presence.Online.Load() {
			continue
		}
		sf.start = (sf.start + i + 1) % len(ms)
		sf.lent[memberKey(&mb)] = struct{}{}
		items, to := sf.s.Take(lendAtOnce), h.x.homes[mb.Shard]
		g, q, key := sf.g, sf.q, mb.Entry.Slot()
		to.loop.Post(func() { to.borrow(g, q, key, items) })
	}
	sf.q.Waiting.Store(int32(sf.s.Waiting()))
	h.mark(sf.s)
}

func memberKey(mb *trie.Member) uint64 { return uint64(mb.Shard)<<32 | uint64(mb.Entry.Slot()) }

// borrow takes deliveries for a member of this shard.
func (h *Home) borrow(g *trie.Group, q *trie.GroupQueue, slot uint32, items []queue.Item) {
	s := h.slots[slot]
	var sub *session.Sub
	if s != nil && !s.Gone && s.Connected() {
		sub = s.Subs.OfGroup(g)
	}
	if sub == nil {
		h.giveBack(g, q, items)
		h.returned(q, slot)
		return
	}
	if !s.Online() {
		s = s.Several.Others[h.rng.IntN(len(s.Several.Others))]
	}
	for i := range items {
		s.Adopt(&h.T, items[i], sub, store.SessionKey(q.Key.Load()))
	}
	s.Lend(g)
	h.pump(s)
}

// repay tells the queues that lent to a session that it wants more, once it has nothing left; with gone, whatever it has left.
func (h *Home) repay(s *session.Session, gone bool) {
	for _, g := range s.Repay(gone) {
		if q := g.Queue(); q != nil {
			h.returned(q, s.MainSession().Slot)
		}
	}
}

func (h *Home) returned(q *trie.GroupQueue, slot uint32) {
	to, member := h.x.homes[q.Shard], uint64(h.shard)<<32|uint64(slot)
	to.loop.Post(func() {
		if sf := to.groups[q.Slot]; sf != nil && sf.q == q {
			delete(sf.lent, member)
			to.lend(sf)
		}
	})
}

// wanted tells the queues of a client's groups that it is there.
func (h *Home) wanted(s *session.Session) {
	if s.Presence == nil {
		return
	}
	for _, sub := range s.Subs.All() { // empty for a further connection: the client was there already
		if sub.Group == nil {
			continue
		}
		if q := sub.Group.Queue(); q != nil && q.Waiting.Load() > 0 {
			h.returned(q, s.Slot)
		}
	}
}

// offer gives what a session leaves behind to the other members of its shared groups, or of only one of them. underway: exchanges too.
func (h *Home) offer(s *session.Session, only *trie.Group, underway bool) {
	given := s.Offer(&h.T, underway, func(g *trie.Group) bool {
		return (only == nil || g == only) && h.others(g, s)
	})
	for len(given) > 0 {
		g := given[0].Group
		var items []queue.Item
		rest := given[:0]
		for _, x := range given {
			if x.Group == g {
				items = append(items, x.Item)
			} else {
				rest = append(rest, x)
			}
		}
		given = rest
		h.giveBack(g, g.Queue(), items)
	}
}

// others reports whether a group has members besides s.
func (h *Home) others(g *trie.Group, s *session.Session) bool {
	for _, mb := range g.Members() {
		if int(mb.Shard) != h.shard || mb.Entry.Slot() != s.Slot {
			return true
		}
	}
	return false
}

// giveBack puts deliveries into the queue of their group. If that has ended meanwhile, nobody is left who wants them.
func (h *Home) giveBack(g *trie.Group, q *trie.GroupQueue, items []queue.Item) {
	to := h.x.homes[q.Shard]
	q.Waiting.Add(int32(len(items))) // from now on others queue behind them
	to.loop.Post(func() {
		sf := to.groups[q.Slot]
		if sf == nil || sf.q != q {
			return
		}
		for _, it := range items {
			sf.s.Shelve(&to.T, it)
		}
		to.lend(sf)
	})
}
