package conformance_test

import (
	"strings"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// all has every property of a message that is handed on.
func all(p *mqtt.Publish) {
	p.Props.AddUint(mqtt.PropPayloadFormat, 1)
	p.Props.AddBytes(mqtt.PropResponseTopic, []byte("answer/here"))
	p.Props.AddBytes(mqtt.PropCorrelationData, []byte("\x00\xffdata"))
	p.Props.AddUser([]byte("b"), []byte("1"))
	p.Props.AddUser([]byte("a"), []byte("2"))
	p.Props.AddUser([]byte("b"), []byte("1"))
	p.Props.AddBytes(mqtt.PropContentType, []byte("text/plain"))
}

const allShown = " PayloadFormatIndicator=1 ResponseTopic=answer/here CorrelationData=\x00\xffdata" +
	" UserProperty=b:1 UserProperty=a:2 UserProperty=b:1 ContentType=text/plain"

func TestProperties(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.3.2-4@5 MQTT-3.3.2-15@5 MQTT-3.3.2-16@5 MQTT-3.3.2-17@5 MQTT-3.3.2-18@5 MQTT-3.3.2-20@5 properties are handed on unaltered", func(b *broker) {
		s, k := b.connect("s"), b.connect("k", keep)
		s.sub("t", 1)
		k.sub("t", 1)
		k.lose()
		p := b.connect("p")
		p.deliver("t", "live", 1, all, retain)
		s.want("PUBLISH t live qos=1 id=1" + allShown)
		k = b.hello("k", keep)
		k.want("CONNACK 0x00 present", "PUBLISH t live qos=1 id=1"+allShown)
		n := b.connect("n")
		n.sub("t", 1)
		n.want("PUBLISH t live qos=1 id=1 retain" + allShown)
		p.deliver("t", "with an expiry", 0, all, with(mqtt.PropMessageExpiry, 100))
		s.want("PUBLISH t with an expiry qos=0 MessageExpiryInterval=100" + allShown)
	})
	statement(t, "MQTT-1.5.7-1@5 MQTT-3.3.2-13@5 MQTT-3.3.2-19@5 strings in properties are UTF-8", func(b *broker) {
		for _, prop := range []string{`26 0001 ff 0001"v"`, `26 0001"k"0001 ff`, `08 0001 ff`, `03 0001 ff`} {
			props := unhex(b.T, prop)
			body := append(append(field("t"), byte(len(props))), props...)
			p := b.connect("p")
			p.send(append([]byte{0x30, byte(len(body))}, body...))
			p.fails(mqtt.CodeMalformedPacket)
		}
	})
	statement(t, "MQTT-3.3.2-14@5 a response topic has no wildcards", func(b *broker) {
		for _, topic := range []string{"a/#", "+"} {
			props := append([]byte{8}, field(topic)...)
			body := append(append(field("t"), byte(len(props))), props...)
			p := b.connect("p")
			p.send(append([]byte{0x30, byte(len(body))}, body...))
			p.fails(mqtt.CodeProtocolError)
		}
	})
	t.Run("a payload that is not the text it says it is", func(t *testing.T) { // an option: the standard leaves it open
		for _, check := range []bool{true, false} {
			b := newBroker(t, mqtt.V5)
			b.o.CheckPayloadFormat = check
			s := b.connect("s")
			s.sub("t", 0)
			p := b.connect("p")
			isText := with(mqtt.PropPayloadFormat, 1)
			if !check {
				p.deliver("t", "\xff", 1, isText)
				s.want("PUBLISH t \xff qos=0 PayloadFormatIndicator=1")
				continue
			}
			p.pub("t", "\xff", 1, 1, isText)
			p.want("PUBACK id=1 0x99")
			p.pub("t", "\xff", 2, 1, isText)
			p.want("PUBREC id=1 0x99")
			p.deliver("t", "grün", 2, isText)
			p.deliver("t", "\xff", 0, with(mqtt.PropPayloadFormat, 0))
			s.want("PUBLISH t grün qos=0 PayloadFormatIndicator=1", "PUBLISH t \xff qos=0 PayloadFormatIndicator=0")
			p.pub("t", "\xff", 0, 0, isText)
			p.fails(mqtt.CodePayloadFormatInvalid)
			b.hello("w", will("t", "\xff", 0, false), func(p *mqtt.Connect) { p.Will.Props.AddUint(mqtt.PropPayloadFormat, 1) }).ends("CONNACK 0x99")
			s.quiet()
		}
	})
	statement(t, "MQTT-2.2.2-1@5 a packet without properties says so", func(b *broker) {
		c := b.dial()
		c.send(connectBytes(b.v, 2, field("c")))
		for _, want := range [][]byte{{0x20, 3, 0, 0, 0}, {0x90, 4, 0, 1, 0, 0}, {0xB0, 4, 0, 1, 0, 0}, {0x30, 5, 0, 1, 't', 0, 'x'}} {
			got, err := c.frame()
			if err != nil || string(got) != string(want) {
				b.Errorf("received % x %v, want % x", got, err, want)
			}
			switch want[0] {
			case 0x20:
				c.subscribe(1, "t", 0)
			case 0x90:
				c.unsubscribe(1, "t")
			case 0xB0:
				c.subscribe(1, "t", 0)
				c.want("SUBACK id=1 00")
				c.pub("t", "x", 0, 0)
			}
		}
		p := b.dial() // and in front of the broker: 3.1.1's form is malformed
		p.send(unhex(b.T, `10 0d 0004"MQTT"05 02 0000 0001"c"`))
		p.ends("CONNACK 0x81")
	})
	waiting(t, "MQTT-3.3.2-6@5 the message expiry interval counts down", func(b *broker) {
		k := b.connect("k", keep)
		k.sub("t", 1)
		k.lose()
		b.connect("p").deliver("t", "x", 1, retain, with(mqtt.PropMessageExpiry, 1000))
		b.seconds(2)
		s := b.connect("s")
		s.sub("t", 0)
		for _, line := range []string{s.next(), func() string { k = b.connect("k", keep); return k.next() }()} {
			_, left, _ := strings.Cut(line, "MessageExpiryInterval=")
			if left == "" || left < "900" || left > "998" || len(left) != 3 {
				b.Errorf("received %s, want what is left of 1000 s after 2", line)
			}
		}
	})
	waiting(t, "MQTT-3.3.2-5@5 a message that has expired is not delivered", func(b *broker) {
		k := b.connect("k", keep)
		k.sub("t", 2)
		k.lose()
		p := b.connect("p")
		p.deliver("t", "1", 1, retain, with(mqtt.PropMessageExpiry, 1))
		p.deliver("t", "2", 2, with(mqtt.PropMessageExpiry, 1))
		p.deliver("t", "3", 1, with(mqtt.PropMessageExpiry, 1000))
		b.seconds(2)
		k = b.connect("k", keep)
		if got := k.next(); !strings.HasPrefix(got, "PUBLISH t 3 ") {
			b.Errorf("received %s", got)
		}
		k.quiet()
		s := b.connect("s")
		s.sub("t", 0)
		s.quiet()
	})
}

