package node_test

import (
	"math/rand/v2"
	"testing"

	"vernemq/broker/mqtt"
)

// TestCrashWills: the last wills of persistent sessions survive a broker that is killed: that of a client which was connected, that of one which is
// gone and whose delay still runs; not those which a DISCONNECT or a new connection took away. None is published twice.
func TestCrashWills(t *testing.T) {
	c := &crash{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(8, 1))}
	will := func(id string, delay uint32) func(*mqtt.Connect) {
		return func(q *mqtt.Connect) {
			persist(q)
			q.HasWill = true
			q.Will.Topic, q.Will.Payload, q.Will.QoS = []byte("will/"+id), []byte("gone"), 1
			if delay > 0 {
				q.Will.Props.AddUint(mqtt.PropWillDelay, delay)
			}
		}
	}
	c.start()
	s := connect(t, c.addr, "s", mqtt.V5, persist)
	s.subscribe("will/#", 1)
	connect(t, c.addr, "connected", mqtt.V311, will("connected", 0))
	_ = connect(t, c.addr, "away", mqtt.V5, will("away", 2)).Close()
	connect(t, c.addr, "back", mqtt.V5, will("back", 3600))
	bye := connect(t, c.addr, "bye", mqtt.V5, will("bye", 0))
	bye.send([]byte{byte(mqtt.TypeDisconnect) << 4, 0})
	bye.wantClosed()
	_ = bye.Close()
	// settle sends a last message and returns when all that was handled before it is on the disk.
	settle := func() {
		t.Helper()
		p := connect(t, c.addr, "p", mqtt.V311)
		p.publish("will/marker", nil, 1, 1)
		p.want(mqtt.TypePuback)
		wantWills(t, s, "will/marker")
		s.ping()
		connect(t, c.addr, "last", mqtt.V5, persist)
	}
	settle()
	c.kill()

	c.start()
	s = connect(t, c.addr, "s", mqtt.V5, persist)
	wantWills(t, s, "will/connected", "will/away")
	connect(t, c.addr, "back", mqtt.V5, persist)
	settle()
	c.kill()

	c.start()
	defer c.kill()
	s = connect(t, c.addr, "s", mqtt.V5, persist)
	settle()
}

// persist asks for a session that outlives its connection.
func persist(q *mqtt.Connect) {
	q.CleanStart = false
	if q.Version.Is5() {
		q.Props.AddUint(mqtt.PropSessionExpiry, 0xFFFFFFFF)
	}
}

// wantWills takes exactly the messages of some topics, in order.
func wantWills(t *testing.T, s *peer, topics ...string) {
	t.Helper()
	for _, want := range topics {
		if got, _ := s.message(); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
}
