package exchange

import (
	"strings"

	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// shelf is the queue of a shared group, on the shard where it lives.
type shelf struct {
	s     *session.Session
	g     *trie.Group
	q     *trie.GroupQueue
	lent  map[uint64]struct{} // members who have some of it
	start int                 // with whom the next round of lending begins
	round bool                // all members have been looked at since it was empty: who can take some now says so
}

const (
	lendAtOnce = 64 // deliveries lent to a member before it has to ask for more
	groupMark  = "\x00"
)

// groupID names the queue of a shared group; no client can have such an identifier [MQTT-1.5.4-2].
func groupID(mountpoint, filter string) msg.SubscriberID {
	return msg.SubscriberID{Mountpoint: mountpoint, ClientID: groupMark + filter}
}

func isGroupID(id msg.SubscriberID) bool { return strings.HasPrefix(id.ClientID, groupMark) }

// home returns the shard on which the queue of a group lives.
func (x *Exchange) home(id msg.SubscriberID) *Home {
	return x.homes[fnv1a(id.ClientID)%uint32(len(x.homes))] // the same place in every run costs nothing and is easy to follow
}

// joined sees to it that the group of a new member has a queue, one that is durable if the member is. The only other member, if it is away, had
// nobody to leave anything to until now.
func (h *Home) joined(s *session.Session, sub *session.Sub) {
	q, keeps := sub.Group.Queue(), sub.Opts.QoS() > 0 || h.T.Opts.UpgradeOutgoingQoS
	switch {
	case q == nil && keeps, q != nil && keeps && s.Key != 0 && q.Key.Load() == 0:
		h.tendLater(groupID(s.ID.Mountpoint, sub.Filter))
	case q != nil && q.Waiting.Load() > 0:
		h.returned(q, s.Slot, s.Presence)
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
	if s := h.At(slot); s != nil && !s.Connected() && s.Subs.OfGroup(g) != nil {
		h.offer(s, g, true)
	}
}

// left gives what waits for a session through a group that it has left to the others, and sees to the end of a group without members.
func (h *Home) left(s *session.Session, filter string, g *trie.Group) {
	h.offer(s, g, false)
	h.repay(s, false)
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
	s := h.Session(id)
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
			s = h.create(id)
			s.Expiry, s.Offline = session.Never, h.T.Now
		}
		s.OfGroup = true
		sf = &shelf{s: s, q: &trie.GroupQueue{Shard: uint16(h.shard), Slot: s.Slot}, lent: map[uint64]struct{}{}}
		sf.q.Key.Store(uint64(s.Key))
		h.groups[s.Slot] = sf
	}
	if durable && s.Key == 0 {
		h.putSession(s)
		sf.q.Key.Store(uint64(s.Key))
	}
	sf.g, sf.round = g, false
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

// lend gives members that are connected and have nothing lent the eldest of what waits. It looks at each of them once: as long as something waits,
// whoever connects, joins or has nothing left comes forward (see returned), for that is what Waiting tells them. So it is set before the first
// look: a member that is not there yet sees it when it comes.
func (h *Home) lend(sf *shelf) {
	sf.q.Waiting.Store(int32(sf.s.Waiting()))
	if !sf.round {
		ms := sf.g.Members()
		start := sf.start
		for i := 0; i < len(ms) && sf.s.Waiting() > 0; i++ {
			mb := ms[(start+i)%len(ms)]
			if h.lendTo(sf, mb.Shard, mb.Entry.Slot(), mb.Presence) {
				sf.start = (start + i + 1) % len(ms)
			}
		}
	}
	n := sf.s.Waiting()
	sf.round = n > 0
	sf.q.Waiting.Store(int32(n))
	h.mark(sf.s)
}

// lendTo gives one member some of what waits, if it is connected and has nothing lent.
func (h *Home) lendTo(sf *shelf, shard uint16, slot uint32, p *msg.Presence) bool {
	key := memberKey(int(shard), slot)
	if _, has := sf.lent[key]; has || !p.Online.Load() {
		return false
	}
	sf.lent[key] = struct{}{}
	items, to := sf.s.Take(lendAtOnce), h.x.homes[shard]
	g, q := sf.g, sf.q
	to.loop.Post(func() { to.borrow(g, q, slot, items) })
	return true
}

func memberKey(shard int, slot uint32) uint64 { return uint64(shard)<<32 | uint64(slot) }

// borrow takes deliveries for a member of this shard.
func (h *Home) borrow(g *trie.Group, q *trie.GroupQueue, slot uint32, items []queue.Item) {
	s := h.At(slot)
	var sub *session.Sub
	if s != nil && s.Connected() {
		sub = s.Subs.OfGroup(g)
	}
	if sub == nil {
		h.giveBack(g, q, items)
		h.returned(q, slot, nil)
		return
	}
	if !s.Online() {
		s = s.Several.Others[h.rng.IntN(len(s.Several.Others))]
	}
	for i := range items {
		s.Adopt(&h.T, items[i], sub, store.SessionKey(q.Key.Load()))
	}
	s.Lend(g)
	h.Pump(s)
}

// repay tells the queues that lent to a session that it wants more, once it has nothing left; with gone, whatever it has left.
func (h *Home) repay(s *session.Session, gone bool) {
	for _, g := range s.Repay(gone) {
		if q := g.Queue(); q != nil {
			main := s.MainSession()
			h.returned(q, main.Slot, main.Presence)
		}
	}
}

// returned tells a queue that the member in a slot has nothing of it, and with p that it can take some.
func (h *Home) returned(q *trie.GroupQueue, slot uint32, p *msg.Presence) {
	to, shard := h.x.homes[q.Shard], h.shard
	to.loop.Post(func() {
		sf := to.groups[q.Slot]
		if sf == nil || sf.q != q {
			return
		}
		delete(sf.lent, memberKey(shard, slot))
		if p != nil && sf.s.Waiting() > 0 {
			to.lendTo(sf, uint16(shard), slot, p)
		}
		to.lend(sf)
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
			h.returned(q, s.Slot, s.Presence)
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
