package conformance_test

import (
	"fmt"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

func TestSubscribe(t *testing.T) {
	statement(t, "MQTT-2.3.1-7@4 MQTT-2.2.1-6@5 MQTT-3.8.4-1 MQTT-3.8.4-2 a SUBACK with the identifier of the SUBSCRIBE", func(b *broker) {
		c := b.connect("c")
		for _, id := range []uint16{1, 256, 65535} {
			c.subscribe(id, "t", 0)
			c.want(fmt.Sprintf("SUBACK id=%d 00", id))
		}
	})
	statement(t, "MQTT-3.8.1-1 MQTT-2.2.2-2@4 MQTT-2.1.3-1@5 the reserved flags of SUBSCRIBE", func(b *broker) {
		for _, first := range []string{"80", "81", "83", "8a"} {
			c := b.connect("c")
			c.hex(first + b.by(`06 0001 0001"t"00`, `07 0001 00 0001"t"00`))
			c.fails(mqtt.CodeMalformedPacket)
		}
	})
	statement(t, "MQTT-3.8.3-1 a filter that is not UTF-8", func(b *broker) {
		c := b.connect("c")
		c.hex(b.by(`82 06 0001 0001 ff 00`, `82 07 0001 00 0001 ff 00`))
		c.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-3.8.3-3@4 MQTT-3.8.3-2@5 a SUBSCRIBE without a filter", func(b *broker) {
		c := b.connect("c")
		c.hex(b.by(`82 02 0001`, `82 03 0001 00`))
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3-8.3-4@4 MQTT-3.8.3-5@5 the reserved bits of the options, and a QoS of 3", func(b *broker) {
		for _, opts := range []string{b.by("04", "40"), "80", "c0", "03"} {
			c := b.connect("c")
			c.hex(b.by(`82 06 0001 0001"t"`, `82 07 0001 00 0001"t"`) + opts)
			c.fails(mqtt.CodeMalformedPacket, mqtt.CodeProtocolError)
		}
	})
	statement(t, "MQTT-3.8.3-3@5 no local", func(b *broker) {
		c := b.connect("c")
		c.sub("t", 1|mqtt.SubNoLocal)
		o := b.connect("o")
		o.sub("t", 1)
		c.deliver("t", "own", 1)
		o.want("PUBLISH t own qos=1 id=1")
		o.deliver("u", "x", 0)
		c.quiet()
		o.pub("t", "other", 1, 1)
		c.want("PUBLISH t other qos=1 id=1")
	})
	statement(t, "MQTT-3.8.3-4@5 no local on a shared subscription", func(b *broker) {
		c := b.connect("c")
		c.subscribe(1, "$share/g/t", mqtt.SubNoLocal)
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.8.4-3 a filter that is there already is replaced", func(b *broker) {
		b.connect("p").deliver("t", "retained", 2, retain)
		s := b.connect("s")
		s.sub("t", 2)
		s.want("PUBLISH t retained qos=2 id=1 retain")
		s.sub("t", 0)
		s.want("PUBLISH t retained qos=0 retain")
		b.connect("p").deliver("t", "x", 2)
		s.want("PUBLISH t x qos=0")
		s.quiet()
	})
	statement(t, "MQTT-3.8.4-3@4 MQTT-3.8.4-4@5 replacing a subscription loses nothing", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 1)
		p := b.connect("p")
		const n = 30
		for i := 1; i <= n; i++ {
			p.pub("t", fmt.Sprint(i), 1, 1)
			p.want("PUBACK id=1")
			s.subscribe(uint16(i), "t", 1)
		}
		last, acks := 0, 0
		for last < n || acks < n {
			switch line := s.next(); {
			case line == fmt.Sprintf("SUBACK id=%d 01", acks+1):
				acks++
			case line == fmt.Sprintf("PUBLISH t %d qos=1 id=%d", last+1, last+1):
				last++
				s.ack(mqtt.TypePuback, uint16(last), 0)
			default:
				b.Fatalf("received %s after message %d and SUBACK %d", line, last, acks)
			}
		}
		s.quiet()
	})
	statement(t, "MQTT-3.8.4-5 MQTT-3.8.4-4@4 MQTT-3.9.3-1 several filters in one SUBSCRIBE, one answer with their codes in order", func(b *broker) {
		b.ask(&let{subscribe: func(s *hook.Subscribe) hook.Verdict {
			for i := range s.Topics {
				if s.Topics[i].Filter == "no" {
					s.Topics[i].Code = mqtt.CodeNotAuthorized
				}
			}
			return hook.OK
		}})
		s := b.connect("s")
		sub := mqtt.Subscribe{PacketID: 5}
		for i, f := range []string{"a", "no", "b/+", "a"} {
			sub.Add([]byte(f), mqtt.SubOptions([]byte{2, 1, 1, 0}[i]))
		}
		s.send(sub.Append(nil, b.v))
		s.want(b.by("SUBACK id=5 02 80 01 00", "SUBACK id=5 02 87 01 00"))
		p := b.connect("p")
		for _, topic := range []string{"a", "no", "b/x"} {
			p.deliver(topic, "x", 2)
		}
		s.want("PUBLISH a x qos=0", "PUBLISH b/x x qos=1 id=1")
		s.quiet()
	})
	statement(t, "MQTT-3.8.4-5@4 MQTT-3.8.4-6@5 MQTT-3.8.4-7@5 each filter is granted a QoS or refused", func(b *broker) {
		b.o.MaxSubscriptions = 3
		s := b.connect("s")
		for qos := range byte(3) {
			s.subscribe(1, fmt.Sprint(qos), mqtt.SubOptions(qos))
			s.want(fmt.Sprintf("SUBACK id=1 %02x", qos))
		}
		s.subscribe(2, "one too many", 0, "0")
		s.want(b.by("SUBACK id=2 80 00", "SUBACK id=2 97 00"))
	})
	statement(t, "MQTT-3.8.4-6@4 MQTT-3.8.4-8@5 MQTT-4.8.2-3@5 messages come at the lower QoS of publish and subscription", func(b *broker) {
		filters := []string{"t"}
		if b.is5() {
			filters = append(filters, "$share/g/t")
		}
		for _, filter := range filters {
			s := b.connect("s")
			p := b.connect("p")
			id := 0
			for granted := range byte(3) {
				s.sub(filter, mqtt.SubOptions(granted))
				for qos := range byte(3) {
					p.deliver("t", "x", qos)
					want := fmt.Sprintf("PUBLISH t x qos=%d", min(qos, granted))
					if min(qos, granted) > 0 {
						id++
						want += fmt.Sprintf(" id=%d", id)
					}
					s.want(want)
				}
			}
			s.bye()
		}
	})
	statement(t, "MQTT-3.9.3-2 a SUBACK has codes that a SUBACK may have", func(b *broker) {
		var code box[mqtt.Code]
		b.ask(&let{subscribe: func(s *hook.Subscribe) hook.Verdict {
			s.Topics[0].Code = code.get()
			return hook.OK
		}})
		s := b.connect("s")
		for _, c := range []mqtt.Code{mqtt.CodeServerMoved, 0xFE, mqtt.CodePacketIdentifierNotFound} {
			code.set(c)
			s.subscribe(1, "t", 1)
			s.want(b.by("SUBACK id=1 80", "SUBACK id=1 87"))
		}
		for _, c := range []mqtt.Code{mqtt.CodeNoMatchingSubscribers, 3} { // no refusals: they say nothing here
			code.set(c)
			s.subscribe(1, "t", 1)
			s.want("SUBACK id=1 01")
		}
	})
	statement(t, "MQTT-3.3.4-3@5 MQTT-3.3.4-4@5 MQTT-3.3.4-5@5 each copy has the identifier of its subscription", func(b *broker) {
		s := b.connect("s")
		for i, filter := range []string{"a/b", "a/+", "a/#"} {
			sub := mqtt.Subscribe{PacketID: 1}
			if i > 0 {
				sub.Props.AddUint(mqtt.PropSubscriptionID, uint32(i))
			}
			sub.Add([]byte(filter), 0)
			s.send(sub.Append(nil, b.v))
			s.want("SUBACK id=1 00")
		}
		b.connect("p").deliver("a/b", "x", 1)
		got := map[string]int{}
		for range 3 {
			got[s.next()]++
		}
		for _, want := range []string{"PUBLISH a/b x qos=0", "PUBLISH a/b x qos=0 SubscriptionIdentifier=1", "PUBLISH a/b x qos=0 SubscriptionIdentifier=2"} {
			if got[want] != 1 {
				b.Errorf("received %v, want %s", got, want)
			}
		}
	})
}

