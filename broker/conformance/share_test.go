package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"vernemq/broker/mqtt"
)

func TestShared(t *testing.T) {
	statement(t, "MQTT-4.8.2-1@5 MQTT-4.8.2-2@5 a shared subscription names a group and a filter", func(b *broker) {
		for _, f := range []string{"$share//t", "$share/g", "$share/g/", "$share/", "$share", "$share/+/t", "$share/#/t", "$share/g+/t", "$share/g#x/t"} {
			c := b.connect("c")
			c.subscribe(1, f, 1)
			c.fails(mqtt.CodeTopicFilterInvalid)
		}
		c := b.connect("c")
		c.sub("$share/g/t", 1)
		c.sub("$share/g//", 1)
		b.connect("p").deliver("t", "x", 1)
		c.want("PUBLISH t x qos=1 id=1")
	})
	statement(t, "MQTT-4.8.2-4@5 a QoS 2 message in flight is completed with its member", func(b *broker) {
		one := b.connect("one", keep)
		one.sub("$share/g/t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 2)
		one.want("PUBLISH t 1 qos=2 id=1")
		other := b.connect("other", keep)
		other.sub("$share/g/t", 2)
		one.lose()
		p.deliver("t", "2", 2) // to the one that is there
		other.want("PUBLISH t 2 qos=2 id=1")
		one = b.hello("one", keep)
		one.want("CONNACK 0x00 present", "PUBLISH t 1 qos=2 id=1 dup")
		one.ack(mqtt.TypePubrec, 1, 0)
		one.want("PUBREL id=1")
		one.ack(mqtt.TypePubcomp, 1, 0)
		one.quiet()
		other.quiet()
	})
	statement(t, "MQTT-4.8.2-5@5 a QoS 2 message in flight ends with the session of its member", func(b *broker) {
		one := b.connect("one", keep)
		one.sub("$share/g/t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 2)
		one.want("PUBLISH t 1 qos=2 id=1")
		other := b.connect("other")
		other.sub("$share/g/t", 2)
		one.lose()
		b.connect("one").bye() // a clean start ends the session
		p.deliver("t", "2", 2)
		other.want("PUBLISH t 2 qos=2 id=1")
	})
	statement(t, "MQTT-4.8.2-6@5 a message that its member refuses goes to nobody else", func(b *broker) {
		var members []*client
		for i := range 2 {
			c := b.connect(fmt.Sprint(i))
			c.sub("$share/g/t", 2)
			c.sub("all", 0)
			members = append(members, c)
		}
		p := b.connect("p")
		for qos := byte(1); qos <= 2; qos++ {
			p.deliver("t", "x", qos)
			p.deliver("all", "now", 0)
			got := 0
			for _, c := range members {
				line := c.next()
				if line == "PUBLISH all now qos=0" {
					continue
				}
				var id uint16
				if _, err := fmt.Sscanf(line[strings.Index(line, "id="):], "id=%d", &id); err != nil {
					b.Fatal(line)
				}
				got++
				typ := mqtt.TypePuback
				if qos == 2 {
					typ = mqtt.TypePubrec
				}
				c.want("PUBLISH all now qos=0")
				c.ack(typ, id, mqtt.CodeImplementationSpecificError)
			}
			if got != 1 {
				b.Fatalf("%d members got the message, want one", got)
			}
			for _, c := range members {
				c.quiet()
			}
		}
	})
	statement(t, "MQTT-4.8.2-3@5 each message of a group goes to one member, at the member's QoS", func(b *broker) {
		var members []*client
		for i := range 3 {
			c := b.connect(fmt.Sprint(i))
			c.sub("$share/g/t", mqtt.SubOptions(i))
			members = append(members, c)
		}
		p := b.connect("p")
		const n = 30
		for range n {
			p.deliver("t", "x", 2)
		}
		sum := 0
		for i, c := range members {
			c.send(mqtt.AppendPingreq(nil))
			for line := c.next(); line != "PINGRESP"; line = c.next() {
				if !strings.HasPrefix(line, fmt.Sprintf("PUBLISH t x qos=%d", i)) {
					b.Errorf("member %d received %s", i, line)
				}
				sum++
			}
		}
		if sum != n {
			b.Errorf("%d messages received, want %d", sum, n)
		}
	})
}
