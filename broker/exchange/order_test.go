package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/mqtt"
)

func mustConnect(t *testing.T, w *world, id string) *client {
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

// TestSlotReuse: a delivery that waits for its step does not reach a stranger who got the place of a subscriber meanwhile.
func TestSlotReuse(t *testing.T) {
	w := newWorld(t, 1, defaults())
	p := mustConnect(t, w, "p")
	var last *client
	for i := range 3000 {
		last = mustConnect(t, w, fmt.Sprint(i))
		last.subscribe("big", 0)
	}
	p.receive((&mqtt.Publish{Topic: []byte("big"), Payload: []byte("secret")}).Append(nil, p.version))
	last.loop.home.Closed(last.s, true)
	last.s, last.closed = nil, true
	stranger := mustConnect(t, w, "stranger")
	w.run()
	if f := stranger.frames(); len(f) != 1 {
		t.Errorf("received %d packets, want its CONNACK alone: %s", len(f), show(f[len(f)-1], stranger.version))
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
