package exchange

import (
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/trie"
)

// The bounds of a turn's fan-out.
const (
	fanStep    = 2048 // deliveries of one message before the rest becomes a job
	jobsHigh   = 16   // with more jobs than this, publishers to large leaves are parked
	jobsLow    = 4
	pumpBudget = 256
)

// job is the rest of a large fan-out: one message, one leaf, from an entry on. Jobs run first in first out, and a message for a leaf that has
// a job waits behind it, so that order is kept.
type job struct {
	m    *msg.Message
	l    *trie.Leaf
	view trie.View
	next int
}

// fanOut delivers m to this shard's part of a leaf, all at once or in steps.
func (h *Home) fanOut(m *msg.Message, l *trie.Leaf) {
	v := l.View(h.shard)
	n := v.Len()
	if len(h.jobs) > 0 && h.hasJob(l) {
		h.jobs = append(h.jobs, job{h.T.Forms.Own(m), l, v, 0})
		return
	}
	end := min(n, fanStep)
	for i := range end {
		if e := v.At(i); e != 0 {
			h.deliver(m, l, e, "")
		}
	}
	if end < n {
		h.jobs = append(h.jobs, job{h.T.Forms.Own(m), l, v, end})
	}
}

func (h *Home) hasJob(l *trie.Leaf) bool {
	for i := range h.jobs {
		if h.jobs[i].l == l {
			return true
		}
	}
	return false
}

// Work goes on with what did not fit its turn, for one step: a large fan-out, the subscriptions of an ended session, what is let go of when
// memory is short. It reports whether more waits.
func (h *Home) Work() bool {
	if h.shedding > 0 {
		h.shed()
	}
	if n := len(h.leaving); n > 0 && h.leave(h.leaving[n-1]) {
		h.leaving[n-1] = nil
		h.leaving = h.leaving[:n-1]
	}
	if len(h.jobs) == 0 {
		return len(h.leaving) > 0 || h.shedding > 0
	}
	j := &h.jobs[0]
	h.T.Forms.Begin(j.m)
	end := min(j.view.Len(), j.next+fanStep)
	for ; j.next < end; j.next++ {
		e := j.view.At(j.next)
		// The view may be older than this turn: a slot may have changed its owner.
		if e != 0 && int(e.Slot()) < len(h.slots) && h.slots[e.Slot()] != nil && h.slots[e.Slot()].Subs.Has(j.l) {
			h.deliver(j.m, j.l, e, "")
		}
	}
	if j.next >= j.view.Len() {
		h.jobs[0] = job{}
		h.jobs = h.jobs[1:]
	}
	if len(h.jobs) <= jobsLow {
		for _, s := range h.parked {
			if s.Online() && !s.Held() {
				h.loop.Resume(s.Out)
			}
		}
		clear(h.parked)
		h.parked = h.parked[:0]
	}
	return h.Working()
}

// Busy reports whether mail from other shards should wait until the backlog of fan-outs is smaller.
func (h *Home) Busy() bool { return len(h.jobs) > jobsHigh }

// park tells whether the publisher has to wait for the backlog.
func (h *Home) park(s *session.Session) bool {
	if len(h.jobs) <= jobsHigh {
		return false
	}
	h.parked = append(h.parked, s)
	return true
}

// Deliver takes mail: m for this shard's part of a leaf.
func (h *Home) Deliver(m *msg.Message, l *trie.Leaf) {
	h.T.Forms.Begin(m)
	if shard, e, ok := l.Single(); ok && len(h.jobs) == 0 { // with jobs, one may be for this leaf
		if shard == h.shard {
			h.deliver(m, l, e, "")
		}
		return
	}
	h.fanOut(m, l)
}

// DeliverMember takes mail: m for one member of a group. If the member is gone meanwhile, another one is chosen.
func (h *Home) DeliverMember(m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32) {
	h.T.Forms.Begin(m)
	for _, mb := range g.Members() {
		if int(mb.Shard) == h.shard && mb.Entry.Slot() == slot {
			h.deliver(m, l, mb.Entry, g.Name())
			return
		}
	}
	if mb, ok := h.chooseMember(g); ok {
		h.deliverChosen(m, &choice{leaf: l, group: g, member: mb})
	}
}

// choice is the member of a shared group that gets the message being routed.
type choice struct {
	leaf   *trie.Leaf
	group  *trie.Group
	member trie.Member
}

// choose picks a member of every group at the leaves: before the message is stored, for the choice is part of its record.
func (h *Home) choose(leaves []*trie.Leaf) {
	for _, l := range leaves {
		for _, g := range l.Groups() {
			if mb, ok := h.chooseMember(g); ok {
				h.chosen = append(h.chosen, choice{l, g, mb})
			}
		}
	}
}

// deliverChosen gives m to a chosen member.
func (h *Home) deliverChosen(m *msg.Message, c *choice) {
	if int(c.member.Shard) == h.shard {
		h.deliver(m, c.leaf, c.member.Entry, c.group.Name())
		return
	}
	h.loop.MailMember(int(c.member.Shard), m, c.leaf, c.group, c.member.Entry.Slot())
}

// chooseMember picks one member by the policy: one that is online if there is any.
func (h *Home) chooseMember(g *trie.Group) (trie.Member, bool) {
	ms := g.Members()
	if len(ms) == 0 {
		return trie.Member{}, false
	}
	var start int
	switch h.T.Opts.SharedPolicy {
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
		if h.T.Opts.SharedPolicy != "least_inflight" {
			pick = k
			break
		}
		if pick < 0 || ms[k].Presence.Inflight.Load() < ms[pick].Presence.Inflight.Load() {
			pick = k
		}
	}
	if pick < 0 {
		pick = start
	}
	return ms[pick], true
}

// pump lets a session send what waits; a session that ran out of its budget goes on in the next turn.
func (h *Home) pump(s *session.Session) {
	if s.Pump(&h.T, pumpBudget) && !s.Queued {
		s.Queued = true
		h.ready = append(h.ready, s)
	}
}

// Pump lets the session of an emptied output go on.
func (h *Home) Pump(s *session.Session) { h.pump(s) }

// PumpReady goes on with sessions that ran out of their budget. It reports whether any is left.
func (h *Home) PumpReady() bool {
	list := h.ready
	h.ready = h.spare[:0]
	for _, s := range list {
		s.Queued = false
		if !s.Gone {
			h.pump(s)
		}
	}
	clear(list)
	h.spare = list[:0]
	return len(h.ready) > 0
}
