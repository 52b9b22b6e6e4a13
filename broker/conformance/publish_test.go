package conformance_test

import (
	"strings"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.3.1-1 MQTT-3.3.1.-1@4 a message that is sent again has DUP", func(b *broker) {
		s := b.connect("s", keep)
		s.sub("t", 2)
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 2)
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=2 id=2")
		s.lose()
		b.hello("s", keep).want("CONNACK 0x00 present", "PUBLISH t 1 qos=1 id=1 dup", "PUBLISH t 2 qos=2 id=2 dup")
	})
	waiting(t, "MQTT-3.3.1-1@4 a message that is not answered in time is sent again with DUP", func(b *broker) {
		b.o.RetryInterval = 1e9
		s := b.connect("s")
		s.sub("t", 1)
		b.connect("p").deliver("t", "x", 1)
		s.want("PUBLISH t x qos=1 id=1", "PUBLISH t x qos=1 id=1 dup", "PUBLISH t x qos=1 id=1 dup")
	})
	statement(t, "MQTT-3.3.1-2 MQTT-4.3.1-1 QoS 0 goes without DUP", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 1, 1, dup)
		p.want("PUBACK id=1")
		s.want("PUBLISH t x qos=0")
		p.hex(b.by(`38 04 0001"t""x"`, `38 05 0001"t"00"x"`))
		p.fails(mqtt.CodeMalformedPacket)
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-3 DUP is not handed on", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 2)
		p := b.connect("p")
		p.pub("t", "1", 1, 1, dup)
		p.want("PUBACK id=1")
		p.pub("t", "2", 2, 2, dup)
		p.want("PUBREC id=2")
		s.want("PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=2 id=2")
	})
	statement(t, "MQTT-3.3.1-4 MQTT-4.8.0-1@4 MQTT-4.13.1-1@5 a QoS of 3", func(b *broker) {
		c := b.connect("c")
		c.hex(b.by(`36 06 0001"t"0001"x"`, `36 07 0001"t"0001 00"x"`))
		c.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-3.3.2-1 the topic name is a UTF-8 string and comes first", func(b *broker) {
		s := b.connect("s")
		s.sub("grüße/世界", 0)
		p := b.connect("p")
		p.deliver("grüße/世界", "x", 0)
		s.want("PUBLISH grüße/世界 x qos=0")
		p.hex(b.by(`30 04 0002"t"ff`, `30 05 0002"t"ff 00`))
		p.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-3.3.2-2 MQTT-4.7.1-1@4 MQTT-4.7.0-1@5 a topic name has no wildcards", func(b *broker) {
		s := b.connect("s")
		s.sub("#", 0)
		for _, topic := range []string{"#", "+", "a/+", "a/#", "a+", "a#b"} {
			p := b.connect("p")
			p.pub(topic, "x", 1, 1)
			p.fails(mqtt.CodeTopicNameInvalid)
		}
		s.quiet()
	})
	statement(t, "MQTT-3.3.2-2 MQTT-4.7.3-1 a provider cannot make a topic name what it may not be", func(b *broker) {
		var topic box[string]
		b.ask(&let{publish: func(p *hook.Publish) hook.Verdict { p.SetTopic = []byte(topic.get()); return hook.OK }})
		s := b.connect("s")
		s.sub("#", 0)
		for _, name := range []string{"a/#", "+", ""} {
			topic.set(name)
			p := b.connect("p")
			p.pub("t", "x", 1, 1)
			if b.is5() {
				p.want("PUBACK id=1 0x90")
			} else {
				p.ends()
			}
			b.hello("w", will("t", "x", 0, false)).ends(b.by("CONNACK 0x05", "CONNACK 0x87"))
		}
		s.quiet()
	})
	statement(t, "MQTT-3.3.2-3 a topic name that the broker sends matches the filter", func(b *broker) {
		s := b.connect("s")
		s.sub("a/+/c", 0)
		p := b.connect("p")
		for _, topic := range []string{"a/b/c", "a/b", "a/b/c/d", "a//c", "A/b/c", "a/b/C"} {
			p.deliver(topic, topic, 0)
		}
		s.want("PUBLISH a/b/c a/b/c qos=0", "PUBLISH a//c a//c qos=0")
		s.quiet()
	})
	statement(t, "MQTT-3.3.4-1 MQTT-4.3.2-2@4 MQTT-4.3.2-4@5 the answer to each QoS", func(b *broker) {
		p := b.connect("p")
		b.connect("s").sub("t", 0)
		p.pub("t", "x", 0, 0)
		p.quiet()
		p.pub("t", "x", 1, 7)
		p.want("PUBACK id=7")
		p.pub("t", "x", 2, 9)
		p.want("PUBREC id=9")
		p.ack(mqtt.TypePubrel, 9, 0)
		p.want("PUBCOMP id=9")
	})
	statement(t, "MQTT-3.3.5-1@4 MQTT-3.3.4-2@5 overlapping subscriptions: the highest QoS of them is there", func(b *broker) {
		s := b.connect("s")
		s.sub("a/#", 2)
		s.sub("a/+", 1)
		s.sub("a/b", 0)
		b.connect("p").deliver("a/b", "x", 2)
		seen := map[string]bool{}
		for range 3 {
			line := s.next()
			for _, qos := range []string{"qos=0", "qos=1", "qos=2"} {
				if strings.Contains(line, qos) {
					seen[qos] = true
				}
			}
		}
		if len(seen) != 3 {
			b.Errorf("received %v, want a copy at each QoS", seen)
		}
		s.quiet()
	})
	statement(t, "MQTT-3.3.5-2@4 a publish that is not allowed is acknowledged or ends the connection", func(b *broker) {
		b.ask(&let{publish: func(p *hook.Publish) hook.Verdict { return hook.Refuse }})
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 1, 1)
		p.ends()
		s.quiet()
	})
	statement(t, "MQTT-2.3.1-5@4 MQTT-2.2.1-2@5 QoS 0 has no packet identifier", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 2)
		p := b.connect("p")
		p.hex(b.by(`30 06 0001"t"0001"x"`, `30 07 0001"t"00 0001"x"`)) // what would be one is payload
		s.want("PUBLISH t \x00\x01x qos=0")
		f := message("t", "x", 0, 0).Append(nil, b.v)
		p.send(f)
		if got, err := s.frame(); err != nil || string(got) != string(f) {
			b.Errorf("received % x %v, want % x", got, err, f)
		}
	})
}