func TestAliases(t *testing.T) {
	statement(t, "MQTT-3.3.2-7@5 aliases are those of one connection", func(b *broker) {
		b.o.TopicAliasMaxClient, b.o.TopicAliasMaxBroker = 5, 5
		s := b.connect("s", keep, number(mqtt.PropTopicAliasMaximum, 5))
		s.sub("t", 0)
		p := b.connect("p", keep)
		p.deliver("t", "x", 0, with(mqtt.PropTopicAlias, 1))
		p.deliver("", "y", 0, with(mqtt.PropTopicAlias, 1))
		s.want("PUBLISH t x qos=0 TopicAlias=1", "PUBLISH  y qos=0 TopicAlias=1")
		s.lose()
		s = b.connect("s", keep, number(mqtt.PropTopicAliasMaximum, 5))
		p.deliver("", "z", 0, with(mqtt.PropTopicAlias, 1))
		s.want("PUBLISH t z qos=0 TopicAlias=1")
		p.lose()
		p = b.connect("p", keep)
		p.pub("", "no", 0, 0, with(mqtt.PropTopicAlias, 1))
		p.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.3.2-8@5 an alias of 0", func(b *broker) {
		b.o.TopicAliasMaxClient = 5
		p := b.connect("p")
		p.hex(`30 08 0001"t"03 23 0000 78`)
		p.fails(mqtt.CodeTopicAliasInvalid)
	})
	statement(t, "MQTT-3.3.2-9@5 MQTT-3.2.2-17@5 MQTT-3.2.2-18@5 an alias above the announced maximum", func(b *broker) {
		b.o.TopicAliasMaxClient = 5
		p := b.connect("p")
		if p.hello != "CONNACK 0x00 TopicAliasMaximum=5" {
			b.Error(p.hello)
		}
		p.pub("t", "x", 0, 0, with(mqtt.PropTopicAlias, 6))
		p.fails(mqtt.CodeTopicAliasInvalid)
	})
	statement(t, "MQTT-3.2.2-18@5 an alias where none was announced", func(b *broker) {
		p := b.connect("p")
		p.pub("t", "x", 0, 0, with(mqtt.PropTopicAlias, 1))
		p.fails(mqtt.CodeTopicAliasInvalid)
	})
	statement(t, "MQTT-3.3.2-12@5 all aliases up to the announced maximum", func(b *broker) {
		b.o.TopicAliasMaxClient = 65535
		s := b.connect("s")
		s.sub("#", 0)
		p := b.connect("p")
		for _, a := range []uint32{1, 2, 65535} {
			for _, topic := range []string{"first", "other"} { // an alias may be set anew
				p.deliver(topic, "x", 0, with(mqtt.PropTopicAlias, a))
				p.deliver("", "y", 0, with(mqtt.PropTopicAlias, a))
				s.want("PUBLISH "+topic+" x qos=0", "PUBLISH "+topic+" y qos=0")
			}
		}
	})
	statement(t, "MQTT-3.1.2-26@5 MQTT-3.3.2-11@5 no alias above the client's maximum", func(b *broker) {
		b.o.TopicAliasMaxBroker = 100
		s := b.connect("s", number(mqtt.PropTopicAliasMaximum, 2))
		s.sub("#", 0)
		p := b.connect("p")
		for _, topic := range []string{"a", "b", "c", "a", "c"} {
			p.deliver(topic, "x", 0)
		}
		s.want("PUBLISH a x qos=0 TopicAlias=1", "PUBLISH b x qos=0 TopicAlias=2", "PUBLISH c x qos=0", "PUBLISH  x qos=0 TopicAlias=1", "PUBLISH c x qos=0")
	})
	statement(t, "MQTT-3.1.2-27@5 no alias to a client that takes none", func(b *broker) {
		b.o.TopicAliasMaxBroker = 100
		for _, c := range []*client{b.connect("a"), b.connect("b", number(mqtt.PropTopicAliasMaximum, 0))} {
			c.sub("t", 0)
			p := b.connect("p")
			p.deliver("t", "x", 0)
			p.deliver("t", "x", 0)
			c.want("PUBLISH t x qos=0", "PUBLISH t x qos=0")
		}
	})
}

