package conformance_test

import (
	"testing"

	"vernemq/broker/mqtt"
)

// delay is the will delay in seconds.
func delay(seconds uint32) mod {
	return func(p *mqtt.Connect) {
		if p.Version.Is5() {
			p.Will.Props.AddUint(mqtt.PropWillDelay, seconds)
		}
	}
}

func TestWill(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.1.2-8@4 MQTT-3.1.2-7@5 MQTT-3.1.2-8@5 a will is published when the connection is lost", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 2)
		b.connect("lost", will("will", "lost", 1, false)).lose()
		s.want("PUBLISH will lost qos=1 id=1")
		c := b.connect("broken", will("will", "broken", 0, false))
		c.hex("f0 00 ff")
		c.fails(mqtt.CodeMalformedPacket, mqtt.CodeProtocolError)
		s.want("PUBLISH will broken qos=0")
		c = b.connect("taken", will("will", "taken", 0, false))
		b.connect("taken")
		c.fails(mqtt.CodeSessionTakenOver)
		s.want("PUBLISH will taken qos=0")
	})
	statement(t, "MQTT-3.1.2-8@5 MQTT-3.14.4-3@5 a DISCONNECT that asks for the will", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		c := b.connect("c", will("will", "asked for", 0, false))
		c.send((&mqtt.Disconnect{Code: mqtt.CodeDisconnectWithWill}).Append(nil, c.v))
		s.want("PUBLISH will asked for qos=0")
	})
	waiting(t, "MQTT-3.1.2-8@5 a will waits for its delay, or for the end of the session", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		delayed := func(id string, seconds, expiry uint32) {
			b.connect(id, number(mqtt.PropSessionExpiry, expiry), will("will", id, 0, false), delay(seconds)).lose()
		}
		delayed("session ends with the connection", 1000, 0)
		s.want("PUBLISH will session ends with the connection qos=0")
		delayed("expires", 1000, 2)
		delayed("is due", 1, 1000)
		s.quiet()
		s.want("PUBLISH will is due qos=0", "PUBLISH will expires qos=0")
	})
	statement(t, "MQTT-3.1.2-8@5 a clean start ends the session and so the delay", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		b.connect("c", keep, will("will", "now", 0, false), delay(1000)).lose()
		s.quiet()
		b.connect("c")
		s.want("PUBLISH will now qos=0")
	})
	waiting(t, "MQTT-3.1.3-9@5 a connection before the delay is over cancels the will", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		b.connect("c", keep, will("will", "cancelled", 0, false), delay(1)).lose()
		c := b.connect("c", keep)
		b.connect("clock", keep, will("will", "a second", 0, false), delay(1)).lose()
		s.want("PUBLISH will a second qos=0")
		c.lose() // the will of the first connection is gone for good
		b.connect("clock", keep, will("will", "two seconds", 0, false), delay(1)).lose()
		s.want("PUBLISH will two seconds qos=0")
		s.quiet()
	})
	statement(t, "MQTT-3.1.3-9@5 a connection that takes over cancels a delayed will", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		old := b.connect("c", keep, will("will", "cancelled", 0, false), delay(1000))
		b.connect("c", keep).bye()
		old.ends("DISCONNECT 0x8E")
		b.connect("c") // the end of the session would bring it
		s.quiet()
	})
	statement(t, "MQTT-3.1.2-10 MQTT-3.14.4-3 a will is forgotten after a DISCONNECT and once it is published", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		b.connect("c", keep, will("will", "x", 0, false)).bye()
		s.quiet()
		b.connect("c", keep).lose()
		s.quiet()
		b.connect("c", keep, will("will", "y", 0, false)).lose()
		s.want("PUBLISH will y qos=0")
		b.connect("c", keep).lose()
		s.quiet()
	})
	statement(t, "MQTT-3.1.2-12@4 no will, nothing is published", func(b *broker) {
		s := b.connect("s")
		s.sub("#", 0)
		b.connect("c").lose()
		s.quiet()
	})
	statement(t, "MQTT-3.1.2-16@4 MQTT-3.1.2-14@5 a will without RETAIN is not retained", func(b *broker) {
		b.connect("c", will("will", "x", 1, false)).lose()
		s := b.connect("s")
		s.sub("will", 1)
		s.quiet()
	})
	statement(t, "MQTT-3.1.2-17@4 MQTT-3.1.2-15@5 a will with RETAIN is retained", func(b *broker) {
		b.connect("c", will("will", "x", 1, true)).lose()
		s := b.connect("s")
		s.sub("will", 1)
		s.want("PUBLISH will x qos=1 id=1 retain")
	})
	statement(t, "MQTT-3.1.3-10@5 user properties of a will keep their order", func(b *broker) {
		s := b.connect("s")
		s.sub("will", 0)
		b.connect("c", will("will", "x", 0, false), func(p *mqtt.Connect) {
			for _, kv := range []string{"b1", "a2", "b1", "c3"} {
				p.Will.Props.AddUser([]byte(kv[:1]), []byte(kv[1:]))
			}
			p.Will.Props.AddBytes(mqtt.PropContentType, []byte("text"))
		}).lose()
		s.want("PUBLISH will x qos=0 UserProperty=b:1 UserProperty=a:2 UserProperty=b:1 UserProperty=c:3 ContentType=text")
	})
}
