package store_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/store/wallog/faultfs"
)

// gauge is a disk with so many bytes for batches.
type gauge struct{ full atomic.Bool }

func (g *gauge) fail(op, _ string) error {
	if g.full.Load() && (op == "batch" || op == "allocate") {
		return syscall.ENOSPC
	}
	return nil
}

// notices passes on what a store tells.
type notices chan error

func (c notices) Durable(_ store.Ticket, err error) { c <- err }

func TestLimit(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir(), BallastBytes: -1, MaxBytes: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	k, _ := s.PutSession(&store.Session{})
	taken := 0
	var last store.MessageRef
	for range 100 {
		if ref, _ := s.PutMessage(payload(1000), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}}); ref != 0 {
			taken++
			last = ref
		}
	}
	if taken < 10 || taken > 20 {
		t.Errorf("%d messages of 1000 bytes were taken with a limit of 20000", taken)
	}
	if s.Health() == nil || s.Stats().Refused != int64(100-taken) {
		t.Errorf("health %v, refused %d", s.Health(), s.Stats().Refused)
	}
	s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: last})
	if n := s.Stats().Waiting; n != taken-1 {
		t.Errorf("%d deliveries wait after an acknowledgement, want %d", n, taken-1)
	}
}

// TestNoSpace: on a full disk nothing is acknowledged and no message is taken; when there is space again what waited becomes durable.
func TestNoSpace(t *testing.T) {
	g := &gauge{}
	dir := t.TempDir()
	cfg := store.Config{Dir: dir, FS: &faultfs.FS{Root: dir, Fail: g.fail, Torn: 40, Space: 1 << 40}, RetryEvery: time.Millisecond}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	w := newWaiter(s)
	_, ticket := s.PutMessage(payload(10), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
	w.wait(ticket)
	told := make(notices, 1000)
	s.Notify(told)
	g.full.Store(true)
	_, ticket = s.PutMessage(payload(10), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
	if err := errors.Join(<-told, <-told); err == nil { // what was durable before, then
		t.Fatal("a write that failed was told to be durable")
	}
	if ref, _ := s.PutMessage(payload(10), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}}); ref != 0 {
		t.Error("a full disk took a message")
	}
	if s.Health() == nil || s.Stats().Failures == 0 {
		t.Errorf("health %v, %d failures", s.Health(), s.Stats().Failures)
	}
	sub := s.PutSubscription(k, store.Subscription{Filter: "x"})
	g.full.Store(false)
	w.wait(max(ticket, sub))
	for s.Health() != nil { // the ballast comes back a moment later
		w.wait(s.PutSubscription(k, store.Subscription{Filter: "x"}))
	}
	mustClose(t, s)
	s, got := reopened(t, cfg)
	defer mustClose(t, s)
	if len(got) != 3 { // the session, the subscription; the payloads are alike
		t.Errorf("after recovery: %v", got)
	}
	if n := s.Stats().Waiting; n != 2 {
		t.Errorf("%d deliveries wait, want 2", n)
	}
}

// TestGivenUp: while the disk is out of order what waits for it is bounded; beyond that the store gives up rather than lie.
func TestGivenUp(t *testing.T) {
	g := &gauge{}
	dir := t.TempDir()
	cfg := store.Config{Dir: dir, FS: &faultfs.FS{Root: dir, Fail: g.fail}, RetryEvery: time.Millisecond, MaxPending: 10_000, BallastBytes: -1}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	told := make(notices, 10)
	k, ticket := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	newWaiter(s).wait(ticket)
	s.Notify(told)
	g.full.Store(true)
	s.PutSubscription(k, store.Subscription{Filter: "x"})
	for err := range told {
		if err != nil {
			break
		}
	}
	for i := range 2000 {
		s.PutSubscription(k, store.Subscription{Filter: fmt.Sprint(i)})
	}
	if x := s.Stats(); s.Degraded() == nil || x.PendingBytes > 30_000 {
		t.Errorf("degraded %v, %d bytes wait", s.Degraded(), x.PendingBytes)
	}
	if err := s.Close(); err == nil {
		t.Error("Close says that all is well")
	}
	g.full.Store(false)
	s, got := reopened(t, cfg)
	defer mustClose(t, s)
	if s.Degraded() != nil || len(got) != 1 {
		t.Errorf("after another start: %v, %v", s.Degraded(), got)
	}
}
