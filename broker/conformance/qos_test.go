package conformance_test

import (
	"fmt"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

func TestReceiver(t *testing.T) { // the broker receives
	t.Parallel()
	statement(t, "MQTT-2.3.1-1@4 MQTT-2.2.1-3@5 a packet identifier of 0", func(b *broker) {
		sub := mqtt.Subscribe{}
		sub.Add([]byte("t"), 0)
		unsub := mqtt.Unsubscribe{}
		unsub.Add([]byte("t"))
		for _, f := range [][]byte{message("t", "x", 1, 0).Append(nil, b.v), message("t", "x", 2, 0).Append(nil, b.v), sub.Append(nil, b.v), unsub.Append(nil, b.v)} {
			c := b.connect("c")
			c.send(f)
			c.fails(mqtt.CodeProtocolError)
		}
	})
	statement(t, "MQTT-2.3.1-6@4 MQTT-2.2.1-5@5 an acknowledgement has the identifier of the PUBLISH", func(b *broker) {
		b.connect("s").sub("t", 0)
		p := b.connect("p")
		for _, id := range []uint16{1, 255, 256, 65535} {
			p.pub("t", "x", 1, id)
			p.want(fmt.Sprintf("PUBACK id=%d", id))
			p.pub("t", "x", 2, id)
			p.want(fmt.Sprintf("PUBREC id=%d", id))
			p.ack(mqtt.TypePubrel, id, 0)
			p.want(fmt.Sprintf("PUBCOMP id=%d", id))
		}
	})
	statement(t, "MQTT-4.3.2-2@4 MQTT-4.3.2-5@5 after PUBACK the identifier is that of a new message", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 1, 1)
		p.want("PUBACK id=1")
		p.pub("t", "y", 1, 1, dup)
		p.want("PUBACK id=1")
		s.want("PUBLISH t x qos=0", "PUBLISH t y qos=0")
	})
	statement(t, "MQTT-4.3.3-2@4 MQTT-4.3.3-8@5 MQTT-4.3.3-10@5 until PUBREL a PUBLISH with the identifier is the same message", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p", keep)
		p.pub("t", "x", 2, 1)
		p.want("PUBREC id=1")
		p.pub("t", "x", 2, 1, dup)
		p.want("PUBREC id=1")
		p.lose()
		p = b.connect("p", keep)
		p.pub("t", "x", 2, 1, dup)
		p.want("PUBREC id=1")
		s.want("PUBLISH t x qos=0")
		s.quiet()
	})
	statement(t, "MQTT-4.3.3-2@4 MQTT-4.3.3-11@5 MQTT-4.3.3-12@5 PUBREL is answered with PUBCOMP and frees the identifier", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		for _, payload := range []string{"x", "y"} {
			p.pub("t", payload, 2, 1)
			p.want("PUBREC id=1")
			p.ack(mqtt.TypePubrel, 1, 0)
			p.want("PUBCOMP id=1")
			s.want("PUBLISH t " + payload + " qos=0")
		}
	})
	statement(t, "MQTT-4.3.3-9@5 after a PUBREC that refuses, the identifier is that of a new message", func(b *broker) {
		verdict := box[hook.Verdict]{v: hook.Refuse}
		b.ask(&let{publish: func(*hook.Publish) hook.Verdict { return verdict.get() }})
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 2, 1)
		p.want("PUBREC id=1 0x87")
		verdict.set(hook.OK)
		p.pub("t", "y", 2, 1)
		p.want("PUBREC id=1")
		s.want("PUBLISH t y qos=0")
		s.quiet()
	})
	waiting(t, "MQTT-4.3.3-13@5 the exchange goes on though the message has expired", func(b *broker) {
		b.connect("s").sub("t", 2)
		p := b.connect("p")
		p.pub("t", "x", 2, 1, with(mqtt.PropMessageExpiry, 1))
		p.want("PUBREC id=1")
		b.seconds(2)
		p.pub("t", "x", 2, 1, dup, with(mqtt.PropMessageExpiry, 1))
		p.want("PUBREC id=1")
		p.ack(mqtt.TypePubrel, 1, 0)
		p.want("PUBCOMP id=1")
	})
	statement(t, "MQTT-4.5.0-2 the broker answers what it is responsible for", func(b *broker) {
		p := b.connect("p")
		p.pub("nobody", "x", 1, 1)
		p.want(b.by("PUBACK id=1", "PUBACK id=1 0x10"))
		p.pub("nobody", "x", 2, 2)
		p.want(b.by("PUBREC id=2", "PUBREC id=2 0x10"))
		p.pub("$SYS/x", "x", 1, 3)
		p.want(b.by("PUBACK id=3", "PUBACK id=3 0x87"))
	})
	statement(t, "MQTT-4.6.0-2@4 MQTT-4.6.0-3@4 MQTT-4.6.0-4@4 MQTT-4.6.0-2@5 MQTT-4.6.0-3@5 MQTT-4.6.0-4@5 acknowledgements in order", func(b *broker) {
		s := b.connect("s", keep) // a durable subscriber
		s.sub("t", 2)
		p := b.connect("p", keep)
		var want []string
		var all []byte
		for id := uint16(20); id > 0; id-- {
			qos := byte(1 + id%2)
			all = message("t", "x", qos, id).Append(all, b.v)
			want = append(want, fmt.Sprintf("%s id=%d", map[byte]string{1: "PUBACK", 2: "PUBREC"}[qos], id))
		}
		p.send(all)
		p.want(want...)
		var rec, rel []string
		var recs []byte
		for range 20 { // the PUBRELs follow the PUBRECs
			var id int
			if _, err := fmt.Sscanf(s.next(), "PUBLISH t x qos=2 id=%d", &id); err == nil {
				recs = (&mqtt.Ack{Type: mqtt.TypePubrec, PacketID: uint16(id)}).Append(recs, b.v)
				rec, rel = append(rec, fmt.Sprint(id)), append(rel, fmt.Sprintf("PUBREL id=%d", id))
			}
		}
		if len(rec) != 10 {
			b.Fatalf("QoS 2 exchanges %v, want 10", rec)
		}
		s.send(recs)
		s.want(rel...)
	})
}

