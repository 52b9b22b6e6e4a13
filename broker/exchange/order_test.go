package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
)

func mustConnect(t testing.TB, w *world, id string) *client {
	t.Helper()
	c, err := w.connect(id, &mqtt.Connect{Version: mqtt.V311, ClientID: []byte(id), CleanStart: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) subscribe(filter string, qos byte) {
	s := mqtt.Subscribe{PacketID: 1}
	s.Add([]byte(filter), mqtt.SubOptions(qos))
	c.send(s.Append(nil, c.version))
}

// receive hands a packet to the broker without a turn around it.
func (c *client) receive(b []byte) {
	c.w.t.Helper()
	hd, _, err := mqtt.ReadHeader(b, 0, c.version)
	if err == nil {
		_, err = c.loop.home.Receive(c.s, hd, b)
	}
	if err != nil {
		c.w.t.Fatal(err)
	}
}

// TestOrderAcrossSteps: while a large fan-out is under way, all subscribers but the last leave. What is published now must not overtake what the
// last one has still to get.
func TestOrderAcrossSteps(t *testing.T) {
	w := newWorld(t, 1, defaults())
	p := mustConnect(t, w, "p")
	var crowd []*client
	for i := range 3000 {
		c := mustConnect(t, w, fmt.Sprint(i))
		c.subscribe("big", 0)
		crowd = append(crowd, c)
	}
	last := crowd[len(crowd)-1]
	last.frames()
	p.receive((&mqtt.Publish{Topic: []byte("big"), Payload: []byte("first")}).Append(nil, p.version))
	if !p.loop.home.Working() {
		t.Fatal("the fan-out was done in one step: nothing is tested")
	}
	leave := mqtt.Unsubscribe{PacketID: 2}
	leave.Add([]byte("big"))
	for _, c := range crowd[:len(crowd)-1] {
		c.receive(leave.Append(nil, c.version))
	}
	p.receive((&mqtt.Publish{Topic: []byte("big"), Payload: []byte("second")}).Append(nil, p.version))
	w.run()
	var got []string
	for _, f := range last.frames() {
		got = append(got, show(f, last.version))
	}
	want := `[PUBLISH "big" "first" qos=0 PUBLISH "big" "second" qos=0]`
	if fmt.Sprint(got) != want {
		t.Errorf("the last subscriber received %v, want %v", got, want)
	}
}

// TestSlotReuse: deliveries that wait for their step do not reach strangers who got the places of subscribers meanwhile.
func TestSlotReuse(t *testing.T) {
	w := newWorld(t, 1, defaults())
	p := mustConnect(t, w, "p")
	var crowd []*client
	for i := range 4000 {
		c := mustConnect(t, w, fmt.Sprint(i))
		c.subscribe("big", 0)
		crowd = append(crowd, c)
	}
	p.receive((&mqtt.Publish{Topic: []byte("big"), Payload: []byte("secret")}).Append(nil, p.version))
	for _, c := range crowd[500:] { // so many that the list of subscribers is made anew
		c.loop.home.Closed(c.s, true)
		c.s, c.closed = nil, true
	}
	var strangers []*client
	for i := range 3500 {
		name := fmt.Sprintf("stranger%d", i)
		c := &client{w: w, name: name, version: mqtt.V311, loop: w.loops[0]}
		c.out.Handle = uint32(len(w.conns))
		w.conns = append(w.conns, c)
		var err error
		if c.s, _, err = w.loops[0].home.Connect(&session.Connect{ID: msg.SubscriberID{ClientID: name}, Version: mqtt.V311, CleanStart: true}, &c.out); err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, c)
	}
	w.run()
	for _, c := range strangers {
		if f := c.frames(); len(f) != 1 {
			t.Fatalf("%s received %d packets, want its CONNACK alone: %s", c.name, len(f), show(f[len(f)-1], c.version))
		}
	}
}

// TestNewWaitsForOld: with more exchanges of an earlier connection than one step sends again, what is published meanwhile comes after them.
func TestNewWaitsForOld(t *testing.T) {
	o := defaults()
	o.MaxInflight = 0
	w := newWorld(t, 1, o)
	p := mustConnect(t, w, "p")
	keep := &mqtt.Connect{Version: mqtt.V311, ClientID: []byte("s")}
	s, err := w.connect("s", keep)
	if err != nil {
		t.Fatal(err)
	}
	s.subscribe("t", 1)
	const old = 700
	for i := range old {
		p.send((&mqtt.Publish{Topic: []byte("t"), Payload: fmt.Append(nil, i), QoS: 1, PacketID: 1}).Append(nil, p.version))
	}
	s.lose()
	p.in = (&mqtt.Publish{Topic: []byte("t"), Payload: fmt.Append(nil, old), QoS: 1, PacketID: 1}).Append(nil, p.version)
	p.loop.more = append(p.loop.more, p) // taken in the turn in which s is back
	if s, err = w.connect("s", keep); err != nil {
		t.Fatal(err)
	}
	for i, f := range s.frames()[1:] {
		want := fmt.Sprintf("PUBLISH %q %q qos=1 id=%d", "t", fmt.Sprint(i), i+1)
		if i < old {
			want += " dup"
		}
		if got := show(f, s.version); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
	if n := s.s.Inflight(); n != old+1 {
		t.Errorf("%d in flight, want %d", n, old+1)
	}
}

// TestLeastInflight: the member with the fewest open exchanges is chosen.
func TestLeastInflight(t *testing.T) {
	o := defaults()
	o.SharedPolicy = "least_inflight"
	w := newWorld(t, 1, o)
	p := mustConnect(t, w, "p")
	var members []*client
	for i := range 3 {
		c := mustConnect(t, w, fmt.Sprint(i))
		c.subscribe("$share/g/t", 1)
		members = append(members, c)
	}
	for range 12 {
		p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1}).Append(nil, p.version))
	}
	for _, c := range members {
		if n := c.s.Inflight(); n != 4 {
			t.Errorf("member %s has %d exchanges open, want 4", c.name, n)
		}
	}
	for id := range byte(4) {
		members[1].send([]byte{0x40, 2, 0, id + 1})
	}
	for range 4 {
		p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1}).Append(nil, p.version))
	}
	if n := members[1].s.Inflight(); n != 4 {
		t.Errorf("the member that answered has %d exchanges open, want 4", n)
	}
}

// TestReplaysAreBounded: a client that subscribes over and over and acknowledges nothing makes the broker keep one replay, not thousands.
func TestReplaysAreBounded(t *testing.T) {
	o := defaults()
	o.MaxInflight = 1
	w := newWorld(t, 1, o)
	p := mustConnect(t, w, "p")
	p.send((&mqtt.Publish{Topic: []byte("a"), Payload: []byte("x"), QoS: 1, PacketID: 1, Retain: true}).Append(nil, p.version))
	s := mustConnect(t, w, "s")
	for range 40 {
		s.subscribe("#", 1)
	}
	n := 0
	for id := byte(1); id <= 40; id++ {
		for _, f := range s.frames() {
			if mqtt.Type(f[0]>>4) == mqtt.TypePublish {
				n++
			}
		}
		s.send([]byte{0x40, 2, 0, id})
	}
	if n != 2 { // the first, and one for all that came while it was not acknowledged
		t.Errorf("%d retained messages were sent, want 2", n)
	}
}
