package storetest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

func sessions(h *harness) {
	rec := store.Session{ID: msg.SubscriberID{Mountpoint: "m", ClientID: "a"}, Stamp: msg.Stamp{Time: 7, Node: 8}, Version: 4, Username: "u", Expiry: 100}
	k, ticket := h.PutSession(&rec)
	h.wait(ticket)
	other := h.session("b")
	if k == other {
		h.t.Fatalf("two sessions with key %d", k)
	}
	rec.Key, rec.Disconnected, rec.Remaining, rec.Version = k, 1_700_000_000, 40, 5
	again, ticket := h.PutSession(&rec)
	h.wait(ticket)
	if again != k {
		h.t.Errorf("overwritten session %d has key %d", k, again)
	}
	h.expect(fmt.Sprintf("session %d {m a} v5 user=\"u\" expiry=100 remaining=40 disconnected=1700000000 stamp={7 8} subs=[]", k),
		fmt.Sprintf("session %d {m b} v5 user=\"\" expiry=60 remaining=0 disconnected=0 stamp={0 0} subs=[]", other))
}

// wills come and go with the session's record, and end with the session.
func wills(h *harness) {
	rec := store.Session{ID: msg.SubscriberID{Mountpoint: "m", ClientID: "a"}, Version: 5, Expiry: 60,
		Will: &store.Will{Topic: []byte("w"), Payload: []byte("gone"), Props: []byte{1, 1}, QoS: 2, Retain: true, Delay: 30, Expiry: 9, HasExpiry: true}}
	a, ticket := h.PutSession(&rec)
	h.wait(ticket)
	other := rec
	other.ID.ClientID, other.Will = "b", &store.Will{Topic: []byte("w/b")}
	b, ticket := h.PutSession(&other)
	h.wait(ticket)
	willA := fmt.Sprintf("will of %d: \"w\" \"gone\" props=0101 qos=2 retain=true delay=30 expiry=9,true", a)
	willB := fmt.Sprintf("will of %d: \"w/b\" \"\" props= qos=0 retain=false delay=0 expiry=0,false", b)
	h.expect(line(a, "a", ""), willA, line(b, "b", ""), willB)
	other.Key, other.Will = b, nil
	_, ticket = h.PutSession(&other)
	h.wait(ticket)
	h.expect(line(a, "a", ""), willA, line(b, "b", ""))
	h.wait(h.DeleteSession(a))
	h.expect(line(b, "b", ""))
}

func line(k store.SessionKey, id, subs string) string {
	return fmt.Sprintf("session %d {m %s} v5 user=\"\" expiry=60 remaining=0 disconnected=0 stamp={0 0} subs=[%s]", k, id, subs)
}

func subscriptions(h *harness) {
	k := h.session("a")
	h.wait(h.PutSubscription(k, store.Subscription{Filter: "x/#", Opts: 1, ID: 9}))
	h.wait(h.PutSubscription(k, store.Subscription{Filter: "$share/g/y", Opts: 2}))
	h.wait(h.PutSubscription(k, store.Subscription{Filter: "x/#", Opts: 0x2A, ID: 268435455}))
	h.wait(h.PutSubscription(k, store.Subscription{Filter: "gone", Opts: 1}))
	h.wait(h.DeleteSubscription(k, "gone"))
	h.wait(h.DeleteSubscription(k, "never was"))
	h.expect(line(k, "a", "$share/g/y:2:0 x/#:42:268435455"))
	_, ticket := h.PutSession(&store.Session{Key: k, ID: msg.SubscriberID{Mountpoint: "m", ClientID: "a"}, Expiry: 60, Version: 5})
	h.wait(ticket)
	h.expect(line(k, "a", "$share/g/y:2:0 x/#:42:268435455"))
}

func waiting(m string, k store.SessionKey, opts byte, id uint16, state store.AckKind) string {
	return fmt.Sprintf("message m \"t\" %q props=0101 qos=2 retain=false for %d opts=%d subid=3 id=%d state=%d", m, k, opts, id, state)
}

func messages(h *harness) {
	a, b := h.session("a"), h.session("b")
	ref := h.put(message("t", "one", 2), store.Recipient{Session: a, Opts: 2, SubID: 3}, store.Recipient{Session: b, Opts: 9, SubID: 3})
	h.expect(line(a, "a", ""), line(b, "b", ""), waiting("one", a, 2, 0, store.Waits), waiting("one", b, 9, 0, store.Waits))
	h.ack(store.Done, a, ref, 0)
	h.expect(line(a, "a", ""), line(b, "b", ""), waiting("one", b, 9, 0, store.Waits))
	h.ack(store.Done, a, ref, 0) // a second time: nothing
	h.ack(store.Done, b, ref, 5)
	h.expect(line(a, "a", ""), line(b, "b", ""))
}

