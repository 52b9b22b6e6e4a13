package exchange_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

var (
	togetherSeeds = flag.Int("together.seeds", 120, "number of random histories in TestTogether")
	togetherFirst = flag.Int("together.first", 0, "first seed of TestTogether")
)

// TestTogether lets everything that can happen to a delivery meet in one history: plain subscribers, shared groups, clients with several connections,
// clients whose sessions end or expire and that leave wills, full queues whose publishers are refused, options that change, mail that is late,
// commits that are later, a broker that dies. What was acknowledged reaches everybody who is to have it, at QoS 2 exactly once, in order; and in
// the end nothing of it is left anywhere.
func TestTogether(t *testing.T) {
	for seed := *togetherFirst; seed < *togetherFirst+*togetherSeeds; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { newTogether(t, uint64(seed)).run() })
	}
}

// together is one such history.
type together struct {
	*world
	t       *testing.T
	rng     *rand.Rand
	guests  []*guest
	wants   map[string]*wanted // by payload: what was published at QoS 1 and 2
	refuses bool               // full queues have refused publishers at some time
	lifo    bool
	crashes bool
	// messages of one QoS were delivered at another one at some time: the two have no order
	upgrades bool
}

// wanted is what is known of a published message.
type wanted struct {
	qos     byte
	acked   bool
	refused bool // at its first and only try
}

// guest is a client identifier and what its user does with it.
type guest struct {
	h        *together
	id       string
	version  mqtt.Version
	filters  []string
	lasting  bool // its session does not end
	publish  bool
	several  bool // connects several times where that is allowed
	seats    []*seat
	taken    map[uint16]bool // QoS 2 exchanges of its session that it has not been released from
	got      []string
	next     uint16
	open     []*promised
	sequence int
}

// seat is one connection of a guest.
type seat struct {
	c       *client
	taken   map[uint16]bool
	answers [][]byte
}

// promised is a publish that is not completed.
type promised struct {
	frame    []byte
	payload  string
	id       uint16
	qos      byte
	released bool
	again    bool
}

func newTogether(t *testing.T, seed uint64) *together {
	h := &together{t: t, rng: rand.New(rand.NewPCG(21, seed)), wants: map[string]*wanted{}}
	o := defaults()
	o.MaxInflight, o.RetryInterval = 1+h.rng.IntN(4), 5*time.Second
	o.QueueType = []string{"fifo", "fifo", "lifo"}[h.rng.IntN(3)]
	h.lifo, h.crashes = o.QueueType == "lifo", h.rng.IntN(2) == 0
	h.world = newWorld(t, 1+h.rng.IntN(4), o)
	h.change()
	if h.rng.IntN(2) == 0 {
		h.mem.Hold()
	}
	add := func(g guest) {
		g.h, g.version, g.taken = h, []mqtt.Version{mqtt.V311, mqtt.V5}[h.rng.IntN(2)], map[uint16]bool{}
		h.guests = append(h.guests, &g)
	}
	add(guest{id: "pub0", lasting: true, publish: true})
	add(guest{id: "pub1", lasting: true, publish: true})
	add(guest{id: "keep0", lasting: true, filters: []string{"t/#"}})
	add(guest{id: "keep1", lasting: true, filters: []string{"t/+", "will"}})
	add(guest{id: "many", lasting: true, several: true, filters: []string{"t/#"}})
	add(guest{id: "mem0", lasting: true, filters: []string{"$share/g/t/#"}})
	add(guest{id: "mem1", lasting: true, filters: []string{"$share/g/t/#"}})
	add(guest{id: "mem2", lasting: true, filters: []string{"$share/g/t/#"}})
	add(guest{id: "fleet", filters: []string{"$share/g/t/#"}})
	add(guest{id: "odd0", several: true, filters: []string{"t/#", "$share/odd/t/a", "$share/g2/t/#", "will"}})
	add(guest{id: "odd1", several: true, filters: []string{"t/a", "$share/odd/t/a", "$share/g2/t/#", "#"}})
	add(guest{id: "odd2", several: true, filters: []string{"$share/odd/t/a", "$share/g2/t/#"}})
	for _, g := range h.guests {
		if g.lasting {
			g.connect()
			h.calm()
			g.subscribe(g.filters...)
			h.calm()
		}
	}
	return h
}

// change draws the options that may change while clients are connected.
func (h *together) change() {
	o := *h.live.Load()
	o.MaxOnlineMessages, o.MaxOfflineMessages, o.QueueFullAction = -1, -1, "drop"
	if h.rng.IntN(3) == 0 {
		o.MaxOnlineMessages, o.MaxOfflineMessages, o.QueueFullAction = 1+h.rng.IntN(8), 1+h.rng.IntN(8), "refuse"
		h.refuses = true
	}
	o.SharedPolicy = []string{"round_robin", "random", "least_inflight", "prefer_local"}[h.rng.IntN(4)]
	o.AllowMultipleSessions = h.rng.IntN(2) == 0
	o.QueueDeliverMode = []string{"fanout", "balance"}[h.rng.IntN(2)]
	o.UpgradeOutgoingQoS = h.rng.IntN(6) == 0
	h.upgrades = h.upgrades || o.UpgradeOutgoingQoS
	h.live.Swap(&o)
	h.world.run()
}

