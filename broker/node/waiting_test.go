package node_test

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/node"
	"vernemq/broker/store"
)

// filled keeps the writer of many messages within what the store lets wait.
type filled struct {
	upTo atomic.Uint64
	more chan struct{}
}

func (f *filled) Durable(upTo store.Ticket, _ error) {
	f.upTo.Store(uint64(upTo))
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *filled) wait(t store.Ticket) {
	for f.upTo.Load() < uint64(t) {
		<-f.more
	}
}

// fill makes a store with sessions that nobody has come back to, and messages for them in turn.
func fill(t *testing.T, dir string, sessions, messages int) {
	t.Helper()
	st, err := store.Open(store.Config{Dir: dir, Durability: store.DurableNone, SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	f := &filled{more: make(chan struct{}, 1)}
	st.Notify(f)
	keys := make([]store.SessionKey, sessions)
	for i := range keys {
		keys[i], _ = st.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: fmt.Sprintf("away-%d", i)}, Expiry: math.MaxUint32, Version: 4})
	}
	payload := bytes.Repeat([]byte{'x'}, 512)
	for i := range messages {
		k := i * 7 % sessions
		m := msg.New("", fmt.Appendf(nil, "d/%d", k), payload, nil, 1, false)
		ref, ticket := st.PutMessage(m, store.Inbound{}, []store.Recipient{{Session: keys[k], Opts: 1}})
		if ref == 0 {
			t.Fatal("a message was refused")
		}
		if i%1000 == 999 {
			f.wait(ticket)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWaitingHeap: what waits for absent clients is on the disk. In memory a broker that was started over it has less than 100 bytes for each of
// many messages, whatever their size.
func TestWaitingHeap(t *testing.T) {
	const sessions, messages = 100, 100_000
	started := func(dir string) int64 {
		o := options(1)
		o.StoreDir, o.StoreSegmentSize = dir, 1<<20
		n, err := node.Start(t.Context(), node.Params{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		stop(t, n)
		return int64(m.HeapAlloc)
	}
	dir := t.TempDir()
	fill(t, filepath.Join(dir, "full"), sessions, messages)
	empty := started(filepath.Join(dir, "empty"))
	each := float64(started(filepath.Join(dir, "full"))-empty) / messages
	if each >= 100 {
		t.Errorf("%.1f bytes for each message that waits", each)
	}
	t.Logf("%.1f bytes for each message that waits", each)
}