func TestSender(t *testing.T) { // the broker sends
	t.Parallel()
	statement(t, "MQTT-2.3.1-4@4 MQTT-2.2.1-4@5 MQTT-4.3.2-1 MQTT-4.3.3-1 MQTT-4.3.2-2@5 MQTT-4.3.3-2@5 a new message has an identifier that is not in use, and no DUP", func(b *broker) {
		b.o.MaxInflight = 0
		s := b.connect("s")
		s.sub("t", 2)
		p := b.connect("p")
		for i := range 6 {
			p.deliver("t", "x", byte(1+i%2))
			s.want(fmt.Sprintf("PUBLISH t x qos=%d id=%d", 1+i%2, i+1))
		}
		s.ack(mqtt.TypePuback, 3, 0) // the others are in use
		p.deliver("t", "y", 1)
		s.want("PUBLISH t y qos=1 id=7")
	})
	statement(t, "MQTT-4.3.2-1@4 MQTT-4.3.2-3@5 a QoS 1 message is unacknowledged until PUBACK", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 1)
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 1)
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=1 id=2")
		s.ack(mqtt.TypePuback, 1, 0)
		s.quiet()
		s.lose()
		s = b.hello("s", keep)
		s.want("CONNACK 0x00 present", "PUBLISH t 2 qos=1 id=2 dup")
		s.ack(mqtt.TypePuback, 2, 0)
		s.quiet()
		s.lose()
		s = b.connect("s", keep)
		s.quiet()
	})
	statement(t, "MQTT-4.3.3-1@4 MQTT-4.3.3-3@5 MQTT-4.3.3-4@5 MQTT-4.3.3-5@5 MQTT-4.3.3-6@5 a QoS 2 message until PUBREC, PUBREL until PUBCOMP", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		b.connect("p").deliver("t", "x", 2)
		s.want("PUBLISH t x qos=2 id=1")
		s.lose()
		s = b.hello("s", keep)
		s.want("CONNACK 0x00 present", "PUBLISH t x qos=2 id=1 dup")
		s.ack(mqtt.TypePubrec, 1, 0)
		s.want("PUBREL id=1")
		for range 2 { // and never the PUBLISH again
			s.lose()
			s = b.hello("s", keep)
			s.want("CONNACK 0x00 present", "PUBREL id=1")
		}
		s.ack(mqtt.TypePubcomp, 1, 0)
		s.quiet()
		s.lose()
		s = b.connect("s", keep)
		s.quiet()
	})
	waiting(t, "MQTT-4.3.3-7@5 a message whose PUBLISH was sent does not expire", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		b.connect("p").deliver("t", "x", 2, with(mqtt.PropMessageExpiry, 1))
		s.want("PUBLISH t x qos=2 id=1 MessageExpiryInterval=1")
		s.lose()
		b.seconds(2)
		s = b.hello("s", keep)
		s.want("CONNACK 0x00 present", "PUBLISH t x qos=2 id=1 dup MessageExpiryInterval=0")
		s.ack(mqtt.TypePubrec, 1, 0)
		s.want("PUBREL id=1")
		s.ack(mqtt.TypePubcomp, 1, 0)
		s.quiet()
	})
	statement(t, "MQTT-4.4.0-1 MQTT-4.6.0-1 after a reconnect everything unanswered is sent again: same identifiers, same order", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		p := b.connect("p")
		for i := range 6 {
			p.deliver("t", fmt.Sprint(i+1), byte(1+i%2))
			s.want(fmt.Sprintf("PUBLISH t %d qos=%d id=%d", i+1, 1+i%2, i+1))
		}
		s.ack(mqtt.TypePubrec, 4, 0)
		s.want("PUBREL id=4")
		s.lose()
		s = b.hello("s", keep)
		s.want("CONNACK 0x00 present", "PUBLISH t 1 qos=1 id=1 dup", "PUBLISH t 2 qos=2 id=2 dup", "PUBLISH t 3 qos=1 id=3 dup", "PUBREL id=4",
			"PUBLISH t 5 qos=1 id=5 dup", "PUBLISH t 6 qos=2 id=6 dup")
	})
	waiting(t, "MQTT-4.4.0-1@5 nothing is sent again while the connection lives", func(b *broker) {
		b.o.RetryInterval = 1e9
		s := b.connect("s")
		s.sub("t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 2)
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=2 id=2")
		b.seconds(3)
		s.quiet()
	})
	statement(t, "MQTT-4.4.0-2@5 MQTT-4.8.2-6@5 an answer that refuses ends the exchange", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 2)
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=2 id=2")
		s.ack(mqtt.TypePuback, 1, mqtt.CodeQuotaExceeded)
		s.ack(mqtt.TypePubrec, 2, mqtt.CodeQuotaExceeded)
		s.quiet()
		s.lose()
		s = b.connect("s", keep)
		s.quiet()
	})
	statement(t, "MQTT-4.6.0-5 MQTT-4.6.0-6 messages of one publisher in one topic keep their order", func(b *broker) {
		b.o.MaxInflight = 5
		s := b.connect("s", keep)
		s.sub("t", 1)
		p := b.connect("p")
		var all []byte
		for i := 1; i <= 200; i++ {
			all = message("t", fmt.Sprint(i), 1, uint16(i)).Append(all, b.v)
		}
		p.send(all)
		for i := 1; i <= 200; i++ {
			p.acked(fmt.Sprintf("PUBACK id=%d", i))
		}
		for i := 1; i <= 200; i++ {
			s.want(fmt.Sprintf("PUBLISH t %d qos=1 id=%d", i, i))
			s.ack(mqtt.TypePuback, uint16(i), 0)
		}
	})
	statement(t, "MQTT-3.6.1-1 the reserved flags of PUBREL", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 2)
		b.connect("p").deliver("t", "x", 2)
		s.want("PUBLISH t x qos=2 id=1")
		s.ack(mqtt.TypePubrec, 1, 0)
		if f, err := s.frame(); err != nil || f[0] != 0x62 {
			b.Errorf("PUBREL % x %v", f, err)
		}
		c := b.connect("c")
		c.hex("60 02 0001")
		c.fails(mqtt.CodeMalformedPacket)
	})
}

// seconds returns when at least n have passed by the broker's clock: a will that is delayed so long was published.
func (b *broker) seconds(n uint32) {
	b.Helper()
	w := b.connect("watch", func(p *mqtt.Connect) { p.Version = mqtt.V5 })
	w.sub("clock", 0)
	b.connect("clock", func(p *mqtt.Connect) { p.Version = mqtt.V5; keep(p) }, will("clock", "now", 0, false), func(p *mqtt.Connect) {
		p.Will.Props.AddUint(mqtt.PropWillDelay, n)
	}).lose()
	w.want("PUBLISH clock now qos=0")
	w.bye()
}