func (h *together) run() {
	for step := range 500 {
		g := h.guests[h.rng.IntN(len(h.guests))]
		switch n := h.rng.IntN(200); {
		case n < 70:
			h.guests[h.rng.IntN(2)].send()
		case n < 90:
			g.connect()
		case n < 105:
			g.lose()
		case n < 112:
			g.mind()
		case n < 120:
			h.slow = !h.slow
			h.world.run()
		case n < 122:
			h.change()
		case n < 124:
			h.advance(time.Duration(h.rng.IntN(2500)) * time.Millisecond)
		case n < 125 && h.crashes:
			for _, g := range h.guests { // what a session that ends may have, nobody else gets [MQTT-4.8.2-5]: then it has to be read
				if g.id == "fleet" {
					g.lose()
				}
			}
			h.slow = false
			h.crash(1 + h.rng.IntN(4))
			for _, g := range h.guests {
				g.seats = nil
			}
		case n < 131 && g.lasting && len(g.seats) > 0:
			g.seats[0].c.stuck = true
		case n < 137 && len(g.seats) > 0:
			g.seats[0].c.read()
		case n < 150:
			h.mem.Release(0)
			h.world.run()
		default:
			g.answer(h.rng.IntN(6))
		}
		h.read()
		if h.t.Failed() {
			h.t.Fatalf("step %d", step)
		}
	}
	h.finish()
}

// read looks at what came for anybody.
func (h *together) read() {
	for _, g := range h.guests {
		g.seats = slices.DeleteFunc(g.seats, func(s *seat) bool { return s.c.closed })
		for _, s := range g.seats {
			g.take(s)
		}
	}
}

// calm lets everybody complete what there is, for as long as something happens.
func (h *together) calm() {
	for idle := 0; idle < 3; idle++ {
		if h.mem.Held() > 0 {
			idle = 0
		}
		h.mem.Release(0)
		h.world.run()
		h.read()
		for _, g := range h.guests {
			for _, s := range g.seats {
				s.c.read()
			}
			if g.answer(1 << 20) {
				idle = 0
			}
		}
	}
}

// connect begins a connection. Where it would be a further one, only some guests want it.
func (g *guest) connect() {
	h := g.h
	if len(g.seats) > 0 && (h.live.Load().AllowMultipleSessions && !g.several || len(g.seats) > 2 || !g.lasting && !g.several) {
		return
	}
	q := &mqtt.Connect{Version: g.version, ClientID: []byte(g.id), CleanStart: g.id == "fleet"}
	if g.version.Is5() {
		switch {
		case g.lasting:
			q.Props.AddUint(mqtt.PropSessionExpiry, 0xFFFFFFFF)
		case g.several:
			q.Props.AddUint(mqtt.PropSessionExpiry, uint32(h.rng.IntN(3)))
			q.CleanStart = h.rng.IntN(3) == 0
		}
		q.Props.AddUint(mqtt.PropReceiveMaximum, uint32(1+h.rng.IntN(4)))
	} else if !g.lasting {
		q.CleanStart = true
	}
	if !g.publish && h.rng.IntN(3) == 0 {
		q.HasWill = true
		q.Will.Topic, q.Will.QoS, q.Will.Payload = []byte("will"), byte(h.rng.IntN(3)), []byte("will of "+g.id)
		if g.version.Is5() {
			q.Will.Props.AddUint(mqtt.PropWillDelay, uint32(h.rng.IntN(3)))
		}
	}
	c, err := h.world.connect(g.id, q)
	if err != nil {
		h.t.Fatal(err)
	}
	s := &seat{c: c, taken: map[uint16]bool{}}
	if !g.several {
		s.taken = g.taken
	}
	g.seats = append(g.seats, s)
	h.read()
	for _, p := range g.open {
		p.again = true
		frame := p.frame
		if p.released {
			frame = (&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: p.id}).Append(nil, g.version)
		}
		c.send(frame)
	}
	if !g.lasting {
		for _, f := range g.filters {
			if !g.several || h.rng.IntN(2) == 0 {
				g.subscribe(f)
			}
		}
	}
}

func (g *guest) lose() {
	if len(g.seats) > 0 {
		i := g.h.rng.IntN(len(g.seats))
		g.seats[i].c.lose()
		g.seats = slices.Delete(g.seats, i, i+1)
	}
}

