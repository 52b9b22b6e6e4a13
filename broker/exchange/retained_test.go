package exchange_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

func (w *world) storedRetained() map[string]string {
	got := map[string]string{}
	err := w.mem.Load(store.Loader{Session: func(*store.Session) {}, Inbound: func(store.Inbound) {},
		Message:  func(store.MessageRef, *msg.Message, store.Recipient, store.AckKind) {},
		Retained: func(_ string, m *msg.Message) { got[string(m.Topic)] = string(m.Payload) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// five connects an MQTT 5 client.
func (w *world) five(name string) *client {
	c, err := w.connect(name, &mqtt.Connect{Version: mqtt.V5, ClientID: []byte(name), CleanStart: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestSweepRetained: a sweep removes what has expired, from memory and store, and nothing else; it can be ended between its steps.
func TestSweepRetained(t *testing.T) {
	w := newWorld(t, 1, defaults())
	p := w.five("p")
	const n = 10_000
	for i := range n {
		m := mqtt.Publish{Topic: fmt.Appendf(nil, "t/%d", i), Payload: []byte("x"), Retain: true}
		if i%2 == 0 {
			m.Props.AddUint(mqtt.PropMessageExpiry, 5)
		}
		p.send(m.Append(nil, p.version))
	}
	on := func() bool { return true }
	if removed := w.x.SweepRetained(w.now, on); removed != 0 {
		t.Errorf("%d removed before their time", removed)
	}
	w.advance(10 * time.Second)
	steps := 0
	first := w.x.SweepRetained(w.now, func() bool { steps++; return steps < 2 })
	if first == 0 || first == n/2 {
		t.Errorf("%d removed by a sweep that was ended after two steps", first)
	}
	if removed := first + w.x.SweepRetained(w.now, on); removed != n/2 {
		t.Errorf("%d removed, want %d", removed, n/2)
	}
	if got := w.x.Retain.Count(); got != n/2 {
		t.Errorf("%d retained messages left, want %d", got, n/2)
	}
	if got := len(w.storedRetained()); got != n/2 {
		t.Errorf("%d retained messages left in the store, want %d", got, n/2)
	}
}

// TestExpiredRetainedLeavesTheStore: also when it is a subscriber's wish that finds it.
func TestExpiredRetainedLeavesTheStore(t *testing.T) {
	w := newWorld(t, 1, defaults())
	p := w.five("p")
	m := mqtt.Publish{Topic: []byte("t"), Payload: []byte("x"), Retain: true}
	m.Props.AddUint(mqtt.PropMessageExpiry, 5)
	p.send(m.Append(nil, p.version))
	w.advance(10 * time.Second)
	p.subscribe("#", 0)
	if got := w.storedRetained(); len(got) != 0 {
		t.Errorf("the store has %v", got)
	}
}

// TestRetainedOfSeveralShards: what several shards retain under one topic at once is the same in memory and in the store.
func TestRetainedOfSeveralShards(t *testing.T) {
	const shards = 4
	w := newWorld(t, shards, defaults())
	for range 300 {
		var wg sync.WaitGroup
		for i := range shards {
			wg.Go(func() {
				w.loops[i].home.Publish(msg.New("", []byte("t"), fmt.Append(nil, i), nil, 0, true), nil)
			})
		}
		wg.Wait()
		if m := w.x.Retain.Get("", []byte("t")); string(m.Payload) != w.storedRetained()["t"] {
			t.Fatalf("in memory %q, in the store %q", m.Payload, w.storedRetained()["t"])
		}
	}
}
