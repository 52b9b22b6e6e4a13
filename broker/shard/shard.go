// Package shard is the event loop: sockets, reads, writes, timers, mail between loops. It knows bytes and readiness; what packets mean is
// exchange's business, which kinds of listeners there are is listener's.
//
// A Shard is one goroutine with its epoll set, its connections and the sessions of its exchange.Home. Nothing blocks it. Its turn:
//
//  1. wait       sockets, the eventfd of other loops, or the next timer
//  2. events     read and handle packets (bounded per connection), go on writing
//  3. mail       deliveries from other shards, then calls (control)
//  4. ready      connections and sessions that did not finish within their budget
//  5. timers     connect timeout, keep alive, retry, expiry
//  6. work       one step of large fan-outs
//  7. flush      one write per connection for everything that gathered
//  8. post       one batch per other shard, one wake-up
//
// Sockets are registered once, edge triggered, for input and output: a connection that is paused is simply not read (its remainder is kept
// and parsed first when it goes on), and one that could not write is told when it can. There is no epoll_ctl after accept but for a move.
// How a loop waits was decided by measurement; the figures stand at Shard.wait.
package shard

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/wheel"
)

// Group is all shards of one broker.
type Group struct {
	X      *exchange.Exchange
	shards []*Shard
	seed   maphash.Seed
	base   time.Time
	log    *slog.Logger
	budget budget
	wg     sync.WaitGroup
}

// NewGroup makes n shards, whose monotonic time begins at base. Start starts them; Close ends them.
func NewGroup(n int, x *exchange.Exchange, base time.Time, log *slog.Logger) (*Group, error) {
	g := &Group{X: x, seed: maphash.MakeSeed(), base: base, log: log}
	g.budget.limit = inputLimit(x.MemoryLimit())
	for i := range n {
		s, err := newShard(g, i, n)
		if err != nil {
			for _, s := range g.shards {
				s.closeFDs()
			}
			return nil, err
		}
		g.shards = append(g.shards, s)
	}
	return g, nil
}

// Start starts the loops. Until then nothing else touches the homes: it is the moment to restore them.
func (g *Group) Start() {
	for _, s := range g.shards {
		g.X.Store.Notify(s)
		g.wg.Add(1)
		go s.run()
	}
}

// Len returns the number of shards.
func (g *Group) Len() int { return len(g.shards) }

// Shard returns shard i.
func (g *Group) Shard(i int) *Shard { return g.shards[i] }

// ShardOf returns the index of the shard on which the session of a subscriber lives.
func (g *Group) ShardOf(id msg.SubscriberID) int {
	if len(g.shards) == 1 {
		return 0
	}
	h := maphash.String(g.seed, id.ClientID)
	if id.Mountpoint != "" {
		h ^= maphash.String(g.seed, id.Mountpoint) * 0x9E3779B97F4A7C15
	}
	return int(h % uint64(len(g.shards)))
}

// Close ends the loops: connections are closed as they are. Drain them before.
func (g *Group) Close() {
	for _, s := range g.shards {
		s.Post(func() { s.stopped = true })
	}
	g.wg.Wait()
}

// Each runs f on every loop, one after the other, and waits for it: for queries and for loading the store.
func (g *Group) Each(f func(*Shard)) {
	for _, s := range g.shards {
		s.Do(func() { f(s) })
	}
}

// Shard is one event loop. Its exported methods are safe for concurrent use unless they say otherwise.
type Shard struct {
	group *Group
	id    int
	home  *exchange.Home
	count *metric.Counters

	ep, wakeFD int
	spareFD    int // closed to accept and refuse when the process has no descriptor left
	events     []unix.EpollEvent
	sockaddr   unix.RawSockaddrAny // of the connection being accepted
	rbuf       []byte

	conns      []*[connPage]conn
	freeConns  []uint32
	open       int
	more       []*conn // input not finished within the budget
	moreSpare  []*conn
	dead       []*conn // to be closed at the end of the turn
	waitLane   []*conn // publishers that wait for a full mailbox
	waitMemory []*conn // publishers that wait for memory
	listeners  []*accepting

	lanes    []lane // mail from each shard
	outgoing []*batch
	inboxes  []inbox
	mailLeft bool // mail waits for the next turn
	laneFull bool // mail of this turn went to a full lane

	ctlMu    sync.Mutex
	ctl      []func()
	ctlSpare []func()
	pending  atomic.Int32 // mail batches and calls not yet taken
	sleeping atomic.Bool
	durable  atomic.Uint64 // store ticket told by Durable
	turns    atomic.Uint64 // grows with every turn: proof of progress for Heartbeat

	hot      bool // the last turn had work: look again before sleeping
	draining bool // connections are being ended, and none is taken on any more
	stopped  bool
}