func TestInformation(t *testing.T) {
	statement(t, "MQTT-3.1.2-28@5 response information for those who ask", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict { r.SetResponseInfo = "answers/here"; return hook.OK }})
		b.hello("c", number(mqtt.PropRequestResponseInfo, 0)).want("CONNACK 0x00")
		b.hello("c").want("CONNACK 0x00")
		b.hello("c", number(mqtt.PropRequestResponseInfo, 1)).want("CONNACK 0x00 ResponseInformation=answers/here")
	})
	statement(t, "MQTT-3.1.2-29@5 MQTT-3.4.2-2@5 MQTT-3.5.2-2@5 reason strings for those who want them and have room for them", func(b *broker) {
		b.ask(&let{publish: func(p *hook.Publish) hook.Verdict { p.Reason = "not today"; return hook.Refuse }})
		for _, c := range []struct {
			props []mod
			want  string
		}{
			{nil, " ReasonString=not today"},
			{[]mod{number(mqtt.PropRequestProblemInfo, 1)}, " ReasonString=not today"},
			{[]mod{number(mqtt.PropRequestProblemInfo, 0)}, ""},
			{[]mod{number(mqtt.PropMaximumPacketSize, 18)}, " ReasonString=not today"},
			{[]mod{number(mqtt.PropMaximumPacketSize, 17)}, ""},
		} {
			p := b.connect("p", c.props...)
			p.reasons = true
			p.pub("t", "x", 1, 1)
			p.want("PUBACK id=1 0x87" + c.want)
			p.pub("t", "x", 2, 2)
			p.want("PUBREC id=2 0x87" + c.want)
		}
	})
	statement(t, "MQTT-3.1.2-29@5 MQTT-3.9.2-1@5 MQTT-3.9.2-2@5 MQTT-3.11.2-1@5 MQTT-3.11.2-2@5 what a provider says with SUBACK and UNSUBACK", func(b *broker) {
		user := [][2]string{{"k", "v"}}
		b.ask(&let{subscribe: func(s *hook.Subscribe) hook.Verdict {
			s.Reason, s.SetUser = "as you like", user
			for k, v := range s.Props.User() {
				s.SetUser = append(s.SetUser, [2]string{string(k), string(v)})
			}
			return hook.OK
		}, unsub: func(u *hook.Unsubscribe) { u.Reason, u.SetUser = "as you like", user }})
		reason, both := " ReasonString=as you like", " ReasonString=as you like UserProperty=k:v"
		for _, x := range []struct {
			props []mod
			want  string
		}{
			{nil, both},
			{[]mod{number(mqtt.PropRequestProblemInfo, 0)}, ""},
			{[]mod{number(mqtt.PropMaximumPacketSize, 27)}, both},
			{[]mod{number(mqtt.PropMaximumPacketSize, 26)}, reason},
			{[]mod{number(mqtt.PropMaximumPacketSize, 20)}, reason},
			{[]mod{number(mqtt.PropMaximumPacketSize, 19)}, " UserProperty=k:v"},
			{[]mod{number(mqtt.PropMaximumPacketSize, 12)}, ""},
		} {
			c := b.connect("c", x.props...)
			c.reasons = true
			c.subscribe(1, "t", 0)
			c.want("SUBACK id=1 00" + x.want)
			c.unsubscribe(2, "t")
			c.want("UNSUBACK id=2 00" + x.want)
		}
		c := b.connect("c")
		q := mqtt.Subscribe{PacketID: 3}
		q.Add([]byte("t"), 1)
		q.Props.AddUser([]byte("of"), []byte("the client"))
		c.send(q.Append(nil, b.v))
		c.want("SUBACK id=3 01 UserProperty=k:v UserProperty=of:the client")
	})
	statement(t, "MQTT-3.14.2-3@5 a reason string stays away where it would make the DISCONNECT too large", func(b *broker) {
		for max, has := range map[uint32]bool{1000: true, 10: false} {
			c := b.connect("c", number(mqtt.PropMaximumPacketSize, max))
			c.reasons = true
			c.send(connectBytes(b.v, 2, field("c")))
			if got := c.next(); strings.Contains(got, "ReasonString") != has || !strings.HasPrefix(got, "DISCONNECT 0x82") {
				b.Errorf("received %s with room for %d", got, max)
			}
		}
	})
	statement(t, "MQTT-3.4.2-1@5 MQTT-3.5.2-1@5 an acknowledgement has a code that it may have", func(b *broker) {
		var code box[mqtt.Code]
		b.ask(&let{publish: func(p *hook.Publish) hook.Verdict { p.Code = code.get(); return hook.Refuse }})
		p := b.connect("p")
		for c, want := range map[mqtt.Code]string{mqtt.CodeQuotaExceeded: "0x97", mqtt.CodeServerMoved: "0x87", 0xFE: "0x87", 0x10: "0x87"} {
			code.set(c)
			p.pub("t", "x", 1, 1)
			p.want("PUBACK id=1 " + want)
			p.pub("t", "x", 2, 2)
			p.want("PUBREC id=2 " + want)
		}
	})
	statement(t, "MQTT-3.4.2-1@5 MQTT-3.5.2-1@5 MQTT-3.6.2-1@5 MQTT-3.7.2-1@5 an acknowledgement with a code that it may not have", func(b *broker) {
		for _, typ := range []string{"40", "50", "62", "70"} {
			c := b.connect("c")
			c.hex(typ + "03 0001 9d")
			c.fails(mqtt.CodeProtocolError)
		}
	})
	statement(t, "MQTT-3.6.2-1@5 MQTT-3.7.2-1@5 PUBREL and PUBCOMP for an identifier that nobody knows", func(b *broker) {
		c := b.connect("c")
		c.ack(mqtt.TypePubrec, 77, 0)
		c.want("PUBREL id=77 0x92")
		c.ack(mqtt.TypePubrel, 77, 0)
		c.want("PUBCOMP id=77 0x92")
	})
}
