package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"vernemq/broker/mqtt"
)

func TestLimits(t *testing.T) {
	statement(t, "MQTT-3.1.2-24@5 nothing larger than the client's Maximum Packet Size is sent", func(b *broker) {
		c := b.hello("c", number(mqtt.PropMaximumPacketSize, 4)) // no CONNACK fits
		c.ends()
		c = b.connect("c", number(mqtt.PropMaximumPacketSize, 20))
		c.subscribe(1, "0", 0, "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e")
		c.want("SUBACK id=1 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00") // 20 bytes
		c.subscribe(1, "0", 0, "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f")
		c.fails(mqtt.CodePacketTooLarge)
		c = b.connect("c", number(mqtt.PropMaximumPacketSize, 20))
		c.unsubscribe(1, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f")
		c.fails(mqtt.CodePacketTooLarge)
	})
	statement(t, "MQTT-3.1.2-24@5 a CONNACK that is too large for the client is not sent", func(b *broker) {
		b.o.ReceiveMaxBroker = 10 // has to be announced: 8 bytes
		b.hello("c", number(mqtt.PropMaximumPacketSize, 8)).want("CONNACK 0x00 ReceiveMaximum=10")
		b.hello("c", number(mqtt.PropMaximumPacketSize, 7)).ends("CONNACK 0x95")
	})
	statement(t, "MQTT-3.1.2-25@5 a message that is too large for the client is passed over", func(b *broker) {
		k := b.connect("k", keep, number(mqtt.PropMaximumPacketSize, 30))
		k.sub("t", 2)
		p := b.connect("p")
		large := strings.Repeat("x", 25)
		for qos := range byte(3) {
			p.deliver("t", large, qos)
		}
		p.deliver("t", large[:22], 1)
		k.want("PUBLISH t " + large[:22] + " qos=1 id=1") // 30 bytes
		k.ack(mqtt.TypePuback, 1, 0)
		k.quiet()
		k.lose()
		p.deliver("t", large, 1)
		p.deliver("t", "small", 1)
		k = b.connect("k", keep, number(mqtt.PropMaximumPacketSize, 30))
		k.want("PUBLISH t small qos=1 id=2")
		k.ack(mqtt.TypePuback, 2, 0)
		k.quiet()
		k.lose()
		k = b.connect("k", keep) // it is over for a larger maximum too
		k.quiet()
	})
	statement(t, "MQTT-3.2.2-15@5 a packet larger than the announced maximum", func(b *broker) {
		b.o.MaxMessageSize = 100
		p := b.connect("p")
		if p.hello != "CONNACK 0x00 MaximumPacketSize=102" {
			b.Error(p.hello)
		}
		b.connect("s").sub("t", 0)
		p.deliver("t", strings.Repeat("x", 94), 1) // 102 bytes
		p.pub("t", strings.Repeat("x", 95), 1, 1)
		p.fails(mqtt.CodePacketTooLarge)
	})
	statement(t, "MQTT-3.3.4-7@5 more unanswered messages than the announced Receive Maximum", func(b *broker) {
		b.o.ReceiveMaxBroker = 2
		p := b.connect("p")
		if p.hello != "CONNACK 0x00 ReceiveMaximum=2" {
			b.Error(p.hello)
		}
		p.pub("t", "x", 2, 1)
		p.pub("t", "x", 2, 2)
		p.acked("PUBREC id=1")
		p.acked("PUBREC id=2")
		p.ack(mqtt.TypePubrel, 1, 0)
		p.want("PUBCOMP id=1")
		p.pub("t", "x", 2, 3)
		p.acked("PUBREC id=3")
		p.pub("t", "x", 2, 4)
		p.fails(mqtt.CodeReceiveMaximumExceeded)
	})
	statement(t, "MQTT-3.3.4-9@5 MQTT-4.9.0-1@5 MQTT-4.9.0-2@5 no more unanswered messages than the client's Receive Maximum", func(b *broker) {
		s := b.connect("s", keep, number(mqtt.PropReceiveMaximum, 3))
		s.sub("t", 2)
		p := b.connect("p")
		for i := 1; i <= 6; i++ {
			p.deliver("t", fmt.Sprint(i), byte(1+i%2))
		}
		s.want("PUBLISH t 1 qos=2 id=1", "PUBLISH t 2 qos=1 id=2", "PUBLISH t 3 qos=2 id=3")
		s.quiet()
		s.ack(mqtt.TypePubrec, 1, 0) // PUBREC alone makes no room
		s.want("PUBREL id=1")
		s.quiet()
		s.ack(mqtt.TypePubcomp, 1, 0)
		s.want("PUBLISH t 4 qos=1 id=4")
		s.ack(mqtt.TypePuback, 2, 0)
		s.want("PUBLISH t 5 qos=2 id=5")
		s.ack(mqtt.TypePubrec, 3, mqtt.CodeUnspecifiedError)
		s.want("PUBLISH t 6 qos=1 id=6")
	})
	statement(t, "MQTT-3.3.4-10@5 MQTT-4.9.0-3@5 what is no PUBLISH does not wait for room", func(b *broker) {
		s := b.connect("s", number(mqtt.PropReceiveMaximum, 1))
		s.sub("t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 2)
		p.deliver("t", "2", 1)
		s.want("PUBLISH t 1 qos=2 id=1")
		s.quiet() // PINGRESP
		s.subscribe(1, "u", 0)
		s.want("SUBACK id=1 00")
		s.deliver("v", "x", 1)
		s.deliver("v", "x", 2)
		p.deliver("u", "QoS 0 needs none", 0)
		s.want("PUBLISH u QoS 0 needs none qos=0")
		s.unsubscribe(2, "u")
		s.want("UNSUBACK id=2 00")
		s.ack(mqtt.TypePubrec, 1, 0)
		s.want("PUBREL id=1")
		s.ack(mqtt.TypePubcomp, 1, 0)
		s.want("PUBLISH t 2 qos=1 id=2")
	})
}
