package conformance_test

import (
	"strings"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

func TestStrings(t *testing.T) {
	bad := map[string]string{"ill-formed": "ff", "cut off": "e4b8", "overlong": "c080", "a surrogate": "eda080", "beyond U+10FFFF": "f4908080"}
	refused := func(b *broker, bytes string) {
		b.Helper()
		s := unhex(b.T, bytes)
		c := b.connect("c")
		body := field("t" + string(s))
		if b.is5() {
			body = append(body, 0)
		}
		c.send(append([]byte{0x30, byte(len(body))}, body...))
		c.fails(mqtt.CodeMalformedPacket)
		c = b.connect("c")
		c.subscribe(1, "t/"+string(s), 0)
		c.fails(mqtt.CodeMalformedPacket)
		b.malformed(2, field("c"+string(s)))
	}
	statement(t, "MQTT-1.5.3-1@4 MQTT-1.5.4-1@5 strings that are not UTF-8", func(b *broker) {
		for name, bytes := range bad {
			b.Log(name)
			refused(b, bytes)
		}
	})
	statement(t, "MQTT-1.5.3-2@4 MQTT-1.5.4-2@5 MQTT-4.7.3-2 a string with U+0000", func(b *broker) { refused(b, "00") })
	statement(t, "MQTT-1.5.3-3@4 MQTT-1.5.4-3@5 a byte order mark is a character", func(b *broker) {
		const bom = "\ufeff"
		s := b.connect("s")
		s.sub("t", 0)
		s.sub(bom+"t", 0)
		p := b.connect("p")
		p.deliver(bom+"t", "x", 0)
		s.want("PUBLISH " + bom + "t x qos=0")
		s.quiet()
	})
}

func TestFraming(t *testing.T) {
	statement(t, "MQTT-1.5.5-1@5 a length in more bytes than it needs", func(b *broker) {
		c := b.connect("c")
		c.hex("c0 80 00")
		c.fails(mqtt.CodeMalformedPacket)
		c = b.connect("c")
		c.hex(`30 06 0001"t"80 00"x"`)
		c.fails(mqtt.CodeMalformedPacket)
	})
	statement(t, "MQTT-2.2.2-1@4 MQTT-2.2.2-2@4 MQTT-2.1.3-1@5 MQTT-4.13.1-1@5 MQTT-4.8.0-1@4 reserved flags of a fixed header", func(b *broker) {
		for _, f := range []string{"41 02 0001", "54 02 0001", "78 02 0001", "c1 00", "e2 00"} {
			c := b.connect("c")
			c.hex(f)
			c.fails(mqtt.CodeMalformedPacket)
		}
		c := b.dial()
		f := connectBytes(b.v, 2, field("c"))
		f[0] |= 1
		c.send(f)
		c.ends()
	})
	statement(t, "MQTT-2.2.2-1@4 MQTT-2.1.3-1@5 the broker's reserved flags", func(b *broker) {
		want := map[byte]byte{}
		c := b.hello("c")
		read := func(first byte) {
			f, err := c.frame()
			if err != nil || f[0] != first {
				b.Fatalf("% x %v, want %x first", f, err, first)
			}
			want[first] = f[0]
		}
		read(0x20)
		c.subscribe(1, "t", 2)
		read(0x90)
		c.pub("t", "x", 1, 1)
		for range 2 { // in either order
			if f, err := c.frame(); err != nil || f[0] != 0x32 && f[0] != 0x40 {
				b.Fatalf("% x %v", f, err)
			}
		}
		c.pub("u", "x", 2, 2)
		read(0x50)
		c.ack(mqtt.TypePubrel, 2, 0)
		read(0x70)
		c.ack(mqtt.TypePubrec, 99, 0)
		read(0x62)
		c.unsubscribe(1, "t")
		read(0xB0)
		c.send(mqtt.AppendPingreq(nil))
		read(0xD0)
		if b.is5() {
			c.send(connectBytes(b.v, 2, field("c")))
			read(0xE0)
		}
	})
	statement(t, "MQTT-4.8.0-1@4 MQTT-4.13.1-1@5 packets that only a server sends, and none at all", func(b *broker) {
		for _, f := range []string{"20 02 0000", "90 03 0001 00", "b0 02 0001", "d0 00", "00 00"} {
			c := b.connect("c")
			c.hex(f)
			c.fails(mqtt.CodeProtocolError, mqtt.CodeMalformedPacket)
		}
	})
	statement(t, "MQTT-7.0.0-2@4 MQTT-7.1.1-1@4 MQTT-4.2-1@5 a stream of bytes, however it is cut", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		c := b.dial()
		all := connectBytes(b.v, 2, field("c"))
		all = message("t", strings.Repeat("x", 200), 1, 1).Append(all, b.v)
		all = message("t", "y", 1, 2).Append(all, b.v)
		for i := range all {
			c.send(all[i : i+1])
		}
		c.want("CONNACK 0x00", "PUBACK id=1", "PUBACK id=2")
		s.want("PUBLISH t "+strings.Repeat("x", 200)+" qos=0", "PUBLISH t y qos=0")
	})
	statement(t, "MQTT-4.8.0-2@4 the end of one connection leaves the others alone", func(b *broker) {
		s := b.connect("s")
		s.sub("t", 0)
		c := b.connect("c")
		c.hex("ff ff ff ff ff")
		c.fails(mqtt.CodeMalformedPacket)
		b.connect("p").deliver("t", "x", 0)
		s.want("PUBLISH t x qos=0")
	})
	statement(t, "MQTT-3.12.4-1 PINGREQ is answered", func(b *broker) {
		c := b.connect("c")
		c.hex("c000 c000 c000")
		c.want("PINGRESP", "PINGRESP", "PINGRESP")
		c.quiet()
	})
}

