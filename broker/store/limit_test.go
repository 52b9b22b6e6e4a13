package store_test

import (
	"fmt"
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// TestLimitHolds: with everything written that a full store allows, the files keep to MaxBytes; acknowledgements and deletions are always written, and
// make room.
func TestLimitHolds(t *testing.T) {
	const limit = 2 << 20
	cfg := store.Config{Dir: t.TempDir(), Durability: store.DurableInterval, BallastBytes: -1, MaxBytes: limit, SegmentBytes: 64 << 10}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter(s)
	k, _ := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	var refs []store.MessageRef
	sessions, refused, most := 1, 0, int64(0)
	for i := range 30_000 {
		var ticket store.Ticket
		switch {
		case i%5 == 0 && s.Full() == nil:
			_, ticket = s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: fmt.Sprint(i)}})
			sessions++
		case i%5 == 1 && s.Full() == nil:
			ticket = s.PutSubscription(k, store.Subscription{Filter: fmt.Sprint(i)})
		case i%5 == 2 && s.Full() == nil:
			ticket = s.PutRetained("", msg.New("", fmt.Append(nil, i%500), make([]byte, 300), nil, 1, true))
		default:
			var ref store.MessageRef
			if ref, ticket = s.PutMessage(payload(500), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}}); ref == 0 {
				refused++
			} else {
				refs = append(refs, ref)
			}
		}
		if s.Full() != nil && len(refs) > 100 { // some are answered
			for range 50 {
				ticket = s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: refs[0], QoS: 1})
				refs = refs[1:]
			}
		}
		w.wait(ticket)
		most = max(most, s.Stats().DiskBytes)
	}
	if refused == 0 || most > limit || most < limit/2 {
		t.Errorf("%d messages were refused, the files had up to %d bytes, with a limit of %d", refused, most, limit)
	}
	for _, ref := range refs {
		s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref, QoS: 1})
	}
	if err := s.Compact(); err != nil {
		t.Fatal(err)
	}
	if err := s.Full(); err != nil {
		t.Errorf("with all messages answered: %v", err)
	}
	mustClose(t, s)
	s, _ = reopened(t, cfg)
	defer mustClose(t, s)
	if x := s.Stats(); x.Sessions != sessions || x.Waiting != 0 {
		t.Errorf("after another start %d sessions and %d deliveries, want %d and none", x.Sessions, x.Waiting, sessions)
	}
	t.Logf("%d refused, at most %d bytes", refused, most)
}
