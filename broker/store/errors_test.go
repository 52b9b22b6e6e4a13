package store_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"vernemq/broker/store"
	"vernemq/broker/store/wallog/faultfs"
)

// failer lets the n-th call of the file layer and some after it fail.
type failer struct {
	mu     sync.Mutex
	calls  int
	from   int
	length int
	err    error
	failed map[string]bool
}

func (f *failer) fail(op, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls < f.from || f.calls >= f.from+f.length || f.calls > f.from && rand.New(rand.NewPCG(uint64(f.calls), uint64(f.from))).IntN(3) > 0 {
		return nil
	}
	f.failed[op] = true
	return f.err
}

// TestErrors lets every call of the file layer fail in turn, for one call or for several, with some of a write arrived or none: no promise is
// broken, and when the disk works again so does the store.
func TestErrors(t *testing.T) {
	failed := map[string]bool{}
	for i, e := range []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.ENOSPC, syscall.EIO} {
		d := []store.Durability{store.DurableAck, store.DurableInterval}[i/2]
		for _, length := range []int{1, 12} {
			t.Run(fmt.Sprintf("%s %v %d", d, e, length), func(t *testing.T) {
				f := &failer{from: 1 << 30, err: e, failed: failed}
				withErrors(t, d, f, 0)
				for n := 1; n < f.calls; n += 1 + n/60 {
					withErrors(t, d, &failer{from: n, length: length, err: e, failed: failed}, uint64(n))
					if t.Failed() {
						t.Fatalf("call %d of %d", n, f.calls)
					}
				}
			})
		}
	}
	for _, op := range []string{
		"open", "write", "sync", "batch", "syncdir", "remove", "truncate", "openwriter", "mkdir", "readdir", "allocate", "rename", "close",
	} {
		if !failed[op] {
			t.Errorf("no %s failed: the test does not reach it", op)
		}
	}
}

func withErrors(t *testing.T, d store.Durability, f *failer, seed uint64) {
	t.Helper()
	dir := memoryDir(t)
	rnd := rand.New(rand.NewPCG(seed, 2))
	fs := &faultfs.FS{Root: dir, Fail: f.fail, Torn: rnd.IntN(300), Space: 1 << 40}
	cfg := store.Config{Dir: dir, Durability: d, SyncInterval: time.Millisecond, GatherFor: time.Millisecond, SegmentBytes: 250, FS: fs, CompactRate: 1 << 30, RetryEvery: time.Millisecond, MaxPending: 1 << 20}
	var s *store.Durable
	for tries := 0; s == nil; tries++ {
		var err error
		if s, err = store.Open(cfg); err != nil && tries > 20 {
			t.Fatal(err)
		}
	}
	m := newModel(t, s, seed)
	for range 120 {
		if ticket := m.step(); m.rnd.IntN(3) == 0 {
			m.wait(ticket)
		}
	}
	got, err := contents(s)
	if err != nil {
		t.Error(err)
	}
	if s.Degraded() == nil && s.Stats().Unreadable == 0 {
		for _, w := range m.check(got, 1<<62) {
			t.Errorf("running: %s", w)
		}
	}
	closing := s.Close()
	if closing != nil && f.calls < f.from {
		t.Error(closing)
	}
	m.mu.Lock()
	done := m.done
	m.mu.Unlock()
	fs.Fail = nil
	if s, err = store.Open(cfg); err != nil {
		t.Error(err)
		return
	}
	if err := s.Degraded(); err != nil {
		t.Error(err)
	}
	if got, err = contents(s); err != nil {
		t.Error(err)
	}
	if d == store.DurableInterval && closing != nil {
		done = 0 // what was not synced yet had no place to go, and Close has said so
	}
	for _, w := range m.check(got, done) {
		t.Errorf("after another start: %s", w)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
