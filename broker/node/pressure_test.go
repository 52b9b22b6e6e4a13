package node_test

import (
	"testing"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
)

// TestPressure: what each stage of a shortage of memory does to clients, and that all of it ends.
func TestPressure(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		s := connect(t, addr, "s", mqtt.V5)
		s.subscribe("t", 1)
		p := connect(t, addr, "p", mqtt.V311)
		p.publish("t", []byte("0"), 1, 1)
		p.want(mqtt.TypePuback)
		f, _ := s.frame() // not acknowledged yet

		n.Press(exchange.Pause)
		counted := func(id metric.ID, least uint64) func() bool {
			return func() bool { return n.Metrics().Value(id) >= least }
		}
		p.publish("t", []byte("1"), 1, 2)
		until(t, "the publisher is paused", counted(metric.OverloadPublishersPaused, 1))
		p.send(mqtt.AppendPingreq(nil)) // behind it: not read either
		s.send([]byte{0x40, 2, f[5], f[6]})
		s.ping() // who does not publish is served
		q := connect(t, addr, "q", mqtt.V311)
		q.ping()
		q.publish("t", []byte("2"), 1, 1)
		until(t, "another publisher is paused", counted(metric.OverloadPublishersPaused, 2))

		n.Press(exchange.Refuse)
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			wantNoRoom(t, addr, v)
		}
		if got := n.Metrics().Value(metric.OverloadConnectionsRefused); got != 3 {
			t.Errorf("%d connections refused, want 3", got)
		}
		s.ping()

		n.Press(exchange.Shed)
		p.want(mqtt.TypePuback)
		p.want(mqtt.TypePingresp)
		q.want(mqtt.TypePuback)
		got := map[string]bool{}
		for range 2 {
			_, payload := s.message()
			got[string(payload)] = true
		}
		if !got["1"] || !got["2"] {
			t.Errorf("received %v, want both messages that waited", got)
		}
		connect(t, addr, "new", mqtt.V5).ping()
		n.Press(exchange.Easy)
	})
}
