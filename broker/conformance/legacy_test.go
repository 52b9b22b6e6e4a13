package conformance_test

import (
	"testing"

	"vernemq/broker/mqtt"
)

// level makes a CONNECT one of an older protocol, or of a bridge.
func level(v mqtt.Version, bridge bool) mod {
	return func(p *mqtt.Connect) { p.Version, p.Bridge = v, bridge }
}

// TestMQTT31: what differs from MQTT 3.1.1, which the parity with VerneMQ asks for. No statement of the standards is about it.
func TestMQTT31(t *testing.T) {
	v31 := level(mqtt.V31, false)
	t.Run("no session present in CONNACK", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		b.connect("c", v31, keep).bye()
		b.hello("c", v31, keep).want("CONNACK 0x00")
	})
	t.Run("sessions are kept all the same", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		c := b.connect("c", v31, keep)
		c.sub("t", 2)
		c.lose()
		b.connect("p", level(mqtt.V5, false)).deliver("t", "x", 2)
		b.hello("c", v31, keep).want("CONNACK 0x00", "PUBLISH t x qos=2 id=1")
	})
	t.Run("an empty client identifier is refused", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		b.hello("", v31).ends("CONNACK 0x02")
	})
	t.Run("a DUP in SUBSCRIBE and PUBREL is allowed", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		c := b.connect("c", v31)
		c.hex(`8a 06 0001 0001"t"00`)
		c.want("SUBACK id=1 00")
		c.pub("u", "x", 2, 5)
		c.want("PUBREC id=5")
		c.hex("6a 02 0005")
		c.want("PUBCOMP id=5")
	})
	t.Run("MQIsdp is 3.1 whatever its level", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		c := b.dial()
		c.hex(`10 0f 0006"MQIsdp"04 02 0000 0001"c"`)
		c.want("CONNACK 0x00")
	})
	t.Run("a listener may refuse it", func(t *testing.T) {
		b := newBroker(t, mqtt.V31)
		b.o.Listeners[0].ProtocolVersions = []int{4, 5}
		b.hello("c", v31).ends("CONNACK 0x01")
	})
}

// TestBridgeLevels: the levels 131 and 132, by which a bridge says that it is one. It gets messages with the retain flag they were published with.
func TestBridgeLevels(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311} {
		t.Run(v.String(), func(t *testing.T) {
			b := newBroker(t, v)
			c := b.connect("bridge", level(v, true))
			c.sub("t", 1)
			p := b.connect("p")
			p.deliver("t", "x", 1, retain)
			p.deliver("t", "y", 1)
			c.want("PUBLISH t x qos=1 id=1 retain", "PUBLISH t y qos=1 id=2")
		})
		t.Run(v.String()+" own messages stay away", func(t *testing.T) {
			b := newBroker(t, v)
			c := b.connect("bridge", level(v, true), keep)
			c.sub("#", 1)
			c.sub("$share/g/shared", 1)
			c.deliver("t", "own", 1)
			c.pub("shared", "own", 0, 0) // a member of a group may well get its own
			c.want("PUBLISH shared own qos=0")
			c.lose()
			p := b.connect("p")
			p.deliver("t", "kept", 1, retain)
			c = b.hello("bridge", level(v, true), keep)
			c.want(map[bool]string{true: "CONNACK 0x00", false: "CONNACK 0x00 present"}[v == mqtt.V31], "PUBLISH t kept qos=1 id=1 retain")
			c.quiet()
		})
		t.Run(v.String()+" refused", func(t *testing.T) {
			b := newBroker(t, v)
			b.o.Listeners[0].ProtocolVersions = []int{3, 4, 5}
			b.hello("bridge", level(v, true)).ends("CONNACK 0x01")
		})
	}
}