// order: messages come back eldest first, whatever was released between.
func order(h *harness) {
	a, b := h.session("a"), h.session("b")
	want := []string{line(a, "a", ""), line(b, "b", "")}
	for i := range 50 {
		r := []store.Recipient{{Session: a, Opts: 1, SubID: 3}}
		if i%3 == 0 {
			r = append(r, store.Recipient{Session: b, Opts: 2, SubID: 3})
		}
		payload := fmt.Sprintf("%02d", i)
		ref := h.put(message("t", payload, 2), r...)
		if i%2 == 0 {
			h.ack(store.Done, a, ref, 0)
		} else {
			want = append(want, waiting(payload, a, 1, 0, store.Waits))
		}
		if i%3 == 0 {
			want = append(want, waiting(payload, b, 2, 0, store.Waits))
		}
	}
	h.expect(want...)
}

func acks(h *harness) {
	a, b := h.session("a"), h.session("b")
	ref := h.put(message("t", "x", 2), store.Recipient{Session: a, Opts: 2, SubID: 3}, store.Recipient{Session: b, Opts: 2, SubID: 3, PacketID: 7})
	both := []string{line(a, "a", ""), line(b, "b", "")}
	h.expect(append(both, waiting("x", a, 2, 0, store.Waits), waiting("x", b, 2, 7, store.Sent))...)
	h.ack(store.Sent, a, ref, 11)
	h.ack(store.Received, b, ref, 7)
	h.expect(append(both, waiting("x", a, 2, 11, store.Sent), waiting("x", b, 2, 7, store.Received))...)
	h.ack(store.Received, a, ref, 11)
	h.ack(store.Done, b, ref, 7)
	h.expect(append(both, waiting("x", a, 2, 11, store.Received))...)
	h.ack(store.Done, a, ref, 11)
	h.expect(both...)
}

// moves: a delivery goes from one session to another, whatever its state, and is a new one there. What is not there is not moved.
func moves(h *harness) {
	a, b := h.session("a"), h.session("b")
	both := []string{line(a, "a", ""), line(b, "b", "")}
	r := store.Recipient{Session: a, Opts: 2, SubID: 3}
	ref := h.put(message("t", "x", 2), r)
	h.ack(store.Sent, a, ref, 11)
	to := store.Recipient{Session: b, Opts: 1, SubID: 3}
	h.wait(h.PutMove(store.Ack{Session: a, Message: ref, PacketID: 11}, to))
	h.expect(append(both, waiting("x", b, 1, 0, store.Waits))...)
	h.wait(h.PutMove(store.Ack{Session: a, Message: ref}, to))
	h.wait(h.PutMove(store.Ack{Session: b, Message: 12345}, r))
	h.expect(append(both, waiting("x", b, 1, 0, store.Waits))...)
	h.ack(store.Done, a, ref, 0)
	h.ack(store.Sent, b, ref, 1)
	h.wait(h.PutMove(store.Ack{Session: b, Message: ref, PacketID: 1}, r))
	h.expect(append(both, waiting("x", a, 2, 0, store.Waits))...)
	h.wait(h.PutMove(store.Ack{Session: a, Message: ref}, store.Recipient{Session: 99})) // nobody is there to have it
	h.expect(both...)
}

// overlapping: a session that gets a message several times has several deliveries, each with a life of its own.
func overlapping(h *harness) {
	a := h.session("a")
	r := store.Recipient{Session: a, Opts: 2, SubID: 3}
	ref := h.put(message("t", "x", 2), r, store.Recipient{Session: a, Opts: 1, SubID: 3}, r)
	h.ack(store.Sent, a, ref, 4)
	h.expect(line(a, "a", ""), waiting("x", a, 2, 4, store.Sent), waiting("x", a, 1, 0, store.Waits), waiting("x", a, 2, 0, store.Waits))
	h.ack(store.Received, a, ref, 4)
	h.ack(store.Done, a, ref, 9) // a QoS 1 delivery: its identifier was never stored
	h.expect(line(a, "a", ""), waiting("x", a, 2, 4, store.Received), waiting("x", a, 2, 0, store.Waits))
	h.ack(store.Done, a, ref, 4)
	h.expect(line(a, "a", ""), waiting("x", a, 2, 0, store.Waits))
	h.ack(store.Done, a, ref, 0)
	h.expect(line(a, "a", ""))
}