// Sizes of a shard.
const (
	connPage  = 64
	readSize  = 256 << 10
	maxEvents = 512
)

func newShard(g *Group, id, n int) (*Shard, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(ep)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	s := &Shard{group: g, id: id, ep: ep, wakeFD: wake, spareFD: -1, count: g.X.Metrics.Shard(id),
		events: make([]unix.EpollEvent, maxEvents), rbuf: make([]byte, readSize), lanes: make([]lane, n), inboxes: make([]inbox, n), outgoing: make([]*batch, n)}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: fdWake}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &ev); err != nil {
		s.closeFDs()
		return nil, fmt.Errorf("epoll_ctl: %w", err)
	}
	s.spareFD, _ = unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	s.home = exchange.NewHome(g.X, id, s, g.now())
	s.home.T.Sink.Flush = s.flush
	s.home.T.Sink.Ready = s.Resume
	return s, nil
}

func (s *Shard) closeFDs() {
	for _, fd := range []int{s.ep, s.wakeFD, s.spareFD} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// ID returns the shard's index.
func (s *Shard) ID() int { return s.id }

// Home returns the shard's sessions; only for functions that run on the loop.
func (s *Shard) Home() *exchange.Home { return s.home }

// Post runs f on the loop. It never blocks.
func (s *Shard) Post(f func()) {
	s.ctlMu.Lock()
	s.ctl = append(s.ctl, f)
	s.ctlMu.Unlock()
	s.pending.Add(1)
	s.wake()
}

// Do runs f on the loop and waits until it is done; never call it from a loop.
func (s *Shard) Do(f func()) {
	done := make(chan struct{})
	s.Post(func() { f(); close(done) })
	<-done
}

// Durable implements store.Completer.
func (s *Shard) Durable(upTo store.Ticket, err error) {
	if err != nil {
		s.group.log.Error("store: a batch could not be made durable; nothing is acknowledged until it can", "error", err)
		return
	}
	s.durable.Store(uint64(upTo))
	s.Post(func() { s.home.T.Committed(store.Ticket(s.durable.Load())) })
}

func (g *Group) now() int64 { return int64(time.Since(g.base)) }

func (s *Shard) run() {
	defer s.group.wg.Done()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for !s.stopped {
		n := s.wait()
		t := &s.home.T
		t.Now = s.group.now()
		t.Wall = time.Now().Unix()
		s.home.Refresh()
		s.turns.Add(1)
		for i := range n {
			s.event(&s.events[i])
		}
		if s.pending.Swap(0) > 0 || s.mailLeft {
			s.takeMail()
			s.takeCalls()
		}
		s.goOn()
		again := t.Wheel.Advance(t.Now, 512, s.timer)
		if s.home.Working() { // what this turn has for others does not wait for a step of something large
			s.flushDirty()
		}
		again = s.home.Work() || again
		again = s.home.PumpReady() || again
		for len(t.Sink.Dirty) > 0 || len(s.dead) > 0 {
			s.flushDirty()
			s.bury()
		}
		s.postMail()
		s.hot = again || n > 0 || s.mailLeft || len(s.more) > 0
	}
	s.closeAll()
}

func (s *Shard) timer(t *wheel.Timer) {
	if t.Kind == exchange.TimerSession {
		s.home.Timer(t)
		return
	}
	s.connTimer(s.conn(t.Index))
}

// flushDirty writes what gathered in this turn, once per connection.
func (s *Shard) flushDirty() {
	sink := &s.home.T.Sink
	for i := 0; i < len(sink.Dirty); i++ { // a flush may make others dirty
		o := sink.Dirty[i]
		o.Dirty = false
		if !o.Held {
			s.flush(o)
		}
	}
	clear(sink.Dirty)
	sink.Dirty = sink.Dirty[:0]
}
