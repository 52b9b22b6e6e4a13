package exchange_test

import (
	"testing"

	"vernemq/broker/mqtt"
)

// TestGroupQueueOfNobody: the queue of a group is durable, all members with a session that lasts have left, and the broker dies: those who were
// connected are gone with it, and so is the queue.
func TestGroupQueueOfNobody(t *testing.T) {
	w := newWorld(t, 2, defaults())
	m := w.persistent("m")
	subscribe(m, "$share/g/t", 1)
	fleeting := mustConnect(t, w, "fleeting")
	subscribe(fleeting, "$share/g/t", 1)
	unsubscribe(m, "$share/g/t")
	p := mustConnect(t, w, "p")
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("x")}).Append(nil, mqtt.V311))
	if n := w.waitingFor(); n["\x00$share/g/t"] != 1 {
		t.Fatalf("waiting in the store: %v, want one for the group", n)
	}
	w.crash(2)
	if n := w.waitingFor(); len(n) != 0 {
		t.Errorf("waiting in the store: %v", n)
	}
	for _, l := range w.loops {
		if n := l.home.Sessions(); n > 1 {
			t.Errorf("%d sessions on a shard", n)
		}
	}
	subscribe(w.persistent("m"), "$share/g/t", 1)
	p = mustConnect(t, w, "p")
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("y")}).Append(nil, mqtt.V311))
	if n := w.waitingFor(); len(n) != 1 || n["m"] != 1 {
		t.Errorf("waiting in the store: %v, want one for m", n)
	}
}

// TestGroupTakesBackUntaken: a QoS 2 message waits for the store on its way to a member whose session ends with its connection, which breaks. It goes
// back to the group's queue as a message that nobody has, and a broker that dies then still delivers it.
func TestGroupTakesBackUntaken(t *testing.T) {
	w := newWorld(t, 2, defaults())
	w.persistent("m")
	m := w.persistent("m")
	subscribe(m, "$share/g/t", 2)
	m.lose()
	fleeting := mustConnect(t, w, "fleeting")
	subscribe(fleeting, "$share/g/t", 2)
	p := w.persistent("p")
	w.mem.Hold()
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 2, PacketID: 1, Payload: []byte("x")}).Append(nil, mqtt.V311))
	fleeting.lose()
	w.mem.Release(0)
	w.crash(2)
	m, err := w.connect("m", &mqtt.Connect{Version: mqtt.V311, ClientID: []byte("m")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.mem.Release(0)
		w.run()
	}
	if fs := m.frames(); len(fs) != 2 || mqtt.Type(fs[1][0]>>4) != mqtt.TypePublish {
		t.Errorf("the other member received %d packets, want CONNACK and the message", len(fs))
	}
}

// receives returns the messages that c has received, and answers them.
func (c *client) receives() (payloads []string) {
	for again := true; again; {
		again = false
		for _, f := range c.frames() {
			hd, _, _ := mqtt.ReadHeader(f, 0, c.version)
			if hd.Type != mqtt.TypePublish {
				continue
			}
			var m mqtt.Publish
			if err := m.Decode(hd.Flags, f[hd.Size:], c.version); err != nil {
				c.w.t.Fatal(err)
			}
			payloads, again = append(payloads, string(m.Payload)), true
			if m.QoS == 1 {
				c.send((&mqtt.Ack{Type: mqtt.TypePuback, PacketID: m.PacketID}).Append(nil, c.version))
			}
		}
	}
	return payloads
}

// TestGroupMemberComesBack: a member has borrowed from the group's queue, leaves the group, which takes back what it has not sent, and joins again:
// it is lent to as any other.
func TestGroupMemberComesBack(t *testing.T) {
	o := defaults()
	o.MaxInflight = 1
	w := newWorld(t, 2, o)
	a, b := w.persistent("a"), w.persistent("b")
	subscribe(a, "$share/g/t", 1)
	subscribe(b, "$share/g/t", 1)
	a.lose()
	b.lose()
	p := mustConnect(t, w, "p")
	for i := range 5 {
		p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: uint16(i + 1), Payload: []byte{byte('0' + i)}}).Append(nil, mqtt.V311))
	}
	a = w.persistent("a") // borrows all; one of them is under way
	got := map[string]bool{"0": true}
	u := mqtt.Unsubscribe{PacketID: 2}
	u.Add([]byte("$share/g/t"))
	a.send(u.Append(nil, a.version))
	a.send([]byte{0x40, 2, 0, 1})
	a.subscribe("$share/g/t", 1)
	b = w.persistent("b")
	b.lose()
	for _, m := range a.receives() {
		got[m] = true
	}
	if len(got) < 5 || w.waitingFor()["\x00$share/g/t"] > 0 {
		t.Errorf("received %v, in the store %v", got, w.waitingFor())
	}
}

// TestGroupAfterRestart: what a member had under way when the broker died is not its own for as long as it stays away.
func TestGroupAfterRestart(t *testing.T) {
	w := newWorld(t, 2, defaults())
	a, b := w.persistent("a"), w.persistent("b")
	subscribe(a, "$share/g/t", 1)
	subscribe(b, "$share/g/t", 1)
	b.lose()
	p := mustConnect(t, w, "p")
	for i := range 3 {
		p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: uint16(i + 1), Payload: []byte("x")}).Append(nil, mqtt.V311))
	}
	if n := w.waitingFor()["a"]; n != 3 {
		t.Fatalf("in the store %v, want 3 for a", w.waitingFor())
	}
	w.crash(3)
	if c, err := w.connect("b", &mqtt.Connect{Version: mqtt.V311, ClientID: []byte("b")}); err != nil {
		t.Error(err)
	} else if got := c.receives(); len(got) != 3 {
		t.Errorf("the other member received %q", got)
	}
	if n := w.waitingFor(); len(n) != 0 {
		t.Errorf("in the store %v", n)
	}
}