func TestPublishProperties(t *testing.T) {
	statement(t, "MQTT-3.3.4-6@5 a client's PUBLISH has no subscription identifier", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 0, 0, with(mqtt.PropSubscriptionID, 1))
		p.fails(mqtt.CodeProtocolError)
		s.quiet()
	})
	statement(t, "MQTT-3.3.4-1@5 a publish that is not allowed is answered with a reason", func(b *broker) {
		b.ask(&let{publish: func(p *hook.Publish) hook.Verdict { p.Code = mqtt.CodeQuotaExceeded; return hook.Refuse }})
		s := b.connect("s")
		s.sub("t", 0)
		p := b.connect("p")
		p.pub("t", "x", 1, 1)
		p.want("PUBACK id=1 0x97")
		p.pub("t", "x", 2, 2)
		p.want("PUBREC id=2 0x97")
		p.pub("t", "x", 0, 0)
		p.quiet()
		s.quiet()
	})
}

func TestRetain(t *testing.T) {
	statement(t, "MQTT-3.3.1-5 a retained message replaces the one before", func(b *broker) {
		p := b.connect("p")
		p.deliver("t", "old", 1, retain)
		p.deliver("t", "new", 2, retain)
		s := b.connect("s")
		s.sub("t", 2)
		s.want("PUBLISH t new qos=2 id=1 retain")
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-6@4 MQTT-3.3.1-9@5 a new subscription gets the retained message of every topic it matches", func(b *broker) {
		p := b.connect("p")
		p.deliver("a/1", "one", 0, retain)
		p.deliver("a/2", "two", 1, retain)
		p.deliver("b/1", "no", 0, retain)
		s := b.connect("s")
		s.sub("a/+", 1)
		got := map[string]bool{s.next(): true, s.next(): true}
		if !got["PUBLISH a/1 one qos=0 retain"] || !got["PUBLISH a/2 two qos=1 id=1 retain"] {
			b.Errorf("received %v", got)
		}
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-7@4 a retained message at QoS 0 replaces what was there", func(b *broker) {
		p := b.connect("p")
		p.deliver("t", "old", 2, retain)
		p.deliver("t", "new", 0, retain)
		s := b.connect("s")
		s.sub("t", 2)
		s.want("PUBLISH t new qos=0 retain")
	})
	statement(t, "MQTT-3.3.1-8@4 what a new subscription brings has RETAIN", func(b *broker) {
		b.connect("p").deliver("t", "x", 0, retain)
		s := b.connect("s")
		for range 2 { // a subscription that is repeated counts as new
			s.sub("t", 0)
			s.want("PUBLISH t x qos=0 retain")
		}
	})
	statement(t, "MQTT-3.3.1-9@4 MQTT-3.3.1-12@5 what an established subscription brings has no RETAIN", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 1)
		b.connect("p").deliver("t", "x", 1, retain)
		s.want("PUBLISH t x qos=1 id=1")
	})
	statement(t, "MQTT-3.3.1-13@5 retain as published", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 1|mqtt.SubRetainAsPublished)
		p := b.connect("p")
		p.deliver("t", "x", 1, retain)
		p.deliver("t", "y", 1)
		s.want("PUBLISH t x qos=1 id=1 retain", "PUBLISH t y qos=1 id=2")
	})
	statement(t, "MQTT-3.3.1-10@4 MQTT-3.3.1-6@5 an empty message is delivered and takes the retained one away", func(b *broker) {
		w := b.connect("w")
		w.sub("t", 0)
		p := b.connect("p")
		p.deliver("t", "x", 1, retain)
		p.deliver("t", "", 1, retain)
		w.want("PUBLISH t x qos=0", "PUBLISH t  qos=0")
		s := b.connect("s")
		s.sub("t", 0)
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-11@4 MQTT-3.3.1-7@5 an empty message is not retained", func(b *broker) {
		b.connect("p").deliver("t", "", 1, retain)
		s := b.connect("s")
		s.sub("#", 0)
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-12@4 MQTT-3.3.1-8@5 a message without RETAIN leaves the retained one as it is", func(b *broker) {
		p := b.connect("p")
		p.deliver("t", "kept", 1, retain)
		p.deliver("t", "passing", 1)
		p.deliver("t", "", 1)
		p.deliver("u", "passing", 1)
		s := b.connect("s")
		s.sub("#", 0)
		s.want("PUBLISH t kept qos=0 retain")
		s.quiet()
	})
	statement(t, "MQTT-3.3.1-9@5 retain handling 0 sends at every SUBSCRIBE", func(b *broker) {
		b.connect("p").deliver("t", "x", 1, retain)
		s := b.connect("s")
		for range 3 {
			s.sub("t", 0)
			s.want("PUBLISH t x qos=0 retain")
		}
	})
	statement(t, "MQTT-3.3.1-10@5 retain handling 1 sends to a new subscription only", func(b *broker) {
		b.connect("p").deliver("t", "x", 1, retain)
		s := b.connect("s", keep)
		rh1 := mqtt.SubOptions(0).WithRetainHandling(1)
		s.sub("t", rh1)
		s.want("PUBLISH t x qos=0 retain")
		s.sub("t", rh1)
		s.quiet()
		s.lose()
		s = b.connect("s", keep)
		s.sub("t", rh1)
		s.quiet()
		s.unsubscribe(1, "t")
		s.want("UNSUBACK id=1 00")
		s.sub("t", rh1)
		s.want("PUBLISH t x qos=0 retain")
	})
	statement(t, "MQTT-3.3.1-11@5 retain handling 2 sends nothing", func(b *broker) {
		b.connect("p").deliver("t", "x", 1, retain)
		s := b.connect("s")
		s.sub("t", mqtt.SubOptions(0).WithRetainHandling(2))
		s.quiet()
	})
}
