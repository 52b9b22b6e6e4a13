package node_test

import (
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

// TestExpireRetained: expire_retain_cache says how often expired retained messages are looked for, whether anybody subscribes to them or not.
func TestExpireRetained(t *testing.T) {
	t.Parallel() // it waits more than it works
	o := options(2)
	o.ExpireRetained = 20 * time.Millisecond
	n, addr := start(t, o)
	p := connect(t, addr, "p", mqtt.V5)
	for i, topic := range []string{"short/1", "short/2", "long", "for/ever"} {
		m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("x"), Retain: true, QoS: 1, PacketID: 1}
		if i < 3 {
			m.Props.AddUint(mqtt.PropMessageExpiry, []uint32{1, 1, 1000}[i])
		}
		p.send(m.Append(nil, p.v))
		p.want(mqtt.TypePuback)
	}
	until(t, "the expired ones are gone", func() bool { return n.Retained() == 2 })
}
