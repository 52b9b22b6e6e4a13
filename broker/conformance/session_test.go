package conformance_test

import (
	"testing"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
)

func TestSession(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.1.2-4@4 MQTT-3.1.2-5@5 MQTT-3.1.2-6@5 a session is resumed, or made where there is none", func(b *broker) {
		c := b.hello("c", keep)
		c.want("CONNACK 0x00")
		c.sub("t", 1)
		c.lose()
		b.connect("p").deliver("t", "x", 1)
		b.hello("c", keep).want("CONNACK 0x00 present", "PUBLISH t x qos=1 id=1")
	})
	statement(t, "MQTT-3.1.2-5@4 MQTT-3.1.2-23@5 MQTT-4.5.0-1 messages for an absent client are kept", func(b *broker) {
		c := b.connect("c", keep)
		c.sub("one", 1)
		c.sub("two", 2)
		c.bye()
		p := b.connect("p")
		p.deliver("one", "a", 1)
		p.deliver("two", "b", 2)
		p.deliver("one", "c", 2)
		b.hello("c", keep).want("CONNACK 0x00 present", "PUBLISH one a qos=1 id=1", "PUBLISH two b qos=2 id=2", "PUBLISH one c qos=1 id=3")
	})
	statement(t, "MQTT-3.1.2-6@4 MQTT-3.1.2-4@5 MQTT-3.1.4-3@4 MQTT-3.1.4-4@5 a clean start throws the session away", func(b *broker) {
		c := b.connect("c", keep)
		c.sub("t", 1)
		c.lose()
		p := b.connect("p")
		p.deliver("t", "x", 1)
		b.hello("c").want("CONNACK 0x00")
		p.deliver("t", "y", 1)
		b.hello("c", keep).want("CONNACK 0x00")
		p.deliver("t", "z", 1)
		c = b.connect("c", keep)
		c.quiet()
	})
	statement(t, "MQTT-3.1.2-6@4 a clean session ends with its connection", func(b *broker) {
		c := b.connect("c")
		c.sub("t", 1)
		c.bye()
		b.connect("p").deliver("t", "x", 1)
		c = b.hello("c", keep)
		c.want("CONNACK 0x00")
		c.quiet()
	})
	statement(t, "MQTT-3.1.2-7@4 retained messages outlive the session that published them", func(b *broker) {
		p := b.connect("p")
		p.deliver("t", "x", 1, retain)
		p.bye()
		b.connect("p").bye()
		s := b.connect("s")
		s.sub("t", 0)
		s.want("PUBLISH t x qos=0 retain")
	})
	statement(t, "MQTT-3.1.4-2@4 MQTT-3.1.4-3@5 a second client with the identifier ends the first one's connection", func(b *broker) {
		for range 3 {
			old := b.connect("c", keep)
			b.connect("c", keep).quiet()
			old.fails(mqtt.CodeSessionTakenOver)
		}
	})
	statement(t, "MQTT-4.1.0-1 MQTT-4.1.0-2@4 a session lasts as long as its connection and as was agreed", func(b *broker) {
		c := b.connect("c") // ends with the connection
		c.sub("t", 2)
		p := b.connect("p")
		for range 3 {
			p.deliver("t", "x", 0)
			c.want("PUBLISH t x qos=0")
		}
		k := b.connect("k", keep)
		k.sub("t", 2)
		k.lose()
		for range 3 {
			b.connect("k", keep).lose()
		}
		p.deliver("t", "y", 2)
		b.hello("k", keep).want("CONNACK 0x00 present", "PUBLISH t y qos=2 id=1")
	})
	waiting(t, "MQTT-4.1.0-2@5 a session ends when its expiry interval has passed", func(b *broker) {
		b.connect("w").bye()
		c := b.connect("c", number(mqtt.PropSessionExpiry, 1))
		c.sub("t", 1)
		c.bye()
		s := b.connect("s")
		s.sub("will", 0)
		b.connect("clock", keep, will("will", "two seconds", 0, false), delay(2)).lose()
		s.want("PUBLISH will two seconds qos=0")
		if got := b.n.Metrics().Value(metric.ClientExpired); got != 1 {
			b.Errorf("%d sessions have expired, want 1", got)
		}
		b.hello("c", keep).want("CONNACK 0x00")
	})
	statement(t, "MQTT-4.1.0-2@5 a session without an expiry interval ends with its connection", func(b *broker) {
		c := b.connect("c")
		c.sub("t", 1)
		c.lose()
		b.connect("p").deliver("t", "x", 1)
		b.hello("c", keep).want("CONNACK 0x00")
	})
	statement(t, "MQTT-3.1.2-23@5 a DISCONNECT may change the expiry interval", func(b *broker) {
		c := b.connect("c", keep)
		var d mqtt.Disconnect
		d.Props.AddUint(mqtt.PropSessionExpiry, 0)
		c.send(d.Append(nil, b.v))
		c.ends()
		b.hello("c", keep).want("CONNACK 0x00")
	})
	statement(t, "MQTT-3.1.2-23@5 the client is told when its expiry interval is cut", func(b *broker) {
		b.o.PersistentExpiration = 50e9
		b.hello("c", keep).want("CONNACK 0x00 SessionExpiryInterval=50")
		b.hello("d", number(mqtt.PropSessionExpiry, 50)).want("CONNACK 0x00")
	})
	statement(t, "MQTT-4.5.0-1 every client that subscribed gets a message into its session", func(b *broker) {
		var cs []*client
		for _, id := range []string{"a", "b", "c"} {
			c := b.connect(id, keep)
			c.sub("t/#", 1)
			cs = append(cs, c)
		}
		cs[1].lose()
		b.connect("p").deliver("t/x", "x", 1)
		cs[1] = b.connect("b", keep)
		for _, c := range cs {
			c.want("PUBLISH t/x x qos=1 id=1")
		}
	})
}
