package shard

import (
	"sync"
	"sync/atomic"

	"vernemq/broker/exchange"
	"vernemq/broker/msg"
	"vernemq/broker/trie"
)

// mail is one delivery for another shard: a message for that shard's part of a leaf, or for one member of a group.
type mail struct {
	m    *msg.Message // nil: the batch's own copy at index own
	leaf *trie.Leaf
	grp  *trie.Group
	owed *exchange.Owed
	slot uint32
	own  int32
}

// batch is the mail of one turn for one shard. Small borrowed messages are copied into it, so that traffic between shards makes no garbage:
// batches go back to their sender when they are delivered.
type batch struct {
	mails []mail
	msgs  []msg.Message
	bytes []byte
	size  int // of everything, for the lane's bound
}

// The bounds of what a batch copies and of what is kept of an emptied one.
const (
	copyUpTo   = 4 << 10   // larger messages are shared between all receivers instead
	batchBytes = 256 << 10 // a batch that grew beyond is left to the collector
	batchItems = 8192
	spareMax   = 4
)

func (b *batch) add(m *msg.Message, x mail) {
	if m.Borrowed {
		b.msgs = append(b.msgs, msg.Message{})
		b.bytes = m.CopyInto(&b.msgs[len(b.msgs)-1], b.bytes)
		x.own = int32(len(b.msgs) - 1)
	} else {
		x.m = m
	}
	b.size += m.Size()
	b.mails = append(b.mails, x)
}

func (b *batch) message(x *mail) *msg.Message {
	if x.m != nil {
		return x.m
	}
	return &b.msgs[x.own]
}

// reset empties b; false: it is too large to be kept.
func (b *batch) reset() bool {
	if cap(b.bytes) > batchBytes || cap(b.mails) > batchItems {
		return false
	}
	clear(b.mails)
	clear(b.msgs)
	b.mails, b.msgs, b.bytes, b.size = b.mails[:0], b.msgs[:0], b.bytes[:0], 0
	return true
}

// lane is the mailbox for one direction between two shards. The mutex is held for the move of a slice, once per turn and side.
type lane struct {
	mu     sync.Mutex
	q      []*batch
	items  int
	bytes  int
	spares []*batch
	full   atomic.Bool // publishers of the sending shard wait
	_      [32]byte
}

// A lane is full from either bound on, and has room again once it is taken.
const (
	laneItems = 16384
	laneBytes = 16 << 20
)

// Mail implements exchange.Loop.
func (s *Shard) Mail(to int, m *msg.Message, l *trie.Leaf, o *exchange.Owed) {
	s.mail(to, m, mail{leaf: l, owed: o})
}

// MailMember implements exchange.Loop.
func (s *Shard) MailMember(to int, m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *exchange.Owed) {
	s.mail(to, m, mail{leaf: l, grp: g, slot: slot, owed: o})
}

func (s *Shard) mail(to int, m *msg.Message, x mail) {
	if m.Borrowed && len(m.Payload) > copyUpTo {
		m = s.home.T.Forms.Own(m)
	}
	if s.outgoing[to] == nil {
		s.outgoing[to] = s.newBatch(to)
	}
	s.outgoing[to].add(m, x)
	if s.group.shards[to].lanes[s.id].full.Load() {
		s.laneFull = true
	}
}

func (s *Shard) newBatch(to int) *batch {
	l := &s.group.shards[to].lanes[s.id]
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.spares); n > 0 {
		b := l.spares[n-1]
		l.spares[n-1] = nil
		l.spares = l.spares[:n-1]
		return b
	}
	return &batch{}
}

// postMail hands this turn's mail over: one batch and at most one wake-up per shard.
func (s *Shard) postMail() {
	for to, b := range s.outgoing {
		if b == nil {
			continue
		}
		s.outgoing[to] = nil
		t := s.group.shards[to]
		l := &t.lanes[s.id]
		l.mu.Lock()
		l.q = append(l.q, b)
		l.items += len(b.mails)
		l.bytes += b.size
		if l.items >= laneItems || l.bytes >= laneBytes {
			l.full.Store(true)
		}
		l.mu.Unlock()
		t.pending.Add(1)
		t.wake()
	}
}

// inbox is what was taken from one lane and is being delivered.
type inbox struct {
	q   []*batch
	pos int // in the first batch
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
		left := len(in.q) > 0
		if !left {
			s.swapLane(from, in)
		}
		for len(in.q) > 0 {
			b := in.q[0]
			for ; in.pos < len(b.mails); in.pos++ {
				if s.home.Busy() || s.home.Delivered-start > mailATurn {
					s.mailLeft = true
					return
				}
				if x := &b.mails[in.pos]; x.grp != nil {
					s.home.DeliverMember(b.message(x), x.leaf, x.grp, x.slot, x.owed)
				} else {
					s.home.Deliver(b.message(x), x.leaf, x.owed)
				}
			}
			in.q[0] = nil
			in.q, in.pos = in.q[1:], 0
			s.giveBack(from, b)
		}
		if left {
			s.mailLeft = true // what came while this lay here was announced in a turn that did not look
		}
	}
}

// swapLane takes the mailbox's content over. A mailbox that was full has room again; its sender is told.
func (s *Shard) swapLane(from int, in *inbox) {
	l := &s.lanes[from]
	l.mu.Lock()
	in.q, l.q = l.q, nil
	l.items, l.bytes = 0, 0
	was := l.full.Swap(false)
	l.mu.Unlock()
	if was {
		sender := s.group.shards[from]
		sender.Post(sender.laneRoom)
	}
}

// giveBack returns a delivered batch to its sender.
func (s *Shard) giveBack(from int, b *batch) {
	if !b.reset() {
		return
	}
	l := &s.lanes[from]
	l.mu.Lock()
	if len(l.spares) < spareMax {
		l.spares = append(l.spares, b)
	}
	l.mu.Unlock()
}

// anyLaneFull reports whether the mailbox of another shard takes no more from this one.
func (s *Shard) anyLaneFull() bool {
	for _, t := range s.group.shards {
		if t.lanes[s.id].full.Load() {
			return true
		}
	}
	return false
}

// waitForLane leaves a publisher unread until a full mailbox, which is looked at in the same call of the loop, has room: that is posted, so
// it cannot be missed.
func (s *Shard) waitForLane(c *conn) {
	c.pausedFor |= pauseLane
	s.waitLane = append(s.waitLane, c)
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
