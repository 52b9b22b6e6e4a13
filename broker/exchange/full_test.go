package exchange_test

import (
	"testing"

	"vernemq/broker/mqtt"
)

// refusing is a broker that refuses publishers, with a persistent subscriber of "t" that is away and whose queue of one is full.
func refusing(t *testing.T, kind string) *world {
	o := defaults()
	o.QueueFullAction, o.QueueType, o.MaxOfflineMessages = "refuse", kind, 1
	w := newWorld(t, 2, o)
	s := w.persistent("s")
	subscribe(s, "t", 2)
	s.lose()
	p := w.persistent("filler")
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("first")}).Append(nil, mqtt.V311))
	p.lose()
	return w
}

// TestRefusedAndLost: a QoS 2 publish is refused, and the connection breaks before its PUBREC can say so. What the client sends again is new.
func TestRefusedAndLost(t *testing.T) {
	w := refusing(t, "fifo")
	connect := func() *client {
		q := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte("p")}
		q.Props.AddUint(mqtt.PropSessionExpiry, 100)
		c, err := w.connect("p", q)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	p := connect()
	w.mem.Hold()
	elsewhere := mqtt.Subscribe{PacketID: 9} // so that there is something to wait for
	elsewhere.Add([]byte("p"), 1)
	p.send(elsewhere.Append(nil, mqtt.V5))
	p.send((&mqtt.Publish{Topic: []byte("p"), QoS: 1, PacketID: 1}).Append(nil, mqtt.V5))
	m := mqtt.Publish{Topic: []byte("t"), QoS: 2, PacketID: 7, Payload: []byte("second")}
	p.send(m.Append(nil, mqtt.V5))
	p.lose()
	w.mem.Release(0)
	w.run()
	subscribe(w.persistent("s"), "t", 2) // takes the first
	w.mem.Release(0)
	w.run()
	p = connect()
	w.mem.Release(0)
	w.run()
	m.Dup = true
	p.send(m.Append(nil, mqtt.V5))
	w.mem.Release(0)
	w.run()
	if n := w.waitingFor()["s"]; n != 2 {
		t.Errorf("%d deliveries for the subscriber in the store, want the first and the second", n)
	}
}

// TestRefusingKeepsPromises: a QoS 0 message that finds a full last-in-first-out queue takes nobody's place in it.
func TestRefusingKeepsPromises(t *testing.T) {
	w := refusing(t, "lifo")
	o := *w.live.Load()
	o.MaxOnlineMessages, o.MaxInflight = 1, 1
	w.live.Swap(&o)
	s := w.persistent("s") // receives the first and does not answer
	p := mustConnect(t, w, "p")
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("promised")}).Append(nil, mqtt.V311))
	s.stuck = true
	for range 3 { // the connection takes one of them
		p.send((&mqtt.Publish{Topic: []byte("t"), Payload: make([]byte, 400<<10)}).Append(nil, mqtt.V311))
	}
	if n := w.waitingFor()["s"]; n != 2 {
		t.Errorf("%d deliveries for the subscriber in the store, want both", n)
	}
}

// TestRefusedUntilReload: a queue that is full is not any more when the operator gives it more room, whether its client comes or not.
func TestRefusedUntilReload(t *testing.T) {
	w := refusing(t, "fifo")
	p := mustConnect(t, w, "p")
	publish := func(id uint16) {
		p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: id, Payload: []byte("x")}).Append(nil, mqtt.V311))
	}
	publish(1)
	if n := w.waitingFor()["s"]; n != 1 {
		t.Fatalf("%d deliveries in the store, want the first", n)
	}
	o := *w.live.Load()
	o.MaxOfflineMessages = 2
	w.live.Swap(&o)
	w.run()
	publish(2)
	publish(3)
	if n := w.waitingFor()["s"]; n != 2 {
		t.Errorf("%d deliveries in the store, want 2", n)
	}
}
