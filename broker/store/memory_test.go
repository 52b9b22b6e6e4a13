package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, false, func(*testing.T, bool) store.Store { return store.NewMemory() })
}

type told []store.Ticket

func (c *told) Durable(upTo store.Ticket, _ error) { *c = append(*c, upTo) }

// TestHold: while a Memory is held its tickets complete when they are released, in order and for every completer.
func TestHold(t *testing.T) {
	s := store.NewMemory()
	var a, b told
	s.Notify(&a)
	s.Notify(&b)
	k, ticket := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	if ticket != 0 {
		t.Fatalf("ticket %d before Hold: want 0, complete at once", ticket)
	}
	s.Hold()
	var tickets []store.Ticket
	for range 4 {
		tickets = append(tickets, s.PutSubscription(k, store.Subscription{Filter: "x"}))
	}
	if diff := cmp.Diff([]store.Ticket{1, 2, 3, 4}, tickets); diff != "" {
		t.Fatalf("tickets (-want +got):\n%s", diff)
	}
	s.Release(2)
	if n := s.Held(); n != 2 {
		t.Errorf("held after Release(2): %d, want 2", n)
	}
	s.Release(1) // older than what is complete
	s.Release(0)
	if n := s.Held(); n != 0 {
		t.Errorf("held after Release(0): %d, want 0", n)
	}
	want := told{0, 2, 2, 4} // the first from Notify
	for name, got := range map[string]told{"first": a, "second": b} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s completer (-want +got):\n%s", name, diff)
		}
	}
}
