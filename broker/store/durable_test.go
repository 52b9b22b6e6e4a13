package store_test

import (
	"testing"
	"time"

	"vernemq/broker/store"
	"vernemq/broker/store/storetest"
)

// TestDurable: the durable store is every store's twin, at each degree of durability, and with segments so small that everything is compacted.
func TestDurable(t *testing.T) {
	for _, d := range []store.Durability{store.DurableAck, store.DurableInterval, store.DurableNone} {
		for name, segment := range map[string]int{"": 0, " small segments": 200} {
			t.Run(string(d)+name, func(t *testing.T) {
				dir := ""
				storetest.Run(t, true, func(t *testing.T, again bool) store.Store {
					if !again {
						dir = t.TempDir()
					}
					s, err := store.Open(store.Config{Dir: dir, Durability: d, SegmentBytes: segment, BallastBytes: 1 << 16, GatherFor: time.Millisecond})
					if err != nil {
						t.Fatal(err)
					}
					return s
				})
			})
		}
	}
}
