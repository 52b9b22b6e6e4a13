package node_test

import (
	"encoding/binary"
	"testing"
	"time"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
)

// TestMessageRate: a client that publishes faster than max_message_rate is read at that rate; nothing is lost, others are not slowed, and its
// keep alive does not run while it is the broker that does not read.
func TestMessageRate(t *testing.T) {
	o := options(1)
	o.MaxMessageRate = 3
	n, addr := start(t, o)
	fast := connect(t, addr, "fast", mqtt.V311, func(c *mqtt.Connect) { c.KeepAlive = 1 })
	other := connect(t, addr, "other", mqtt.V311)
	var burst []byte
	for id := uint16(1); id <= 8; id++ {
		p := mqtt.Publish{Topic: []byte("rate"), QoS: 1, PacketID: id, Payload: []byte("x")}
		burst = p.Append(burst, mqtt.V311)
	}
	sent := time.Now()
	fast.send(burst)
	for id := uint16(1); id <= 8; id++ {
		if got := binary.BigEndian.Uint16(fast.want(mqtt.TypePuback)); got != id {
			t.Fatalf("PUBACK %d, want %d", got, id)
		}
		if id == 3 {
			other.ping()
			// Only within the second that the burst began in does the count tell anything.
			if got := n.Metrics().Value(metric.MqttPublishReceived); got != 3 && time.Since(sent) < 900*time.Millisecond {
				t.Errorf("%d publishes were read in one second, want 3", got)
			}
		}
	}
	fast.ping()
}
