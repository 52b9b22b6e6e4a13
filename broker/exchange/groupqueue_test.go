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
