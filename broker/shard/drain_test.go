package shard

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
	"vernemq/broker/exchange"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// slow is a provider that answers a login when it is told to.
type slow struct{ answer func(hook.Verdict) }

func (*slow) Name() string { return "slow" }

func (p *slow) AuthOnRegister(_ *hook.Register, answer func(hook.Verdict)) hook.Verdict {
	p.answer = answer
	return hook.Pending
}

// group makes two loops.
func group(t *testing.T, anonymous bool, providers ...hook.Provider) *Group {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	live := config.NewLive(&config.Options{AllowAnonymous: anonymous, MaxClientIDSize: 100, TopicMaxDepth: 10})
	x := exchange.New(2, live, store.NewMemory(), hook.NewChains(providers...), metric.NewRegistry(2))
	g, err := NewGroup(2, x, time.Now(), log)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// client begins a connection on the first of two loops that do not run, for a client whose session lives on the second. It returns when the CONNECT
// is read.
func client(t *testing.T, anonymous bool, providers ...hook.Provider) (g *Group, l *Listener) {
	t.Helper()
	g = group(t, anonymous, providers...)
	t.Cleanup(func() {
		for _, s := range g.shards {
			s.closeAll()
		}
	})
	l = NewListener(&Settings{MaxConnections: -1, ConnectTimeout: time.Minute, Rules: Rules{Versions: []int{4}}})
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[1]) })
	c := mqtt.Connect{Version: mqtt.V311, CleanStart: true}
	for i := 0; len(c.ClientID) == 0 || g.ShardOf(msg.SubscriberID{ClientID: string(c.ClientID)}) != 1; i++ {
		c.ClientID = fmt.Appendf(nil, "c%d", i)
	}
	if _, err := unix.Write(fds[1], c.Append(nil)); err != nil {
		t.Fatal(err)
	}
	s := g.shards[0]
	s.accepted(fds[0], netip.AddrPort{}, l)
	conn := s.conn(0)
	conn.readable = true
	s.read(conn)
	return g, l
}

// wantNone fails if a connection is left on one of the loops or in the listener's count.
func wantNone(t *testing.T, g *Group, l *Listener) {
	t.Helper()
	for _, s := range g.shards {
		s.bury()
		if s.open != 0 || len(s.freeConns)%connPage != 0 {
			t.Errorf("loop %d has %d connections open and %d free", s.id, s.open, len(s.freeConns))
		}
	}
	if n := l.Active.Load(); n != 0 {
		t.Errorf("the listener counts %d connections", n)
	}
}

// A login that is answered in the turn in which the broker ends its connection comes too late: the connection does not move on to another loop, and
// is closed once.
func TestDrainDuringLogin(t *testing.T) {
	p := &slow{}
	g, l := client(t, false, p)
	if p.answer == nil {
		t.Fatal("nobody was asked")
	}
	g.shards[0].drainFrom(0)
	p.answer(hook.OK)
	for _, s := range g.shards {
		s.takeCalls()
	}
	wantNone(t, g, l)
}

// A connection that is on its way to a loop that has told its connections ends like them, and does not hold the end of the broker up.
func TestDrainDuringMove(t *testing.T) {
	g, l := client(t, true)
	g.shards[1].drainFrom(0)
	g.shards[0].drainFrom(0)
	for _, s := range g.shards {
		s.takeCalls()
	}
	wantNone(t, g, l)
}

// A parked connection that goes on while a mailbox is full, which it may have filled by what a provider let pass meanwhile, waits for room like any
// other publisher.
func TestResumeWithFullLane(t *testing.T) {
	g, _ := client(t, true)
	from, to := g.shards[0], g.shards[1]
	to.takeCalls() // the connection has moved there
	c := to.conn(0)
	if c.s == nil {
		t.Fatal("no session")
	}
	c.pausedFor = pauseParked
	from.lanes[to.id].full.Store(true)
	to.Resume(&c.out)
	if c.pausedFor != pauseLane {
		t.Errorf("paused for %b, want %b", c.pausedFor, pauseLane)
	}
	from.swapLane(to.id, &from.inboxes[to.id])
	to.takeCalls()
	if c.pausedFor != 0 {
		t.Errorf("paused for %b when there is room", c.pausedFor)
	}
}
