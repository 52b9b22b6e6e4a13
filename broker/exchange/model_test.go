package exchange_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

var (
	modelSeeds = flag.Int("model.seeds", 40, "number of random histories in TestModel")
	modelFirst = flag.Int("model.first", 0, "first seed of TestModel")
)

// TestModel lets clients with persistent sessions publish, acknowledge late, lose connections, take over and come back, while the store
// commits when it likes. In the end every subscriber has each message of QoS 1 at least once, each of QoS 2 exactly once, those of QoS 0
// never twice, and all in the order of their publisher, topic and QoS; and nothing is left in queues, windows and store.
func TestModel(t *testing.T) {
	for seed := *modelFirst; seed < *modelFirst+*modelSeeds; seed++ {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprintf("seed=%d/shards=%d", seed, shards), func(t *testing.T) { newHistory(t, uint64(seed), shards).run() })
		}
	}
}

// history is one random course of events.
type history struct {
	*world
	t     *testing.T
	rng   *rand.Rand
	peers []*peer
	sent  []string // all messages published, in order

	crashes bool // the broker dies now and then
}

// peer is a client that keeps to the protocol. Its state survives its connections.
type peer struct {
	h       *history
	id      string
	version mqtt.Version
	window  int // Receive Maximum of this connection; 0 none
	c       *client
	inbox   [][]byte // received, not looked at
	ready   bool     // CONNACK came
	answers [][]byte // acknowledgements it will send, in order

	// as a publisher
	seq  int
	next uint16
	out  []*sending // what is not completed, eldest first

	// as a subscriber
	got  []string          // in the order of arrival
	open map[uint16]string // QoS 2: received, PUBREL has not come
	busy map[uint16]string // on this connection: not answered to the end
}

type sending struct {
	frame    []byte // a PUBLISH without DUP
	id       uint16
	qos      byte
	released bool // PUBREC came
}

var modelTopics = []string{"a", "b/c", "d"}

func newHistory(t *testing.T, seed uint64, shards int) *history {
	h := &history{t: t, rng: rand.New(rand.NewPCG(5, seed))}
	o := defaults()
	o.MaxOnlineMessages, o.MaxOfflineMessages, o.MaxInflight, o.RetryInterval = -1, -1, 1+h.rng.IntN(4), 5*time.Second
	o.TopicAliasMaxBroker = h.rng.IntN(3)
	h.world = newWorld(t, shards, o)
	if h.rng.IntN(3) > 0 {
		h.mem.Hold()
	}
	for i := range 4 {
		p := &peer{h: h, id: fmt.Sprintf("peer%d", i), version: mqtt.V311, open: map[uint16]string{}}
		if h.rng.IntN(2) == 0 {
			p.version = mqtt.V5
		}
		h.peers = append(h.peers, p)
		p.connect()
		h.settle()
		var sub mqtt.Subscribe
		sub.PacketID = 1
		for _, topic := range modelTopics {
			sub.Add([]byte(topic), 2)
		}
		p.c.send(sub.Append(nil, p.version))
		h.settle()
	}
	return h
}

func (h *history) run() {
	for step := range 1500 {
		p := h.peers[h.rng.IntN(len(h.peers))]
		if h.crashes && h.rng.IntN(150) == 0 {
			h.crash(1 + h.rng.IntN(3))
			for _, p := range h.peers {
				p.gone()
			}
		}
		switch n := h.rng.IntN(100); {
		case n < 38:
			p.publish()
		case n < 64:
			p.look(1 + h.rng.IntN(4))
		case n < 82:
			p.answer(1 + h.rng.IntN(4))
		case n < 84:
			p.lose()
		case n < 88:
			p.connect() // sometimes over a living connection
		case n < 90:
			h.advance(time.Duration(h.rng.IntN(8)) * time.Second)
		case n < 92 && p.c != nil:
			p.c.stuck = true
		case n < 95 && p.c != nil:
			p.c.read()
		default:
			h.mem.Release(0)
			h.world.run()
		}
		if h.t.Failed() {
			h.t.Fatalf("step %d", step)
		}
	}
	h.finish()
	h.check()
}

// settle commits everything and lets all peers do what they have to.
func (h *history) settle() {
	for again := true; again; {
		again = h.mem.Held() > 0
		h.mem.Release(0)
		h.world.run()
		for _, p := range h.peers {
			if p.c != nil && p.c.stuck {
				p.c.read()
			}
			again = p.look(1<<20) || again
			again = p.answer(1<<20) || again
		}
	}
}

func (h *history) finish() {
	for _, p := range h.peers {
		p.lose()
	}
	for _, p := range h.peers {
		p.connect()
	}
	h.settle()
}

func (p *peer) lose() {
	if p.c != nil {
		p.c.lose()
		p.gone()
	}
}

// gone: the connection is over. What was not looked at and not sent is lost.
func (p *peer) gone() { p.c, p.inbox, p.answers, p.ready = nil, nil, nil, false }

func (p *peer) connect() {
	old := p.c
	q := &mqtt.Connect{Version: p.version, ClientID: []byte(p.id)}
	if p.version.Is5() {
		p.window = 1 + p.h.rng.IntN(4)
		q.Props.AddUint(mqtt.PropSessionExpiry, 0xFFFFFFFF)
		q.Props.AddUint(mqtt.PropReceiveMaximum, uint32(p.window))
		q.Props.AddUint(mqtt.PropTopicAliasMaximum, 2)
	}
	c, err := p.h.connect(p.id, q)
	if err != nil {
		p.h.t.Fatal(err)
	}
	if old != nil && !old.closed {
		p.h.t.Errorf("%s: the connection that was taken over is not closed", p.id)
	}
	p.gone()
	p.c, p.busy = c, map[uint16]string{}
}

