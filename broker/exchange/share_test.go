package exchange_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

var shareSeeds = flag.Int("share.seeds", 60, "number of random histories in TestSharedGroup")

// member is a client of the group that keeps the rules of a receiver: it answers some time later, and remembers the identifiers of QoS 2
// exchanges for as long as its session lives.
type member struct {
	name    string
	lasting bool // its session survives the connection
	c       *client
	ids     map[uint16]bool // QoS 2 messages received and not released
	owed    [][]byte        // answers it has not sent yet
}

// group is a random history of one shared group.
type group struct {
	t       *testing.T
	w       *world
	rnd     *rand.Rand
	members []*member
	p       *client
	id      uint16
	sent    map[string]byte // QoS
	got     map[string]int
}

// TestSharedGroup: members come, go, crash, leave the group and answer when they like, the broker dies now and then. As long as the group has one
// member whose session lasts, every QoS 1 message reaches somebody, and every QoS 2 message exactly one, once.
func TestSharedGroup(t *testing.T) {
	for seed := range *shareSeeds {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprintf("seed=%d/shards=%d", seed, shards), func(t *testing.T) {
				o := defaults()
				o.SharedPolicy = []string{"round_robin", "random", "least_inflight", "prefer_local"}[seed%4]
				o.MaxOfflineMessages, o.MaxOnlineMessages = -1, -1
				g := &group{t: t, w: newWorld(t, shards, o), rnd: rand.New(rand.NewPCG(uint64(seed), 77)), sent: map[string]byte{}, got: map[string]int{}}
				g.run(seed%3 == 0)
			})
		}
	}
}

func (g *group) run(crashes bool) {
	for i := range 5 {
		g.members = append(g.members, &member{name: fmt.Sprint("m", i), lasting: i < 3, ids: map[uint16]bool{}})
	}
	g.connect(g.members[0])
	for n := range 400 {
		m := g.members[g.rnd.IntN(len(g.members))]
		switch x := g.rnd.IntN(40); {
		case x < 14:
			g.publish(n)
		case x < 20:
			g.connect(m)
		case x < 23 && m.c != nil:
			m.c.lose()
			g.gone(m)
		case x == 23 && m.c != nil && m != g.members[0]:
			g.subscribe(m, false)
		case x == 24 && m.c != nil:
			g.subscribe(m, true)
		case x == 25 && crashes:
			g.crash()
		case m.c != nil:
			g.take()
			g.answer(m, g.rnd.IntN(8))
		}
		g.take()
	}
	for _, m := range g.members[1:] {
		if m.lasting { // what it has under way is its own, so it has to come once more
			g.connect(m)
		}
	}
	g.connect(g.members[0])
	for again := true; again; {
		again = g.take()
		for _, m := range g.members {
			if m.c != nil {
				again = again || len(m.owed) > 0
				g.answer(m, len(m.owed))
			}
		}
	}
	for payload, qos := range g.sent {
		if n := g.got[payload]; n == 0 || qos == 2 && n != 1 {
			g.t.Errorf("%s, published at QoS %d, was received %d times", payload, qos, n)
		}
	}
	err := g.w.mem.Load(store.Loader{Session: func(*store.Session) {}, Inbound: func(store.Inbound) {}, Retained: func(string, *msg.Message) {}, Waiting: func(ref store.MessageRef, _ int, r store.Recipient, state store.AckKind) {
		g.t.Errorf("message %d still waits in the store for session %d, state %d", ref, r.Session, state)
	}})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, l := range g.w.loops {
		if h := l.home; h.Sessions() > len(g.members)+1 {
			g.t.Errorf("%d sessions on a shard", h.Sessions())
		}
	}
}

// connect brings a member to the broker; one whose session does not last subscribes anew.
func (g *group) connect(m *member) {
	if m.c != nil {
		return
	}
	q := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte(m.name), CleanStart: !m.lasting}
	q.Props.AddUint(mqtt.PropReceiveMaximum, uint32(1+g.rnd.IntN(6)))
	if m.lasting {
		q.Props.AddUint(mqtt.PropSessionExpiry, 100_000)
	}
	c, err := g.w.connect(m.name, q)
	if err != nil {
		g.t.Fatal(err)
	}
	m.c, m.owed = c, nil
	g.take()
	g.subscribe(m, true)
}

func (g *group) subscribe(m *member, join bool) {
	if join {
		m.c.subscribe("$share/g/t/+", 2)
	} else {
		q := mqtt.Unsubscribe{PacketID: 9}
		q.Add([]byte("$share/g/t/+"))
		m.c.send(q.Append(nil, mqtt.V5))
	}
	g.take()
}

func (g *group) gone(m *member) {
	m.c, m.owed = nil, nil
	if !m.lasting {
		clear(m.ids)
	}
}

func (g *group) crash() {
	g.w.crash(1 + g.rnd.IntN(3))
	for _, m := range g.members {
		g.gone(m)
	}
	g.p = nil
}

func (g *group) publish(n int) {
	if g.p == nil {
		g.p = mustConnect(g.t, g.w, "publisher")
		g.p.frames()
	}
	qos := byte(1 + g.rnd.IntN(2))
	payload := fmt.Sprintf("message %d", n)
	g.id++
	b := (&mqtt.Publish{Topic: fmt.Append(nil, "t/", n%3), Payload: []byte(payload), QoS: qos, PacketID: g.id}).Append(nil, g.p.version)
	if qos == 2 {
		a := mqtt.Ack{Type: mqtt.TypePubrel, PacketID: g.id}
		b = a.Append(b, g.p.version)
	}
	if g.rnd.IntN(3) > 0 {
		g.p.send(b)
	} else { // routed, and on its way to another shard while the next thing happens
		g.p.in = append(g.p.in, b...)
		g.p.loop.more = append(g.p.loop.more, g.p)
		g.p.loop.turn()
	}
	g.sent[payload] = qos
}

// take receives what has come for the members.
func (g *group) take() (some bool) {
	for _, m := range g.members {
		if m.c == nil {
			continue
		}
		for _, f := range m.c.frames() {
			some = true
			hd, _, err := mqtt.ReadHeader(f, 0, mqtt.V5)
			if err != nil {
				g.t.Fatal(err)
			}
			switch hd.Type {
			case mqtt.TypePublish:
				var p mqtt.Publish
				if err := p.Decode(hd.Flags, f[hd.Size:], mqtt.V5); err != nil {
					g.t.Fatal(err)
				}
				a := mqtt.Ack{Type: mqtt.TypePuback, PacketID: p.PacketID}
				if p.QoS == 2 {
					a.Type = mqtt.TypePubrec
					if !m.ids[p.PacketID] {
						m.ids[p.PacketID] = true
						g.got[string(p.Payload)]++
					}
				} else {
					g.got[string(p.Payload)]++
				}
				m.owed = append(m.owed, a.Append(nil, mqtt.V5))
			case mqtt.TypePubrel:
				var a mqtt.Ack
				if err := a.Decode(hd.Type, f[hd.Size:], mqtt.V5); err != nil {
					g.t.Fatal(err)
				}
				delete(m.ids, a.PacketID)
				a = mqtt.Ack{Type: mqtt.TypePubcomp, PacketID: a.PacketID}
				m.owed = append(m.owed, a.Append(nil, mqtt.V5))
			}
		}
	}
	return some
}

// answer sends up to n of the answers that a member owes.
func (g *group) answer(m *member, n int) {
	for ; n > 0 && len(m.owed) > 0 && m.c != nil; n-- {
		b := m.owed[0]
		m.owed = m.owed[1:]
		m.c.send(b)
	}
}
