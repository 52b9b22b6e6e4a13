// Package storetest is what every store.Store must fulfil, as one suite of tests. It knows the contract and nothing of how it is kept.
package storetest

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// Run tests a store. open returns a new, empty one, or with again true the one that the last open gave, after its Close: what was written to
// a durable store must be there again. A store that is not durable ignores again, and says so with durable false.
func Run(t *testing.T, durable bool, open func(t *testing.T, again bool) store.Store) {
	for _, c := range []struct {
		name string
		f    func(*harness)
	}{
		{"sessions", sessions}, {"wills", wills}, {"subscriptions", subscriptions}, {"messages", messages}, {"order", order}, {"acks", acks},
		{"overlapping", overlapping}, {"overlapping by QoS", overlappingQoS}, {"moves", moves}, {"inbound", inbound}, {"retained", retained}, {"API keys", apiKeys}, {"delete session", deleteSession}, {"read back", readBack},
		{"tickets", tickets}, {"late", late}, {"unknown", unknown}, {"concurrent", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &harness{t: t, done: &completer{t: t}}
			h.changed = sync.NewCond(&h.done.mu)
			h.done.cond = h.changed
			h.Store = open(t, false)
			h.Notify(h.done)
			c.f(h)
			want := h.dump()
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			if durable {
				h.Store = open(t, true)
				if diff := cmp.Diff(want, h.dump()); diff != "" {
					t.Errorf("after Close and open (-want +got):\n%s", diff)
				}
				if err := h.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type harness struct {
	store.Store
	t       *testing.T
	done    *completer
	changed *sync.Cond
}

// completer holds a store to the order of its completions.
type completer struct {
	t    *testing.T
	mu   sync.Mutex
	cond *sync.Cond
	upTo store.Ticket
}

func (c *completer) Durable(upTo store.Ticket, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.t.Errorf("Durable(%d): %v", upTo, err)
	}
	if upTo < c.upTo {
		c.t.Errorf("completion %d after %d", upTo, c.upTo)
	}
	c.upTo = upTo
	c.cond.Broadcast()
}

// wait returns when ticket is durable.
func (h *harness) wait(ticket store.Ticket) {
	h.done.mu.Lock()
	defer h.done.mu.Unlock()
	for h.done.upTo < ticket {
		h.changed.Wait()
	}
}

func (h *harness) session(id string) store.SessionKey {
	h.t.Helper()
	k, ticket := h.PutSession(&store.Session{ID: msg.SubscriberID{Mountpoint: "m", ClientID: id}, Expiry: 60, Version: 5})
	h.wait(ticket)
	if k == 0 {
		h.t.Fatalf("session %s has no key", id)
	}
	return k
}

func message(topic, payload string, qos byte) *msg.Message {
	return msg.New("m", []byte(topic), []byte(payload), []byte{1, 1}, qos, false)
}

func (h *harness) put(m *msg.Message, rs ...store.Recipient) store.MessageRef {
	h.t.Helper()
	ref, ticket := h.PutMessage(m, store.Inbound{}, rs)
	h.wait(ticket)
	if ref == 0 {
		h.t.Fatal("message has no reference")
	}
	return ref
}

func (h *harness) ack(kind store.AckKind, k store.SessionKey, ref store.MessageRef, id uint16) {
	h.wait(h.PutAck(store.Ack{Kind: kind, Session: k, Message: ref, PacketID: id}))
}

// dump is everything in the store, in the order of Load where that is promised and sorted where it is not.
func (h *harness) dump() (out []string) {
	h.t.Helper()
	var retained, inbound, keys []string
	stage := 0
	in := func(n int, what string) {
		if n < stage {
			h.t.Errorf("Load: %s after a later kind", what)
		}
		stage = n
	}
	err := h.Load(store.Loader{
		Session: func(s *store.Session) {
			in(0, "session")
			var subs []string
			for _, x := range s.Subscriptions {
				subs = append(subs, fmt.Sprintf("%s:%d:%d", x.Filter, x.Opts, x.ID))
			}
			sort.Strings(subs)
			out = append(out, fmt.Sprintf("session %d %v v%d user=%q expiry=%d remaining=%d disconnected=%d stamp=%v subs=%v", s.Key, s.ID, s.Version, s.Username,
				s.Expiry, s.Remaining, s.Disconnected, s.Stamp, subs))
			if w := s.Will; w != nil {
				out = append(out, fmt.Sprintf("will of %d: %q %q props=%x qos=%d retain=%v delay=%d expiry=%d,%v", s.Key, w.Topic, w.Payload, w.Props, w.QoS, w.Retain,
					w.Delay, w.Expiry, w.HasExpiry))
			}
		},
		Inbound: func(x store.Inbound) {
			inbound = append(inbound, fmt.Sprintf("inbound %d id=%d", x.Session, x.PacketID))
		},
		Message: func(ref store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			in(1, "message")
			if ref == 0 || m == nil {
				h.t.Fatalf("Load: message %v under reference %d", m, ref)
			}
			out = append(out, fmt.Sprintf("message %s %q %q props=%x qos=%d retain=%v for %d opts=%d subid=%d id=%d state=%d", m.Mountpoint, m.Topic, m.Payload,
				m.Props, m.QoS, m.Retain, r.Session, r.Opts, r.SubID, r.PacketID, state))
		},
		Retained: func(mountpoint string, m *msg.Message) {
			in(2, "retained message")
			retained = append(retained, fmt.Sprintf("retained %s %q %q qos=%d", mountpoint, m.Topic, m.Payload, m.QoS))
		},
		APIKey: func(k store.APIKey) {
			in(3, "API key")
			keys = append(keys, fmt.Sprintf("api key %x %q %q expires=%d", k.Digest[:2], k.Scope, k.Beginning, k.Expires))
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	sort.Strings(inbound)
	sort.Strings(retained)
	return slices.Concat(out, inbound, retained, keys)
}

func (h *harness) expect(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.dump()); diff != "" {
		h.t.Fatalf("stored (-want +got):\n%s", diff)
	}
}
