package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// model is what a store was told: for each thing it keeps all values the thing had, each with the ticket of the call. What a crash may leave of
// it is the value of the last ticket that was complete, or a later one: a call whose ticket was not complete may have arrived or not.
type model struct {
	t        testing.TB
	s        *store.Durable
	rnd      *rand.Rand
	things   map[string][]version
	sessions []store.SessionKey
	open     []waiting // deliveries
	inbound  []store.Inbound
	n        int
	at       func() int // where the trace is

	mu        sync.Mutex
	changed   *sync.Cond
	done      store.Ticket
	completed []completion
}

type version struct {
	ticket store.Ticket
	value  string // "" is absent
}

type completion struct {
	at   int
	upTo store.Ticket
}

type waiting struct {
	name string
	a    store.Ack
}

func newModel(t testing.TB, s *store.Durable, seed uint64) *model {
	m := &model{t: t, s: s, rnd: rand.New(rand.NewPCG(seed, 1)), things: map[string][]version{}, at: func() int { return 0 }}
	m.changed = sync.NewCond(&m.mu)
	s.Notify(m)
	return m
}

// Durable implements store.Completer.
func (m *model) Durable(upTo store.Ticket, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if upTo < m.done {
		m.t.Errorf("Durable(%d) after %d", upTo, m.done)
	}
	if err == nil && upTo > m.done {
		m.done = upTo
		m.completed = append(m.completed, completion{m.at(), upTo})
		m.changed.Broadcast()
	}
}

func (m *model) wait(t store.Ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.done < t {
		m.changed.Wait()
	}
}

func (m *model) set(name string, t store.Ticket, value string) {
	m.things[name] = append(m.things[name], version{t, value})
}

// step makes one random call and returns its ticket.
func (m *model) step() (t store.Ticket) {
	m.n++
	switch x := m.rnd.IntN(30); {
	case len(m.sessions) < 2 || x == 0 && len(m.sessions) < 6:
		return m.putSession(0)
	case x == 1:
		return m.putSession(m.sessions[m.rnd.IntN(len(m.sessions))])
	case x == 2 && m.rnd.IntN(3) == 0:
		return m.endSession()
	case x < 5:
		k := m.sessions[m.rnd.IntN(len(m.sessions))]
		sub := store.Subscription{Filter: fmt.Sprintf("f/%d", m.rnd.IntN(5)), Opts: byte(m.n), ID: uint32(m.n)}
		t = m.s.PutSubscription(k, sub)
		m.set(fmt.Sprintf("sub %d %s", k, sub.Filter), t, fmt.Sprint(sub))
	case x == 5:
		k, f := m.sessions[m.rnd.IntN(len(m.sessions))], fmt.Sprintf("f/%d", m.rnd.IntN(5))
		t = m.s.DeleteSubscription(k, f)
		m.set(fmt.Sprintf("sub %d %s", k, f), t, "")
	case x < 8:
		return m.retain()
	case x < 13:
		return m.publish()
	case x == 13 && len(m.inbound) > 0:
		i := m.rnd.IntN(len(m.inbound))
		in := m.inbound[i]
		m.inbound = slices.Delete(m.inbound, i, i+1)
		t = m.s.PutAck(store.Ack{Kind: store.Released, Session: in.Session, PacketID: in.PacketID})
		m.set(fmt.Sprintf("inbound %d %d", in.Session, in.PacketID), t, "")
	case x == 14 && len(m.open) > 0:
		return m.move()
	case x == 15:
		return m.apiKey()
	default:
		return m.ack()
	}
	return t
}

// move hands a delivery over to a session that has none of its message.
func (m *model) move() store.Ticket {
	w := &m.open[m.rnd.IntN(len(m.open))]
	to := m.sessions[m.rnd.IntN(len(m.sessions))]
	_, payload, _ := strings.Cut(strings.TrimPrefix(w.name, "delivery "), " ")
	name := fmt.Sprintf("delivery %d %s", to, payload)
	if m.things[name] != nil {
		return 0
	}
	t := m.s.PutMove(w.a, store.Recipient{Session: to, Opts: 2})
	m.set(w.name, t, "")
	m.set(name, t, "0 0")
	*w = waiting{name, store.Ack{Session: to, Message: w.a.Message, PacketID: w.a.PacketID}}
	return t
}

func (m *model) putSession(k store.SessionKey) store.Ticket {
	rec := store.Session{Key: k, ID: msg.SubscriberID{Mountpoint: "m", ClientID: "client"}, Expiry: uint32(m.n), Username: "ann", Version: 5, Remaining: 7}
	if m.n%3 > 0 {
		rec.Will = &store.Will{Topic: []byte("gone"), Payload: fmt.Append(nil, m.n), Props: []byte{1, 1}, QoS: byte(m.n % 3), Retain: m.n%2 == 0, Delay: uint32(m.n),
			Expiry: 1 << 31, HasExpiry: m.n%4 == 0}
	}
	key, t := m.s.PutSession(&rec)
	rec.Key = key
	if k == 0 {
		m.sessions = append(m.sessions, key)
	}
	m.set(fmt.Sprintf("session %d", key), t, sessionText(rec))
	return t
}

func sessionText(rec store.Session) string {
	w := rec.Will
	rec.Will = nil
	return fmt.Sprintf("%v will %+v", rec, w)
}