func TestUnsubscribe(t *testing.T) {
	statement(t, "MQTT-3.10.1-1 MQTT-2.2.2-2@4 MQTT-2.1.3-1@5 the reserved flags of UNSUBSCRIBE", func(b *broker) {
		c := b.connect("c")
		c.hex("a0" + b.by(`05 0001 0001"t"`, `06 0001 00 0001"t"`))
		c.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-3.10.3-1 a filter that is not UTF-8", func(b *broker) {
		c := b.connect("c")
		c.hex(b.by(`a2 05 0001 0001 ff`, `a2 06 0001 00 0001 ff`))
		c.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-3.10.3-2 an UNSUBSCRIBE without a filter", func(b *broker) {
		c := b.connect("c")
		c.hex(b.by(`a2 02 0001`, `a2 03 0001 00`))
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.10.4-1 filters are compared byte by byte", func(b *broker) {
		s := b.connect("s")
		s.sub("a/b", 0)
		for _, other := range []string{"a/+", "a/#", "A/b", "a/b/", "a"} {
			s.unsubscribe(1, other)
			s.want(b.by("UNSUBACK id=1", "UNSUBACK id=1 11"))
		}
		p := b.connect("p")
		p.deliver("a/b", "x", 0)
		s.want("PUBLISH a/b x qos=0")
		s.unsubscribe(1, "a/b")
		s.want(b.by("UNSUBACK id=1", "UNSUBACK id=1 00"))
	})
	statement(t, "MQTT-3.10.4-2 no new messages after an UNSUBSCRIBE", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 2)
		s.unsubscribe(1, "t")
		s.want(b.by("UNSUBACK id=1", "UNSUBACK id=1 00"))
		b.connect("p").deliver("t", "x", 2)
		s.quiet()
	})
	statement(t, "MQTT-3.10.4-3 exchanges that have begun are completed", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 2)
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=2 id=2")
		s.unsubscribe(1, "t")
		s.want(b.by("UNSUBACK id=1", "UNSUBACK id=1 00"))
		s.lose()
		s = b.hello("s", keep)
		s.want("CONNACK 0x00 present", "PUBLISH t 1 qos=1 id=1 dup", "PUBLISH t 2 qos=2 id=2 dup")
		s.ack(mqtt.TypePuback, 1, 0)
		s.ack(mqtt.TypePubrec, 2, 0)
		s.want("PUBREL id=2")
		s.ack(mqtt.TypePubcomp, 2, 0)
		s.quiet()
	})
	statement(t, "MQTT-3.10.4-4 MQTT-2.3.1-7@4 MQTT-2.2.1-6@5 an UNSUBACK with the identifier of the UNSUBSCRIBE", func(b *broker) {
		c := b.connect("c")
		c.sub("t", 0)
		c.unsubscribe(65535, "t")
		c.want(b.by("UNSUBACK id=65535", "UNSUBACK id=65535 00"))
	})
	statement(t, "MQTT-3.10.4-5 an UNSUBACK though nothing was subscribed", func(b *broker) {
		c := b.connect("c")
		c.unsubscribe(9, "t", "u")
		c.want(b.by("UNSUBACK id=9", "UNSUBACK id=9 11 11"))
	})
	statement(t, "MQTT-3.10.4-6 MQTT-3.11.3-1@5 MQTT-3.11.3-2@5 several filters are taken in order", func(b *broker) {
		s := b.connect("s")
		for _, f := range []string{"a", "b", "c"} {
			s.sub(f, 0)
		}
		s.unsubscribe(3, "a", "x", "b", "a")
		s.want(b.by("UNSUBACK id=3", "UNSUBACK id=3 00 11 00 11"))
		p := b.connect("p")
		for _, topic := range []string{"a", "b", "c"} {
			p.deliver(topic, topic, 0)
		}
		s.want("PUBLISH c c qos=0")
		s.quiet()
	})
}
