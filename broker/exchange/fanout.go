package exchange

import (
	"math"

	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/trie"
)

// The bounds of a turn's fan-out.
const (
	fanOnce    = 512  // entries of a leaf that get a message at once, each a system call of a microsecond or three at the turn's end
	fanDirty   = 32   // a larger leaf is served so many connections a turn: a bystander waits for no more than these
	fanStep    = 2048 // and so many deliveries, if several messages are on their way to them
	jobsHigh   = 16   // with more jobs than this, publishers to large leaves are parked
	jobsLow    = 4
	pumpBudget = 256
)

// job is a large fan-out: one message, one leaf, from an entry on. Jobs run first in first out, and a message for a leaf that has
// a job waits behind it, so that order is kept.
type job struct {
	m    *msg.Message
	l    *trie.Leaf
	view trie.View
	next int
	owed *Owed
}

// fanOut delivers m to this shard's part of a leaf, all at once or as a job: messages that come together then go to its connections together.
func (h *Home) fanOut(m *msg.Message, l *trie.Leaf, o *Owed) {
	v := l.View(h.shard)
	n := v.Len()
	if n > fanOnce || len(h.jobs) > 0 && h.hasJob(l) {
		if o == asRecorded { // that is no longer the moment of the record, which names nobody here
			o = nil
		}
		h.jobs = append(h.jobs, job{h.T.Forms.Own(m), l, v, 0, o})
		return
	}
	for i := range n {
		if e := v.At(i); e != 0 {
			h.deliver(m, l, e, nil, o)
		}
	}
	h.settle(m, o)
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
	if h.marking > 0 {
		h.markAll()
	}
	if n := len(h.leaving); n > 0 && h.leave(h.leaving[n-1]) {
		h.leaving[n-1] = nil
		h.leaving = h.leaving[:n-1]
	}
	if len(h.jobs) == 0 {
		return h.Working()
	}
	h.step()
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

// step goes on with the first job, and takes those behind it along that are of the same leaf: their messages go to the connections it has
// just reached, and cost no more writes.
func (h *Home) step() {
	j := &h.jobs[0]
	from, end := j.next, min(j.view.Len(), j.next+fanStep)
	h.advance(j, end, len(h.T.Sink.Dirty)+fanDirty) // those that are to be written to already take more for next to nothing
	to, left := j.next, fanStep-(j.next-from)
	for k := 1; k < len(h.jobs); k++ {
		o := &h.jobs[k]
		if o.l != j.l {
			continue
		}
		if !o.view.Same(j.view) || o.next != from || to-from > left {
			break // those behind it must not overtake it
		}
		h.advance(o, to, math.MaxInt)
		left -= to - from
	}
	for len(h.jobs) > 0 && h.jobs[0].next >= h.jobs[0].view.Len() {
		h.settle(h.jobs[0].m, h.jobs[0].owed)
		h.jobs[0] = job{}
		h.jobs = h.jobs[1:]
	}
}

// advance delivers a job's message to the entries up to a position, or until so many connections are to be written to.
func (h *Home) advance(j *job, end, most int) {
	h.T.Forms.Begin(j.m)
	for ; j.next < end && len(h.T.Sink.Dirty) < most; j.next++ {
		e := j.view.At(j.next)
		// The view may be older than this turn: a slot may have changed its owner.
		if e != 0 && int(e.Slot()) < len(h.slots) && h.slots[e.Slot()] != nil && h.slots[e.Slot()].Subs.Has(j.l) {
			h.deliver(j.m, j.l, e, nil, j.owed)
		}
	}
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

// Deliver takes mail: m for this shard's part of a leaf, and what its record owes here.
func (h *Home) Deliver(m *msg.Message, l *trie.Leaf, o *Owed) {
	h.T.Forms.Begin(m)
	if shard, e, ok := l.Single(); ok && len(h.jobs) == 0 { // with jobs, one may be for this leaf
		if shard == h.shard {
			h.deliver(m, l, e, nil, o)
		}
		h.settle(m, o)
		return
	}
	h.fanOut(m, l, o)
}

// Pump lets a session send what waits, as when its output is empty again; a session that ran out of its budget goes on in the next turn.
func (h *Home) Pump(s *session.Session) {
	if s.Pump(&h.T, pumpBudget) && !s.Queued {
		s.Queued = true
		h.ready = append(h.ready, s)
	}
	h.mark(s)
	h.repay(s, false)
}

// PumpReady goes on with sessions that ran out of their budget. It reports whether any is left.
func (h *Home) PumpReady() bool {
	list := h.ready
	h.ready = h.spare[:0]
	for _, s := range list {
		s.Queued = false
		if !s.Gone {
			h.Pump(s)
		}
	}
	clear(list)
	h.spare = list[:0]
	return len(h.ready) > 0
}