// resend sends what was not completed before the connection, in order [MQTT-4.4.0-1].
func (p *peer) resend() {
	for _, s := range p.out {
		if s.released {
			p.c.send((&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: s.id}).Append(nil, p.version))
			continue
		}
		again := append([]byte(nil), s.frame...)
		again[0] |= 8 // DUP [MQTT-3.3.1-1]
		p.c.send(again)
	}
}

func (p *peer) publish() {
	if !p.ready || len(p.out) > 20 {
		return
	}
	topic, qos := modelTopics[p.h.rng.IntN(len(modelTopics))], byte(p.h.rng.IntN(3))
	p.seq++
	m := mqtt.Publish{Topic: []byte(topic), QoS: qos, Payload: fmt.Appendf(nil, "%s %s qos%d %06d", p.id, topic, qos, p.seq)}
	if qos > 0 {
		for used := true; used; {
			p.next = p.next%10 + 1 // few identifiers, so that they come again soon
			if len(p.out) >= 10 {
				return
			}
			used = false
			for _, s := range p.out {
				used = used || s.id == p.next
			}
		}
		m.PacketID = p.next
	}
	frame := m.Append(nil, p.version)
	if qos > 0 {
		p.out = append(p.out, &sending{frame: frame, id: m.PacketID, qos: qos})
	}
	p.h.sent = append(p.h.sent, string(m.Payload))
	p.c.send(frame)
}

// answer sends acknowledgements.
func (p *peer) answer(most int) (any bool) {
	for ; most > 0 && p.c != nil && len(p.answers) > 0; most-- {
		b := p.answers[0]
		p.answers = p.answers[1:]
		if b[0]>>4 == byte(mqtt.TypePuback) || b[0]>>4 == byte(mqtt.TypePubcomp) {
			delete(p.busy, uint16(b[2])<<8|uint16(b[3]))
		}
		p.c.send(b)
		any = true
	}
	return any
}

func (p *peer) reply(t mqtt.Type, id uint16) {
	p.answers = append(p.answers, (&mqtt.Ack{Type: t, PacketID: id}).Append(nil, p.version))
}

// look takes packets from the inbox.
func (p *peer) look(most int) (any bool) {
	if p.c == nil {
		return false
	}
	p.inbox = append(p.inbox, p.c.frames()...)
	for ; most > 0 && len(p.inbox) > 0; most-- {
		f := p.inbox[0]
		p.inbox = p.inbox[1:]
		p.packet(f)
		any = true
	}
	return any
}

func (p *peer) errorf(format string, a ...any) {
	p.h.t.Errorf("%s (v%d): %s", p.id, p.version, fmt.Sprintf(format, a...))
}

func (p *peer) packet(f []byte) {
	hd, _, err := mqtt.ReadHeader(f, 0, p.version)
	if err != nil {
		p.errorf("% x: %v", f, err)
		return
	}
	body := f[hd.Size:]
	switch hd.Type {
	case mqtt.TypeConnack:
		p.ready = true
		p.resend()
	case mqtt.TypeSuback:
	case mqtt.TypePublish:
		p.received(hd.Flags, body)
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
		if !p.ready {
			p.errorf("%s before CONNACK", hd.Type)
		}
		var a mqtt.Ack
		if err := a.Decode(hd.Type, body, p.version); err != nil {
			p.errorf("%s: %v", hd.Type, err)
			return
		}
		p.acked(&a)
	default:
		p.errorf("unexpected %s", show(f, p.version))
	}
}

// acked goes on with an exchange of either direction.
func (p *peer) acked(a *mqtt.Ack) {
	if a.Type == mqtt.TypePubrel {
		delete(p.open, a.PacketID)
		p.reply(mqtt.TypePubcomp, a.PacketID)
		return
	}
	for i, s := range p.out {
		if s.id != a.PacketID {
			continue
		}
		if want := mqtt.TypePuback; a.Type == want != (s.qos == 1) {
			p.errorf("%s for QoS %d", a.Type, s.qos)
		}
		switch a.Type {
		case mqtt.TypePubrec:
			s.released = true
			p.reply(mqtt.TypePubrel, s.id)
		default:
			p.out = append(p.out[:i:i], p.out[i+1:]...)
		}
		return
	}
	p.errorf("%s for %d, which is not open", a.Type, a.PacketID)
}

func (p *peer) received(flags byte, body []byte) {
	var m mqtt.Publish
	if err := m.Decode(flags, body, p.version); err != nil {
		p.errorf("PUBLISH: %v", err)
		return
	}
	if !p.ready {
		p.errorf("PUBLISH before CONNACK")
	}
	payload := string(m.Payload)
	if m.QoS > 0 {
		if other, ok := p.busy[m.PacketID]; ok && (!m.Dup || other != payload) {
			p.errorf("identifier %d of %q is used for %q (DUP %v)", m.PacketID, other, payload, m.Dup)
		}
		p.busy[m.PacketID] = payload
		if p.window > 0 && len(p.busy) > p.window {
			p.errorf("%d exchanges open, Receive Maximum is %d", len(p.busy), p.window)
		}
	}
	switch m.QoS {
	case 0:
		p.got = append(p.got, payload)
	case 1:
		p.got = append(p.got, payload)
		p.reply(mqtt.TypePuback, m.PacketID)
	case 2:
		if other, ok := p.open[m.PacketID]; !ok {
			p.got = append(p.got, payload)
			p.open[m.PacketID] = payload
		} else if other != payload || !m.Dup {
			p.errorf("identifier %d of %q is used for %q (DUP %v) before its release", m.PacketID, other, payload, m.Dup)
		}
		p.reply(mqtt.TypePubrec, m.PacketID)
	}
}