// mind changes a guest's mind about its subscriptions.
func (g *guest) mind() {
	if len(g.seats) == 0 || len(g.filters) == 0 || g.lasting && (!strings.HasPrefix(g.id, "mem") || g.id == "mem0") {
		return
	}
	f := g.filters[g.h.rng.IntN(len(g.filters))]
	if g.h.rng.IntN(2) == 0 {
		g.subscribe(f)
		return
	}
	g.unsubscribe(f)
	if g.h.rng.IntN(2) == 0 {
		g.subscribe(f)
	}
}

func (g *guest) subscribe(filters ...string) {
	p := mqtt.Subscribe{PacketID: 1000}
	for _, f := range filters {
		qos := byte(2)
		if !g.lasting && g.several {
			qos = byte(g.h.rng.IntN(3))
		}
		p.Add([]byte(f), mqtt.SubOptions(qos))
	}
	if len(g.seats) > 0 && p.Count > 0 {
		g.seats[0].c.send(p.Append(nil, g.version))
	}
}

func (g *guest) unsubscribe(filter string) {
	p := mqtt.Unsubscribe{PacketID: 1001}
	p.Add([]byte(filter))
	if len(g.seats) > 0 {
		g.seats[0].c.send(p.Append(nil, g.version))
	}
}

// send publishes.
func (g *guest) send() {
	if len(g.seats) == 0 || len(g.open) >= 12 {
		return
	}
	topic, qos := []string{"t/a", "t/b"}[g.h.rng.IntN(2)], byte(1+g.h.rng.IntN(2))
	for used := true; used; {
		g.next = g.next%20 + 1
		used = slices.ContainsFunc(g.open, func(p *promised) bool { return p.id == g.next })
	}
	g.sequence++
	m := mqtt.Publish{Topic: []byte(topic), QoS: qos, PacketID: g.next, Payload: fmt.Appendf(nil, "%s %s qos%d %05d", g.id, topic, qos, g.sequence)}
	frame := m.Append(nil, g.version)
	m.Dup = true
	g.open = append(g.open, &promised{frame: m.Append(nil, g.version), payload: string(m.Payload), id: g.next, qos: qos})
	g.h.wants[string(m.Payload)] = &wanted{qos: qos}
	g.seats[0].c.send(frame)
}

// answer sends acknowledgements that are owed.
func (g *guest) answer(most int) (any bool) {
	for _, s := range g.seats {
		for n := 0; n < most && len(s.answers) > 0 && !s.c.closed; n++ {
			b := s.answers[0]
			s.answers, any = s.answers[1:], true
			s.c.send(b)
		}
	}
	return any
}

// take looks at what came on a connection.
func (g *guest) take(s *seat) {
	reply := func(t mqtt.Type, id uint16) {
		s.answers = append(s.answers, (&mqtt.Ack{Type: t, PacketID: id}).Append(nil, g.version))
	}
	for _, f := range s.c.frames() {
		hd, _, err := mqtt.ReadHeader(f, 0, g.version)
		if err != nil {
			g.h.t.Fatal(err)
		}
		var a mqtt.Ack
		switch hd.Type {
		case mqtt.TypeConnack:
			if f[hd.Size]&1 == 0 {
				clear(s.taken)
			}
		case mqtt.TypePublish:
			var m mqtt.Publish
			if err := m.Decode(hd.Flags, f[hd.Size:], g.version); err != nil {
				g.h.t.Fatal(err)
			}
			if m.QoS < 2 || !s.taken[m.PacketID] {
				g.got = append(g.got, string(m.Payload))
			}
			switch m.QoS {
			case 1:
				reply(mqtt.TypePuback, m.PacketID)
			case 2:
				s.taken[m.PacketID] = true
				reply(mqtt.TypePubrec, m.PacketID)
			}
		case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
			if err := a.Decode(hd.Type, f[hd.Size:], g.version); err != nil {
				g.h.t.Fatal(err)
			}
			if hd.Type == mqtt.TypePubrel {
				delete(s.taken, a.PacketID)
				reply(mqtt.TypePubcomp, a.PacketID)
				continue
			}
			g.answered(&a, reply)
		}
	}
}

// answered goes on with a publish.
func (g *guest) answered(a *mqtt.Ack, reply func(mqtt.Type, uint16)) {
	i := slices.IndexFunc(g.open, func(p *promised) bool { return p.id == a.PacketID })
	if i < 0 {
		g.h.t.Errorf("%s: %s for %d, which is not open", g.id, a.Type, a.PacketID)
		return
	}
	p := g.open[i]
	w := g.h.wants[p.payload]
	if a.Type == mqtt.TypePubrec && a.Code < 0x80 {
		w.acked, p.released = true, true
		reply(mqtt.TypePubrel, p.id)
		return
	}
	if a.Code >= 0x80 {
		w.refused = !p.again
	} else {
		w.acked = true
	}
	g.open = slices.Delete(g.open, i, i+1)
}
