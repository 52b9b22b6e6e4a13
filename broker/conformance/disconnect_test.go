package conformance_test

import (
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

func TestDisconnect(t *testing.T) {
	statement(t, "MQTT-3.14.0-1@5 no DISCONNECT comes before a CONNACK that accepts", func(b *broker) {
		b.o.MaxClientIDSize = 5
		c := b.dial() // a wrong first packet
		c.send(mqtt.AppendPingreq(nil))
		c.ends()
		b.hello("too long").ends("CONNACK 0x85")
		b.malformed(3, field("c"))
	})
	statement(t, "MQTT-3.14.1-1 the reserved flags of DISCONNECT", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		c := b.connect("c", will("will", "x", 0, false))
		c.hex("e1 00")
		c.fails(mqtt.CodeMalformedPacket)
		s.want("PUBLISH will x qos=0") // that was no goodbye
	})
	statement(t, "MQTT-3.14.2-1@5 a DISCONNECT with a code that it may not have", func(b *broker) {
		c := b.connect("c")
		c.hex("e0 01 10")
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.14.2-2@5 the broker sends no session expiry interval, and nobody raises one from 0", func(b *broker) {
		old := b.connect("c", keep)
		b.connect("c", keep)
		old.ends("DISCONNECT 0x8E")
		c := b.connect("d")
		var d mqtt.Disconnect
		d.Props.AddUint(mqtt.PropSessionExpiry, 10)
		c.send(d.Append(nil, b.v))
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.14.4-1 MQTT-3.14.4-2 after a DISCONNECT nothing is done and the connection ends", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		c := b.connect("c")
		c.send((&mqtt.Disconnect{}).Append(nil, b.v), message("t", "late", 0, 0).Append(nil, b.v), mqtt.AppendPingreq(nil))
		c.ends()
		s.quiet()
	})
	statement(t, "MQTT-3.14.4-1@5 MQTT-3.14.4-2@5 MQTT-4.13.2-1@5 after its own DISCONNECT the broker sends nothing and ends the connection", func(b *broker) {
		c := b.connect("c")
		c.sub("t", 0)
		c.send(connectBytes(b.v, 2, field("c")), message("t", "x", 0, 0).Append(nil, b.v), mqtt.AppendPingreq(nil))
		c.ends("DISCONNECT 0x82")
	})
}

// TestSlowStart: a client that says nothing is not waited for for ever.
func TestSlowStart(t *testing.T) {
	statement(t, "MQTT-3.1.4-1 a CONNECT that does not come", func(b *broker) {
		b.o.ConnectTimeout = 50 * time.Millisecond
		c := b.dial()
		c.ends()
		c = b.dial()
		c.hex("10 20 0004")
		c.ends()
	})
}
