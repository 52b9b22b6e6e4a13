package exchange_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

var leftoverSeeds = flag.Int("leftover.seeds", 150, "number of random histories in TestNothingLeftOver")

// TestNothingLeftOver: whatever becomes of a delivery that the store has recorded (taken, refused, expired, dropped by a limit, too large, its
// subscription gone or changed while the message was under way, its session ended, the broker killed), in the end nothing waits in the store.
func TestNothingLeftOver(t *testing.T) {
	for seed := range *leftoverSeeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { newChurn(t, uint64(seed)).run() })
	}
}

// churn is a random course of events among clients that change their minds all the time.
type churn struct {
	*world
	t    *testing.T
	rng  *rand.Rand
	all  []*churner
	mild bool // the end: no limits, no tricks
}

// churner is a client with a persistent session that keeps to the protocol, and may refuse messages.
type churner struct {
	h        *churn
	id       string
	version  mqtt.Version
	c        *client
	next     uint16
	open     map[uint16][]byte // published, not answered to the end: what to send again
	order    []uint16
	answers  [][]byte
	accepted map[uint16]bool // QoS 2 received, not released
}

var churnFilters = []string{"a", "a/#", "+", "a/b", "#", "$share/g/a", "$share/g/a/#", "$share/h/a"}

func newChurn(t *testing.T, seed uint64) *churn {
	h := &churn{t: t, rng: rand.New(rand.NewPCG(11, seed))}
	o := defaults()
	limit := func() int { return []int{-1, 3, 10, 0}[h.rng.IntN(4)] }
	o.MaxOnlineMessages, o.MaxOfflineMessages, o.MaxInflight, o.RetryInterval = limit(), limit(), 1+h.rng.IntN(4), 5*time.Second
	o.UpgradeOutgoingQoS = h.rng.IntN(4) == 0
	if h.rng.IntN(3) == 0 {
		o.QueueType = "lifo"
	}
	if h.rng.IntN(3) == 0 {
		o.MaxQueueBytes = 100
	}
	h.world = newWorld(t, 1+h.rng.IntN(4), o)
	if h.rng.IntN(2) == 0 {
		h.mem.Hold()
	}
	for i := range 6 {
		p := &churner{h: h, id: fmt.Sprintf("c%d", i), version: mqtt.V311, open: map[uint16][]byte{}, accepted: map[uint16]bool{}}
		if h.rng.IntN(3) > 0 {
			p.version = mqtt.V5
		}
		h.all = append(h.all, p)
	}
	return h
}

func (h *churn) run() {
	for range 600 {
		p := h.all[h.rng.IntN(len(h.all))]
		switch n := h.rng.IntN(100); {
		case n < 35:
			p.publish()
		case n < 50:
			p.subscribe()
		case n < 60:
			p.unsubscribe()
		case n < 68:
			h.slow = !h.slow
			h.world.run()
		case n < 76:
			p.lose()
		case n < 78:
			p.connect(h.rng.IntN(3) == 0)
		case n < 80:
			h.advance(time.Duration(h.rng.IntN(3000)) * time.Millisecond)
		case n < 81:
			h.kill()
		case n < 90:
			h.mem.Release(0)
			h.world.run()
		default:
			p.answer(h.rng.IntN(5))
		}
	}
	h.finish()
}

func (h *churn) kill() {
	h.crash(1 + h.rng.IntN(4))
	for _, p := range h.all {
		p.c = nil
	}
}