// overlappingQoS: an acknowledgement is about the delivery of its QoS, so that what is delivered exactly once stays apart from what is not.
func overlappingQoS(h *harness) {
	a := h.session("a")
	ref := h.put(message("t", "x", 2), store.Recipient{Session: a, Opts: 1, SubID: 3}, store.Recipient{Session: a, Opts: 2, SubID: 3}, store.Recipient{Session: a, SubID: 3})
	step := func(kind store.AckKind, id uint16, qos byte) {
		h.wait(h.PutAck(store.Ack{Kind: kind, Session: a, Message: ref, PacketID: id, QoS: qos}))
	}
	step(store.Sent, 4, 2)
	h.expect(line(a, "a", ""), waiting("x", a, 1, 0, store.Waits), waiting("x", a, 2, 4, store.Sent), waiting("x", a, 0, 0, store.Waits))
	step(store.Done, 0, 0)
	h.expect(line(a, "a", ""), waiting("x", a, 1, 0, store.Waits), waiting("x", a, 2, 4, store.Sent))
	step(store.Done, 7, 1)
	h.expect(line(a, "a", ""), waiting("x", a, 2, 4, store.Sent))
	step(store.Received, 4, 2)
	step(store.Done, 4, 2)
	h.expect(line(a, "a", ""))
}

func inbound(h *harness) {
	a, b := h.session("a"), h.session("b")
	_, ticket := h.PutMessage(message("t", "x", 2), store.Inbound{Session: a, PacketID: 65535}, []store.Recipient{{Session: b, Opts: 2, SubID: 3}})
	h.wait(ticket)
	_, ticket = h.PutMessage(message("t", "y", 2), store.Inbound{Session: a, PacketID: 1}, nil)
	h.wait(ticket)
	both := []string{line(a, "a", ""), line(b, "b", ""), waiting("x", b, 2, 0, store.Waits)}
	h.expect(append(both, fmt.Sprintf("inbound %d id=1", a), fmt.Sprintf("inbound %d id=65535", a))...)
	h.ack(store.Released, a, 0, 65535)
	h.ack(store.Released, a, 0, 2)
	h.expect(append(both, fmt.Sprintf("inbound %d id=1", a))...)
}

func retained(h *harness) {
	put := func(mountpoint, topic, payload string) {
		h.wait(h.PutRetained(mountpoint, msg.New(mountpoint, []byte(topic), []byte(payload), nil, 1, true)))
	}
	put("", "a", "1")
	put("m", "a", "2")
	put("", "a", "3")
	put("", "b", "4")
	put("", "b", "")
	put("", "never", "")
	h.expect(`retained  "a" "3" qos=1`, `retained m "a" "2" qos=1`)
}

// apiKeys: one for each digest and scope, told in that order, and alone if nothing else is asked for.
func apiKeys(h *harness) {
	one, two := [32]byte{1, 31: 1}, [32]byte{2}
	h.wait(h.PutAPIKey(store.APIKey{Digest: two, Scope: "mgmt"}))
	h.wait(h.PutAPIKey(store.APIKey{Digest: one, Scope: "mgmt", Beginning: "abc", Expires: 1 << 40}))
	h.wait(h.PutAPIKey(store.APIKey{Digest: one, Scope: "api2", Beginning: "abc"}))
	h.wait(h.PutAPIKey(store.APIKey{Digest: two, Scope: "mgmt", Beginning: "x", Expires: -1}))
	h.wait(h.PutAPIKey(store.APIKey{Digest: two, Scope: "gone"}))
	h.wait(h.DeleteAPIKey(two, "gone"))
	h.wait(h.DeleteAPIKey(two, "gone"))
	h.wait(h.DeleteAPIKey(one, "never"))
	h.session("a")
	h.wait(h.PutRetained("", message("t", "x", 1)))
	h.expect(line(1, "a", ""), `retained  "t" "x" qos=1`, `api key 0100 "api2" "abc" expires=0`, `api key 0100 "mgmt" "abc" expires=1099511627776`, `api key 0200 "mgmt" "x" expires=-1`)
	var scopes []string
	if err := h.Load(store.Loader{APIKey: func(k store.APIKey) { scopes = append(scopes, k.Scope) }}); err != nil {
		h.t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"api2", "mgmt", "mgmt"}, scopes); diff != "" {
		h.t.Errorf("scopes (-want +got):\n%s", diff)
	}
}

