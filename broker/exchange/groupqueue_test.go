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
