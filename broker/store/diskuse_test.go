package store_test

import (
	"fmt"
	"sync"
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// TestDiskUse: publishers as fast as they are acknowledged, with messages that go at once and others that stay for long: the files never have more
// than twice what is needed and three segments.
func TestDiskUse(t *testing.T) {
	for _, d := range []store.Durability{store.DurableAck, store.DurableInterval, store.DurableNone} {
		t.Run(string(d), func(t *testing.T) { diskUse(t, d) })
	}
}

func diskUse(t *testing.T, d store.Durability) {
	const segment, writers = 256 << 10, 20
	rounds := 1500
	if d == store.DurableAck {
		rounds = 300 // each waits for a sync
	}
	s, err := store.Open(store.Config{Dir: t.TempDir(), Durability: d, SegmentBytes: segment, BallastBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter(s)
	k, _ := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	rs := []store.Recipient{{Session: k, Opts: 1}}
	m := payload(1000)
	for range 1000 {
		_, ticket := s.PutMessage(m, store.Inbound{}, rs)
		w.wait(ticket)
	}
	before := s.Stats()
	var mu sync.Mutex
	most := int64(0)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range rounds {
				ref, ticket := s.PutMessage(m, store.Inbound{}, rs)
				if ref == 0 {
					t.Error(s.Health())
					return
				}
				w.wait(ticket)
				s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref, QoS: 1})
				if i%10 == 0 {
					x := s.Stats()
					mu.Lock()
					most = max(most, x.DiskBytes-2*x.LiveBytes)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	x := s.Stats()
	text := fmt.Sprintf("%d MB were written, at most %.1f segments more than twice what was needed, %d segments dropped", (x.LogBytes-before.LogBytes)>>20,
		float64(most)/segment, x.Dropped)
	if most > 3*segment {
		t.Error(text)
	} else {
		t.Log(text)
	}
	if x.Dropped == 0 {
		t.Error("nothing was compacted")
	}
	mustClose(t, s)
}
