package exchange_test

import (
	"slices"
	"testing"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// order notes in which order a message and the end of a session reach the store.
type order struct {
	store.Store
	steps []string
}

func (o *order) PutMessage(m *msg.Message, in store.Inbound, rs []store.Recipient) (store.MessageRef, store.Ticket) {
	o.steps = append(o.steps, "message "+string(m.Topic))
	return o.Store.PutMessage(m, in, rs)
}

func (o *order) DeleteSession(k store.SessionKey) store.Ticket {
	o.steps = append(o.steps, "end of session")
	return o.Store.DeleteSession(k)
}

// TestRemoveKeepsWill: the will of an absent client that an operator removes is stored before the session that has it is deleted: a crash between
// the two does not lose it.
func TestRemoveKeepsWill(t *testing.T) {
	w := newWorld(t, 1, defaults())
	subscribe(w.persistent("watch"), "will", 1)
	q := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte("a"), HasWill: true, Will: mqtt.Will{Topic: []byte("will"), QoS: 1}}
	q.Props.AddUint(mqtt.PropSessionExpiry, 1000)
	q.Will.Props.AddUint(mqtt.PropWillDelay, 1000)
	a, err := w.connect("a", q)
	if err != nil {
		t.Fatal(err)
	}
	a.lose()
	o := &order{Store: w.mem}
	w.x.Store = o
	home := w.loops[0].home
	home.Remove(home.Session(msg.SubscriberID{ClientID: "a"}))
	if want := []string{"message will", "end of session"}; !slices.Equal(o.steps, want) {
		t.Errorf("the store was given %q, want %q", o.steps, want)
	}
}

// TestUnsentDisconnect: a client that is taken over before its CONNACK has left is sent no DISCONNECT, and none is counted.
func TestUnsentDisconnect(t *testing.T) {
	w := newWorld(t, 1, defaults())
	q := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte("a")}
	q.Props.AddUint(mqtt.PropSessionExpiry, 1000)
	w.mem.Hold()
	sent := func(want uint64) {
		t.Helper()
		for range 2 {
			if _, err := w.connect("a", q); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.metrics.Value(metric.DisconnectSent(byte(mqtt.CodeSessionTakenOver))); n != want {
			t.Errorf("%d DISCONNECT packets counted, want %d", n, want)
		}
	}
	sent(0)
	for w.mem.Held() > 0 {
		w.mem.Release(0)
		w.run()
	}
	sent(1) // to the connection whose CONNACK has left
}
