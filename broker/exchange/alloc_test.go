package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/mqtt"
)

// TestAllocations: what one PUBLISH costs in allocations, from Receive to the bytes for its subscribers, once everything is warm.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		name string
		v    mqtt.Version
		qos  byte
		subs int
		most float64
	}{
		{"QoS 0 to one", mqtt.V311, 0, 1, 0},
		{"QoS 0 to 100", mqtt.V311, 0, 100, 0},
		{"QoS 0 to nobody", mqtt.V311, 0, 0, 0},
		{"QoS 0, MQTT 5", mqtt.V5, 0, 10, 0},
		{"QoS 1 to one", mqtt.V311, 1, 1, 1},
		{"QoS 1, MQTT 5", mqtt.V5, 1, 1, 1},
		{"QoS 1 to 100", mqtt.V311, 1, 100, 1}, // all receivers share it
		{"QoS 2 to one", mqtt.V311, 2, 1, 1},
		{"QoS 2, MQTT 5", mqtt.V5, 2, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if raceEnabled {
				t.Log("allocations are not counted under the race detector")
				return
			}
			if got := allocations(t, c.v, c.qos, c.subs); got > c.most {
				t.Errorf("%v allocations a message, want at most %v", got, c.most)
			} else {
				t.Logf("%v allocations a message", got)
			}
		})
	}
}

func allocations(t *testing.T, v mqtt.Version, qos byte, subs int) float64 {
	once, check := onePublish(t, v, qos, subs)
	n := testing.AllocsPerRun(1000, once)
	check()
	return n
}

// BenchmarkPublish is the same work against the clock.
func BenchmarkPublish(b *testing.B) {
	for _, qos := range []byte{0, 1, 2} {
		b.Run(fmt.Sprintf("qos=%d", qos), func(b *testing.B) {
			once, check := onePublish(b, mqtt.V311, qos, 1)
			for b.Loop() {
				once()
			}
			check()
		})
	}
}

// onePublish returns what publishes once and has all receivers answer, and what tells whether they did.
func onePublish(t testing.TB, v mqtt.Version, qos byte, subs int) (once, check func()) {
	w := newWorld(t, 1, defaults())
	h := w.loops[0].home
	connect := func(name string) *client {
		c, err := w.connect(name, &mqtt.Connect{Version: v, ClientID: []byte(name), CleanStart: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	p := connect("p")
	var receivers []*client
	for i := range subs {
		c := connect(fmt.Sprintf("s%d", i))
		sub := mqtt.Subscribe{PacketID: 1}
		sub.Add([]byte("a/+"), mqtt.SubOptions(qos))
		c.send(sub.Append(nil, v))
		receivers = append(receivers, c)
	}
	pub := mqtt.Publish{Topic: []byte("a/b"), Payload: []byte("sixty-four bytes of payload, or nearly so, as sensors send them."), QoS: qos}
	if qos > 0 {
		pub.PacketID = 1
	}
	frame := pub.Append(nil, v)
	release := (&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: 1}).Append(nil, v)
	var ack []byte
	receive := func(c *client, b []byte) {
		hd, _, err := mqtt.ReadHeader(b, 0, v)
		if err == nil {
			_, err = h.Receive(c.s, hd, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	next := uint16(0)
	once = func() {
		receive(p, frame)
		next = next%65535 + 1
		for _, c := range receivers {
			switch qos {
			case 1:
				ack = append(ack[:0], 0x40, 2, byte(next>>8), byte(next))
				receive(c, ack)
			case 2:
				ack = append(ack[:0], 0x50, 2, byte(next>>8), byte(next), 0x70, 2, byte(next>>8), byte(next))
				receive(c, ack[:4])
				receive(c, ack[4:])
			}
		}
		if qos == 2 {
			receive(p, release)
		}
		for i, o := range h.T.Sink.Dirty {
			o.Dirty = false
			h.T.Sink.Release(o)
			h.T.Sink.Dirty[i] = nil
		}
		h.T.Sink.Dirty = h.T.Sink.Dirty[:0]
	}
	return once, func() {
		for _, c := range receivers {
			if c.s.Inflight() > 0 || c.s.Waiting() > 0 {
				t.Fatalf("%s has %d in flight and %d waiting: the exchanges were not completed", c.name, c.s.Inflight(), c.s.Waiting())
			}
		}
	}
}