func deleteSession(h *harness) {
	a, b := h.session("a"), h.session("b")
	h.wait(h.PutSubscription(a, store.Subscription{Filter: "x", Opts: 1}))
	r := store.Recipient{Session: a, Opts: 2, SubID: 3}
	_, ticket := h.PutMessage(message("t", "x", 2), store.Inbound{Session: a, PacketID: 3}, []store.Recipient{r, r, {Session: b, Opts: 2, SubID: 3}})
	h.wait(ticket)
	h.put(message("t", "only a", 2), r)
	h.wait(h.DeleteSession(a))
	h.wait(h.DeleteSession(a))
	h.expect(line(b, "b", ""), waiting("x", b, 2, 0, store.Waits))
	if c := h.session("a"); c == a {
		h.t.Errorf("key %d was given to another session", c)
	}
}

func readBack(h *harness) {
	a := h.session("a")
	r := store.Recipient{Session: a, Opts: 1}
	refs := []store.MessageRef{h.put(message("t", "0", 1), r), h.put(message("t", "1", 1), r), h.put(message("t", "2", 1), r)}
	h.ack(store.Done, a, refs[1], 0)
	got := make(chan []string)
	asked := []store.MessageRef{refs[2], refs[1], refs[0], refs[2]}
	h.ReadMessages(asked, func(ms []*msg.Message) {
		var payloads []string
		for _, m := range ms {
			if m == nil {
				payloads = append(payloads, "gone")
			} else {
				payloads = append(payloads, string(m.Payload))
			}
		}
		got <- payloads
	})
	clear(asked) // the caller's again
	if diff := cmp.Diff([]string{"2", "gone", "0", "2"}, <-got); diff != "" {
		h.t.Errorf("read back (-want +got):\n%s", diff)
	}
}

// tickets never run backwards in the order of calls, and all complete.
func tickets(h *harness) {
	k, last := h.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	for i := range 200 {
		var ticket store.Ticket
		switch i % 5 {
		case 0:
			_, ticket = h.PutMessage(message("t", "x", 1), store.Inbound{Session: k, PacketID: uint16(i + 1)}, []store.Recipient{{Session: k, Opts: 1}})
		case 1:
			ticket = h.PutAck(store.Ack{Kind: store.Released, Session: k, PacketID: uint16(i)})
		case 2:
			ticket = h.PutSubscription(k, store.Subscription{Filter: "a"})
		case 3:
			ticket = h.PutRetained("", message("t", "x", 1))
		case 4:
			ticket = h.DeleteSubscription(k, "a")
		}
		if ticket != 0 && ticket < last { // 0 is complete at once, whatever was asked to wait before
			h.t.Fatalf("ticket %d after %d", ticket, last)
		}
		last = max(last, ticket)
	}
	h.wait(last)
}

// late: who comes after a ticket was complete is told of it all the same.
func late(h *harness) {
	h.session("a")
	second := &completer{t: h.t}
	second.cond = sync.NewCond(&second.mu)
	h.Notify(second)
	ticket := h.PutSubscription(99, store.Subscription{Filter: "x"}) // nothing is written
	(&harness{t: h.t, done: second, changed: second.cond}).wait(ticket)
}

// unknown sessions and messages are no error: the session may just have ended.
func unknown(h *harness) {
	h.wait(h.PutSubscription(99, store.Subscription{Filter: "x"}))
	h.wait(h.DeleteSubscription(99, "x"))
	h.wait(h.DeleteSession(99))
	h.ack(store.Done, 99, 98, 1)
	k := h.session("a")
	h.ack(store.Sent, k, 98, 1)
	_, ticket := h.PutMessage(message("t", "x", 1), store.Inbound{Session: 99, PacketID: 1}, []store.Recipient{{Session: 99, Opts: 1}})
	h.wait(ticket)
	h.expect(line(k, "a", ""))
}

// concurrent: several shards write at once, each for its own sessions.
func concurrent(h *harness) {
	keys := []store.SessionKey{h.session("a"), h.session("b"), h.session("c")}
	var wg sync.WaitGroup
	for _, k := range keys {
		wg.Go(func() {
			for i := range 100 {
				ref, ticket := h.PutMessage(message("t", "x", 1), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
				h.wait(ticket)
				h.ack(store.Done, k, ref, uint16(i+1))
			}
		})
	}
	wg.Wait()
	h.expect(line(keys[0], "a", ""), line(keys[1], "b", ""), line(keys[2], "c", ""))
}
