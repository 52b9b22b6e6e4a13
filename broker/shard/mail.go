package shard

import (
	"sync"
	"sync/atomic"

	"vernemq/broker/msg"
	"vernemq/broker/trie"
)

// mail is one delivery for another shard: a message for that shard's part of a leaf, or for one member of a group.
type mail struct {
	m    *msg.Message
	leaf *trie.Leaf
	grp  *trie.Group
	slot uint32
}

// lane is the mailbox for one direction between two shards. The mutex is held for the move of a slice, once per turn and side.
type lane struct {
	mu    sync.Mutex
	q     []mail
	bytes int
	spare []mail
	full  atomic.Bool // publishers of the sending shard wait
	_     [32]byte
}

// A lane is full from either bound on, and has room again once it is empty.
const (
	laneItems = 16384
	laneBytes = 16 << 20
)

// Mail implements exchange.Loop.
func (s *Shard) Mail(to int, m *msg.Message, l *trie.Leaf) {
	s.outgoing[to] = append(s.outgoing[to], mail{m: m, leaf: l})
	s.checkLane(to)
}

// MailMember implements exchange.Loop.
func (s *Shard) MailMember(to int, m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32) {
	s.outgoing[to] = append(s.outgoing[to], mail{m: m, leaf: l, grp: g, slot: slot})
	s.checkLane(to)
}

func (s *Shard) checkLane(to int) {
	if s.group.shards[to].lanes[s.id].full.Load() {
		s.laneFull = true
	}
}

// postMail hands this turn's mail over: one batch and at most one wake-up per shard.
func (s *Shard) postMail() {
	for to := range s.outgoing {
		if len(s.outgoing[to]) == 0 {
			continue
		}
		t := s.group.shards[to]
		l := &t.lanes[s.id]
		size := 0
		for i := range s.outgoing[to] {
			size += s.outgoing[to][i].m.Size()
		}
		l.mu.Lock()
		if len(l.q) == 0 {
			l.q, s.outgoing[to] = s.outgoing[to], l.spare[:0]
			l.spare = nil
		} else {
			l.q = append(l.q, s.outgoing[to]...)
			clear(s.outgoing[to])
			s.outgoing[to] = s.outgoing[to][:0]
		}
		l.bytes += size
		if len(l.q) >= laneItems || l.bytes >= laneBytes {
			l.full.Store(true)
		}
		l.mu.Unlock()
		t.pending.Add(1)
		t.wake()
	}
}

// inbox is the batch of one lane that is being delivered.
type inbox struct {
	q   []mail
	pos int
}

// mailATurn bounds the deliveries that mail causes in one turn.
const mailATurn = 16384

// takeMail delivers what other shards sent, up to a turn's share, and not while the backlog of fan-outs is too long: then mail waits, and in
// the end its publishers do.
func (s *Shard) takeMail() {
	s.mailLeft = false
	start := s.home.Delivered
	for k := range s.lanes {
		from := (k + int(s.turns.Load())) % len(s.lanes) // no lane is always the last
		in := &s.inboxes[from]
		if in.q == nil {
			s.swapLane(from, in)
		}
		for ; in.pos < len(in.q); in.pos++ {
			if s.home.Busy() || s.home.Delivered-start > mailATurn {
				s.mailLeft = true
				return
			}
			if m := &in.q[in.pos]; m.grp != nil {
				s.home.DeliverMember(m.m, m.leaf, m.grp, m.slot)
			} else {
				s.home.Deliver(m.m, m.leaf)
			}
		}
		if in.q != nil {
			s.doneLane(from, in)
			s.mailLeft = true // more may have come meanwhile: look again in the next turn
		}
	}
}

// swapLane takes the mailbox's content over. A mailbox that was full has room again; its sender is told.
func (s *Shard) swapLane(from int, in *inbox) {
	l := &s.lanes[from]
	l.mu.Lock()
	in.q, in.pos = l.q, 0
	l.q, l.bytes = nil, 0
	was := l.full.Swap(false)
	l.mu.Unlock()
	if was {
		sender := s.group.shards[from]
		sender.Post(sender.laneRoom)
	}
}

// doneLane gives the emptied batch back for reuse.
func (s *Shard) doneLane(from int, in *inbox) {
	clear(in.q)
	if cap(in.q) <= laneItems {
		l := &s.lanes[from]
		l.mu.Lock()
		l.spare = in.q[:0]
		l.mu.Unlock()
	}
	in.q, in.pos = nil, 0
}

// laneRoom goes on with publishers that waited for a full mailbox.
func (s *Shard) laneRoom() {
	list := s.waitLane
	s.waitLane = nil
	for _, c := range list {
		s.resume(c, pauseLane)
	}
}

// takeCalls runs what was posted.
func (s *Shard) takeCalls() {
	s.ctlMu.Lock()
	calls := s.ctl
	s.ctl = s.ctlSpare[:0]
	s.ctlMu.Unlock()
	for _, f := range calls {
		f()
	}
	clear(calls)
	s.ctlMu.Lock()
	s.ctlSpare = calls[:0]
	s.ctlMu.Unlock()
}