// finish lets everybody come back and complete what is open.
func (h *churn) finish() {
	h.mild, h.slow = true, false
	h.world.run()
	for _, p := range h.all {
		p.connect(false)
	}
	for idle := 0; idle < 3; idle++ {
		if h.mem.Held() > 0 {
			idle = 0
		}
		h.mem.Release(0)
		h.world.run()
		for _, p := range h.all {
			p.read()
			if len(p.answers) > 0 {
				idle = 0
			}
			p.answer(1 << 20)
		}
		h.advance(0)
	}
	names := map[store.SessionKey]string{}
	err := h.mem.Load(store.Loader{
		Session: func(r *store.Session) { names[r.Key] = r.ID.ClientID },
		Inbound: func(in store.Inbound) {
			h.t.Errorf("exchange %d of %s was never released", in.PacketID, names[in.Session])
		},
		Message: func(ref store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			h.t.Errorf("%s %.20q still waits for %s: QoS %d, state %d, identifier %d", m.Topic, m.Payload, names[r.Session], r.Opts&3, state, r.PacketID)
		},
		Retained: func(string, *msg.Message) {},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range h.all {
		if s := h.loops[h.shardOf(p.id)].home.Session(msg.SubscriberID{ClientID: p.id}); s.Waiting() > 0 || s.Inflight() > 0 {
			h.t.Errorf("%s: %d waiting and %d in flight", p.id, s.Waiting(), s.Inflight())
		}
	}
}

func (p *churner) connect(clean bool) {
	q := &mqtt.Connect{Version: p.version, ClientID: []byte(p.id), CleanStart: clean && p.version.Is5()}
	if p.version.Is5() {
		q.Props.AddUint(mqtt.PropSessionExpiry, 0xFFFFFFFF)
		if !p.h.mild && p.h.rng.IntN(3) == 0 {
			q.Props.AddUint(mqtt.PropMaximumPacketSize, 40)
		}
		if p.h.rng.IntN(2) == 0 {
			q.Props.AddUint(mqtt.PropReceiveMaximum, uint32(1+p.h.rng.IntN(3)))
		}
	}
	if q.CleanStart {
		clear(p.open)
		clear(p.accepted)
	}
	c, err := p.h.world.connect(p.id, q)
	if err != nil {
		p.h.t.Fatal(err)
	}
	p.c, p.answers = c, nil
	for _, id := range p.order {
		if again := p.open[id]; again != nil {
			p.c.send(again)
		}
	}
}

func (p *churner) lose() {
	if p.c != nil {
		p.c.lose()
		p.c, p.answers = nil, nil
	}
}

func (p *churner) online() bool {
	if p.c != nil && p.c.closed {
		p.c = nil
	}
	if p.c == nil && p.h.rng.IntN(4) == 0 {
		p.connect(false)
	}
	return p.c != nil
}

func (p *churner) publish() {
	if !p.online() {
		return
	}
	m := mqtt.Publish{Topic: []byte([]string{"a", "a/b", "a/c"}[p.h.rng.IntN(3)]), QoS: byte(p.h.rng.IntN(3)), Payload: fmt.Append(nil, p.id, p.next)}
	if p.h.rng.IntN(4) == 0 {
		m.Payload = append(m.Payload, strings.Repeat("x", 60)...)
	}
	if p.version.Is5() && p.h.rng.IntN(4) == 0 {
		m.Props.AddUint(mqtt.PropMessageExpiry, uint32(1+p.h.rng.IntN(2)))
	}
	if m.QoS > 0 {
		p.next = p.next%100 + 1
		if p.open[p.next] != nil {
			return
		}
		m.PacketID = p.next
		again := m
		again.Dup = true
		p.open[p.next] = again.Append(nil, p.version)
		p.order = append(p.order, p.next)
	}
	p.c.send(m.Append(nil, p.version))
}

func (p *churner) subscribe() {
	if !p.online() {
		return
	}
	sub := mqtt.Subscribe{PacketID: 1000}
	filter := churnFilters[p.h.rng.IntN(len(churnFilters))]
	o := mqtt.SubOptions(p.h.rng.IntN(3))
	if p.version.Is5() && filter[0] != '$' && p.h.rng.IntN(4) == 0 {
		o |= mqtt.SubNoLocal
	}
	sub.Add([]byte(filter), o)
	p.c.send(sub.Append(nil, p.version))
}

func (p *churner) unsubscribe() {
	if !p.online() {
		return
	}
	u := mqtt.Unsubscribe{PacketID: 1001}
	u.Add([]byte(churnFilters[p.h.rng.IntN(len(churnFilters))]))
	p.c.send(u.Append(nil, p.version))
}

func (p *churner) answer(most int) {
	p.read()
	for ; most > 0 && p.c != nil && len(p.answers) > 0; most-- {
		b := p.answers[0]
		p.answers = p.answers[1:]
		p.c.send(b)
	}
}

// read looks at what came.
func (p *churner) read() {
	if p.c == nil {
		return
	}
	reply := func(t mqtt.Type, id uint16, code mqtt.Code) {
		p.answers = append(p.answers, (&mqtt.Ack{Type: t, PacketID: id, Code: code}).Append(nil, p.version))
	}
	for _, f := range p.c.frames() {
		hd, _, _ := mqtt.ReadHeader(f, 0, p.version)
		body := f[hd.Size:]
		var a mqtt.Ack
		switch hd.Type {
		case mqtt.TypePublish:
			var m mqtt.Publish
			if err := m.Decode(hd.Flags, body, p.version); err != nil {
				p.h.t.Fatal(err)
			}
			code := mqtt.CodeSuccess
			if p.version.Is5() && p.h.rng.IntN(8) == 0 && !p.accepted[m.PacketID] {
				code = mqtt.CodeQuotaExceeded
			}
			switch m.QoS {
			case 1:
				reply(mqtt.TypePuback, m.PacketID, code)
			case 2:
				p.accepted[m.PacketID] = code == mqtt.CodeSuccess
				reply(mqtt.TypePubrec, m.PacketID, code)
			}
		case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
			if err := a.Decode(hd.Type, body, p.version); err != nil {
				p.h.t.Fatal(err)
			}
			switch {
			case hd.Type == mqtt.TypePubrel:
				delete(p.accepted, a.PacketID)
				reply(mqtt.TypePubcomp, a.PacketID, mqtt.CodeSuccess)
			case hd.Type == mqtt.TypePubrec && a.Code < 0x80:
				p.open[a.PacketID] = (&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: a.PacketID}).Append(nil, p.version)
				reply(mqtt.TypePubrel, a.PacketID, mqtt.CodeSuccess)
			default:
				delete(p.open, a.PacketID)
			}
		}
	}
}
