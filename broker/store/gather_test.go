package store_test

import (
	"testing"
	"time"

	"vernemq/broker/store"
)

// Acknowledgements by subscribers cost the disk no write of their own: they go with whatever is written next, and with the end of the broker.
func TestAcknowledgementsGather(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), GatherFor: time.Hour}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter(s)
	k, ticket := s.PutSession(&store.Session{})
	w.wait(ticket)
	var refs []store.MessageRef
	for range 300 {
		var ref store.MessageRef
		ref, ticket = s.PutMessage(payload(10), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
		refs = append(refs, ref)
	}
	w.wait(ticket)
	done := func(refs []store.MessageRef) {
		for _, ref := range refs {
			s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref})
		}
	}
	before := s.Stats()
	done(refs[:100])
	_, nothing := s.PutMessage(payload(10), store.Inbound{}, nil)
	w.wait(nothing) // what writes nothing does not wait for them
	if x := s.Stats(); x.Batches != before.Batches || x.PendingBytes == 0 {
		t.Errorf("%d writes for 100 acknowledgements, %d bytes wait; want none, and some", x.Batches-before.Batches, x.PendingBytes)
	}
	w.wait(s.PutSubscription(k, store.Subscription{Filter: "f"})) // what somebody waits for takes them along
	if x := s.Stats(); x.Records != before.Records+101 || x.PendingBytes != 0 {
		t.Errorf("%d records were written and %d bytes wait, want 101 and none", x.Records-before.Records, x.PendingBytes)
	}
	done(refs[100:])
	mustClose(t, s)
	s, err = store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if x := s.Stats(); x.StoredMessages != 0 || x.Sessions != 1 {
		t.Errorf("%d messages and %d sessions after the end, want none and one", x.StoredMessages, x.Sessions)
	}
	mustClose(t, s)
}

// They do not wait for ever, nor in any number.
func TestAcknowledgementsGatherBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		wait     time.Duration
		messages int
	}{"time": {time.Millisecond, 1}, "bytes": {time.Hour, 20_000}} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(store.Config{Dir: t.TempDir(), GatherFor: tt.wait})
			if err != nil {
				t.Fatal(err)
			}
			w := newWaiter(s)
			k, ticket := s.PutSession(&store.Session{})
			refs := make([]store.MessageRef, tt.messages)
			for i := range refs {
				refs[i], ticket = s.PutMessage(payload(10), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
			}
			w.wait(ticket)
			var first store.Ticket
			for i, ref := range refs {
				if ticket := s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref}); i == 0 {
					first = ticket
				}
			}
			w.wait(first) // else it is never written
			mustClose(t, s)
		})
	}
}

// A segment of which nothing is needed goes unread: damage in it hurts nobody any more.
func TestBarrenSegmentsGoUnread(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), SegmentBytes: 16 << 10, CompactRate: -1}
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiter(s)
	k, ticket := s.PutSession(&store.Session{})
	w.wait(ticket)
	var refs []store.MessageRef
	put := func(n int) {
		for range n {
			var ref store.MessageRef
			ref, ticket = s.PutMessage(payload(1000), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
			w.wait(ticket)
			refs = append(refs, ref)
		}
	}
	put(3000) // more than the records of neighbours that are counted together
	if err := s.Compact(); err != nil {
		t.Fatal(err) // the session is not in the eldest segments any more
	}
	before := s.Stats()
	for _, ref := range refs {
		s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref})
	}
	put(1)
	if err := s.Recount(); err != nil {
		t.Fatal(err)
	}
	flip(t, cfg.Dir, 1, 2)
	if err := s.Compact(); err != nil {
		t.Error(err)
	}
	x := s.Stats()
	if x.Damage != "" {
		t.Error(x.Damage)
	}
	if n := int(x.Dropped - before.Dropped); n < before.Segments-1 {
		t.Errorf("%d of %d segments were dropped", n, before.Segments)
	}
	mustClose(t, s)
}