func (m *model) endSession() store.Ticket {
	i := m.rnd.IntN(len(m.sessions))
	k := m.sessions[i]
	m.sessions = slices.Delete(m.sessions, i, i+1)
	t := m.s.DeleteSession(k)
	for name, vs := range m.things {
		if w := strings.Fields(name); w[0] != "retained" && w[0] != "key" && w[1] == fmt.Sprint(k) && vs[len(vs)-1].value != "" {
			m.set(name, t, "")
		}
	}
	m.open = slices.DeleteFunc(m.open, func(w waiting) bool { return w.a.Session == k })
	m.inbound = slices.DeleteFunc(m.inbound, func(in store.Inbound) bool { return in.Session == k })
	return t
}

func (m *model) retain() store.Ticket {
	topic, payload := fmt.Sprintf("r/%d", m.rnd.IntN(4)), fmt.Sprintf("kept %d", m.n)
	if m.rnd.IntN(4) == 0 {
		payload = ""
	}
	t := m.s.PutRetained("m", msg.New("m", []byte(topic), []byte(payload), nil, 1, true))
	m.set("retained "+topic, t, payload)
	return t
}

// apiKey puts an API key, again or for the first time, or takes one away.
func (m *model) apiKey() (t store.Ticket) {
	k := store.APIKey{Digest: [32]byte{byte(m.rnd.IntN(2))}, Scope: fmt.Sprintf("scope%d", m.rnd.IntN(2)), Beginning: "abc", Expires: int64(m.n)}
	if m.rnd.IntN(3) == 0 {
		t = m.s.DeleteAPIKey(k.Digest, k.Scope)
		m.set(keyName(k), t, "")
		return t
	}
	t = m.s.PutAPIKey(k)
	m.set(keyName(k), t, fmt.Sprint(k))
	return t
}

func keyName(k store.APIKey) string { return fmt.Sprintf("key %d %s", k.Digest[0], k.Scope) }

// publish: with an inbound exchange the two must stand or fall together, which the record of both makes sure of.
func (m *model) publish() store.Ticket {
	payload := fmt.Sprintf("message %d %s", m.n, strings.Repeat("x", m.rnd.IntN(150)))
	var rs []store.Recipient
	for _, k := range m.sessions {
		if m.rnd.IntN(2) == 0 {
			rs = append(rs, store.Recipient{Session: k, Opts: 2})
		}
	}
	var in store.Inbound
	if m.rnd.IntN(2) == 0 {
		in = store.Inbound{Session: m.sessions[m.rnd.IntN(len(m.sessions))], PacketID: uint16(m.n)}
	}
	ref, t := m.s.PutMessage(msg.New("m", []byte("t"), []byte(payload), []byte{1, 1}, 2, false), in, rs)
	if ref == 0 {
		return t // refused
	}
	for _, r := range rs {
		w := waiting{fmt.Sprintf("delivery %d %s", r.Session, payload), store.Ack{Session: r.Session, Message: ref, PacketID: uint16(m.n)}}
		m.open = append(m.open, w)
		m.set(w.name, t, "0 0")
	}
	if in.Session != 0 {
		m.inbound = append(m.inbound, in)
		m.set(fmt.Sprintf("inbound %d %d", in.Session, in.PacketID), t, "open")
	}
	return t
}

func (m *model) ack() store.Ticket {
	if len(m.open) == 0 {
		return 0
	}
	i := m.rnd.IntN(len(m.open))
	w := &m.open[i]
	w.a.Kind++
	t := m.s.PutAck(w.a)
	value := fmt.Sprintf("%d %d", w.a.Kind, w.a.PacketID)
	if w.a.Kind == store.Done {
		value = ""
	}
	m.set(w.name, t, value)
	if w.a.Kind == store.Done {
		m.open = slices.Delete(m.open, i, i+1)
	}
	return t
}

// contents is what a store holds, by thing.
func contents(s *store.Durable) (map[string]string, error) {
	got := map[string]string{}
	err := s.Load(store.Loader{
		Session: func(r *store.Session) {
			for _, sub := range r.Subscriptions {
				got[fmt.Sprintf("sub %d %s", r.Key, sub.Filter)] = fmt.Sprint(sub)
			}
			r.Subscriptions = nil
			got[fmt.Sprintf("session %d", r.Key)] = sessionText(*r)
		},
		Inbound: func(in store.Inbound) { got[fmt.Sprintf("inbound %d %d", in.Session, in.PacketID)] = "open" },
		Message: func(_ store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			got[fmt.Sprintf("delivery %d %s", r.Session, m.Payload)] = fmt.Sprintf("%d %d", state, r.PacketID)
		},
		Retained: func(_ string, m *msg.Message) { got["retained "+string(m.Topic)] = string(m.Payload) },
		APIKey:   func(k store.APIKey) { got[keyName(k)] = fmt.Sprint(k) },
	})
	return got, err
}

// check returns what a store has and must not, or has not and must, when everything up to a ticket was complete.
func (m *model) check(got map[string]string, upTo store.Ticket) (wrong []string) {
	for name, vs := range m.things {
		first := 0
		for i, v := range vs {
			if v.ticket <= upTo {
				first = i
			}
		}
		allowed := make([]string, 0, len(vs))
		if vs[0].ticket > upTo {
			allowed = append(allowed, "")
		}
		for _, v := range vs[first:] {
			allowed = append(allowed, v.value)
		}
		if !slices.Contains(allowed, got[name]) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, may be %q", name, got[name], allowed))
		}
	}
	for name := range got {
		if m.things[name] == nil {
			wrong = append(wrong, "nobody wrote "+name)
		}
	}
	sort.Strings(wrong)
	return wrong
}

// completeAt is up to which ticket everything was complete at a place of the trace.
func (m *model) completeAt(at int) (upTo store.Ticket) {
	for _, c := range m.completed {
		if c.at <= at {
			upTo = c.upTo
		}
	}
	return upTo
}