func TestTopics(t *testing.T) {
	// match tells which of the topics a filter brings.
	match := func(b *broker, filter string, topics, want []string) {
		b.Helper()
		s := b.connect("s")
		s.sub(filter, 0)
		p := b.connect("p")
		for _, topic := range topics {
			p.deliver(topic, "x", 0)
		}
		for _, topic := range want {
			s.want("PUBLISH " + topic + " x qos=0")
		}
		s.quiet()
		s.bye()
	}
	refused := func(b *broker, filters ...string) {
		b.Helper()
		for _, f := range filters {
			c := b.connect("c")
			c.subscribe(1, f, 0)
			c.fails(mqtt.CodeTopicFilterInvalid)
		}
	}
	statement(t, "MQTT-4.7.1-2@4 MQTT-4.7.1-1@5 # is a level of its own, and the last", func(b *broker) {
		match(b, "a/#", []string{"a", "a/b", "a/b/c", "ab", "b"}, []string{"a", "a/b", "a/b/c"})
		match(b, "#", []string{"a", "/", "a/b"}, []string{"a", "/", "a/b"})
		refused(b, "a#", "a/#/b", "#/a", "a/b#", "##")
	})
	statement(t, "MQTT-4.7.1-3@4 MQTT-4.7.1-2@5 MQTT-3.8.3-2@4 + is a level of its own", func(b *broker) {
		match(b, "a/+/c", []string{"a/b/c", "a//c", "a/c", "a/b/d", "a/b/c/d"}, []string{"a/b/c", "a//c"})
		match(b, "+", []string{"a", "/a", "a/b"}, []string{"a"})
		match(b, "/+", []string{"/a", "a"}, []string{"/a"})
		refused(b, "a+", "+a", "a/+b", "a/b+/c")
	})
	statement(t, "MQTT-4.7.2-1 a wildcard at the front does not match $", func(b *broker) {
		b.providers = append(b.providers, &let{publish: func(p *hook.Publish) hook.Verdict {
			p.SetTopic = []byte("$SYS/x") // clients may not publish there themselves
			return hook.OK
		}})
		filters := []string{"#", "+/x", "+/#", "$SYS/#", "$SYS/+", "$SYS/x"}
		var ss []*client
		for _, f := range filters {
			s := b.connect(f)
			s.sub(f, 0)
			ss = append(ss, s)
		}
		b.connect("p").deliver("t", "x", 0, retain)
		late := b.connect("late") // retained messages
		late.sub("#", 0)
		late.sub("+/x", 0)
		late.quiet()
		late.sub("$SYS/+", 0)
		late.want("PUBLISH $SYS/x x qos=0 retain")
		for i, s := range ss {
			if filters[i][0] == '$' {
				s.want("PUBLISH $SYS/x x qos=0")
			}
			s.quiet()
		}
	})
	statement(t, "MQTT-4.7.3-1 a topic has at least one character", func(b *broker) {
		refused(b, "")
		c := b.connect("c")
		c.pub("", "x", 1, 1)
		c.fails(mqtt.CodeProtocolError, mqtt.CodeTopicNameInvalid)
	})
	statement(t, "MQTT-4.7.3-3 a topic of 65535 bytes", func(b *broker) {
		long := strings.Repeat("x", 65535)
		match(b, long, []string{long, long[1:]}, []string{long})
	})
	statement(t, "MQTT-4.7.3-4 topics are compared byte by byte", func(b *broker) {
		composed, decomposed := "\u00e9", "e\u0301"
		match(b, composed, []string{decomposed, "\u00c9", composed}, []string{composed})
		match(b, "a/b", []string{"A/b", "a/b/", "/a/b", "a/b"}, []string{"a/b"})
	})
}
