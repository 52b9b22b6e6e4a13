package conformance_test

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// connectBytes is a CONNECT of version v with these flags; payload follows the properties, of which there are none.
func connectBytes(v mqtt.Version, flags byte, payload []byte) []byte {
	b := append([]byte("\x00\x04MQTT"), byte(v), flags, 0, 0)
	if v.Is5() {
		b = append(b, 0)
	}
	b = append(b, payload...)
	return append([]byte{0x10, byte(len(b))}, b...)
}

// field is a string with its length.
func field(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func fields(ss ...string) (b []byte) {
	for _, s := range ss {
		b = append(b, field(s)...)
	}
	return b
}

// malformed sends a CONNECT that must be refused: MQTT 3.1.1 has no word for it, MQTT 5 has.
func (b *broker) malformed(flags byte, payload []byte) {
	b.Helper()
	c := b.dial()
	c.send(connectBytes(b.v, flags, payload))
	if b.is5() {
		c.ends("CONNACK 0x81")
	} else {
		c.ends()
	}
}

// box holds what a test and a provider, on the broker's loops, both use.
type box[T any] struct {
	mu sync.Mutex
	v  T
}

func (b *box[T]) get() T  { b.mu.Lock(); defer b.mu.Unlock(); return b.v }
func (b *box[T]) set(v T) { b.mu.Lock(); defer b.mu.Unlock(); b.v = v }

// let is a provider of functions; those that are nil are not asked.
type let struct {
	register  func(*hook.Register) hook.Verdict
	publish   func(*hook.Publish) hook.Verdict
	subscribe func(*hook.Subscribe) hook.Verdict
	unsub     func(*hook.Unsubscribe)
}

func (*let) Name() string { return "let" }

func (l *let) AuthOnRegister(r *hook.Register, _ func(hook.Verdict)) hook.Verdict {
	if l.register == nil {
		return hook.OK
	}
	return l.register(r)
}

func (l *let) AuthOnPublish(p *hook.Publish, _ func(hook.Verdict)) hook.Verdict {
	if l.publish == nil {
		return hook.OK
	}
	return l.publish(p)
}

func (l *let) AuthOnSubscribe(s *hook.Subscribe, _ func(hook.Verdict)) hook.Verdict {
	if l.subscribe == nil {
		return hook.OK
	}
	return l.subscribe(s)
}

func (l *let) OnUnsubscribe(u *hook.Unsubscribe, _ func(hook.Verdict)) hook.Verdict {
	if l.unsub != nil {
		l.unsub(u)
	}
	return hook.OK
}

// ask makes the broker ask l, also whether a client may come in.
func (b *broker) ask(l *let) {
	b.o.AllowAnonymous = false
	b.providers = append(b.providers, l)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.1.0-1 the first packet is a CONNECT", func(b *broker) {
		sub := mqtt.Subscribe{PacketID: 1}
		sub.Add([]byte("t"), 0)
		for _, first := range [][]byte{mqtt.AppendPingreq(nil), message("t", "x", 0, 0).Append(nil, b.v), sub.Append(nil, b.v),
			(&mqtt.Disconnect{}).Append(nil, b.v), {0x20, 2, 0, 0}} {
			c := b.dial()
			c.send(first)
			c.ends()
		}
	})
	statement(t, "MQTT-3.1.0-2 MQTT-4.8.0-1@4 MQTT-4.13.1-1@5 a second CONNECT ends the connection", func(b *broker) {
		c := b.connect("c")
		c.send(connectBytes(b.v, 2, field("c")))
		c.fails(mqtt.CodeProtocolError)
	})
	statement(t, "MQTT-3.1.2-1 another protocol name", func(b *broker) {
		c := b.dial()
		frame := connectBytes(b.v, 2, field("c"))
		copy(frame[4:], "MQTX")
		c.send(frame, mqtt.AppendPingreq(nil))
		c.ends(b.by("CONNACK 0x01", "CONNACK 0x84"))
	})
	statement(t, "MQTT-3.1.2-2 a protocol level that the broker does not have", func(b *broker) {
		c := b.dial()
		c.v = mqtt.V311 // nobody knows how level 9 wants its answer
		c.send(connectBytes(9, 2, field("c")), mqtt.AppendPingreq(nil))
		c.ends("CONNACK 0x01")
	})
	statement(t, "MQTT-3.1.2-2 a protocol level that the listener does not allow", func(b *broker) {
		b.o.Listeners[0].ProtocolVersions = []int{3}
		c := b.dial()
		c.send(connectBytes(b.v, 2, field("c")), mqtt.AppendPingreq(nil))
		c.ends(b.by("CONNACK 0x01", "CONNACK 0x84"))
	})
	statement(t, "MQTT-3.1.2-3 the reserved connect flag", func(b *broker) { b.malformed(3, field("c")) })
	statement(t, "MQTT-3.1.2-11@4 MQTT-3.1.2-13@4 MQTT-3.1.2-11@5 a will QoS without a will", func(b *broker) {
		b.malformed(0x0A, field("c"))
		b.malformed(0x12, field("c"))
	})
	statement(t, "MQTT-3.1.2-11@4 MQTT-3.1.2-15@4 MQTT-3.1.2-13@5 a will retain without a will", func(b *broker) { b.malformed(0x22, field("c")) })
	statement(t, "MQTT-3.1.2-11@4 will fields without a will", func(b *broker) { b.malformed(2, fields("c", "topic", "message")) })
	statement(t, "MQTT-3.1.2-14@4 MQTT-3.1.2-12@5 a will QoS of 3", func(b *broker) { b.malformed(0x1E, fields("c", "topic", "message")) })
	statement(t, "MQTT-3.1.2-9 a will without its fields", func(b *broker) {
		if b.is5() { // the will has properties first
			b.malformed(6, append(field("c"), 0))
			b.malformed(6, append(append(field("c"), 0), field("topic")...))
			return
		}
		b.malformed(6, field("c"))
		b.malformed(6, fields("c", "topic"))
	})
	statement(t, "MQTT-3.1.2-18@4 MQTT-3.1.2-16@5 a user name without its flag", func(b *broker) { b.malformed(2, fields("c", "user")) })
	statement(t, "MQTT-3.1.2-19@4 MQTT-3.1.2-17@5 a user name flag without the user name", func(b *broker) { b.malformed(0x82, field("c")) })
	statement(t, "MQTT-3.1.2-20@4 MQTT-3.1.2-18@5 a password without its flag", func(b *broker) { b.malformed(0x82, fields("c", "user", "password")) })
	statement(t, "MQTT-3.1.2-21@4 MQTT-3.1.2-19@5 a password flag without the password", func(b *broker) { b.malformed(0xC2, fields("c", "user")) })
	statement(t, "MQTT-3.1.2-22@4 a password without a user name", func(b *broker) { b.malformed(0x42, fields("c", "password")) })
	statement(t, "MQTT-3.1.4-1 a CONNECT is held against the specification", func(b *broker) {
		for _, payload := range [][]byte{nil, {0}, {0, 1}, {0, 9, 'c'}, append(field("c"), 0)} {
			b.malformed(2, payload)
		}
	})
	statement(t, "MQTT-3.1.4-2@5 MQTT-3.2.2-5@4 MQTT-3.2.2-7@5 MQTT-4.13.2-1@5 a client that may not come in", func(b *broker) {
		b.ask(&let{register: func(*hook.Register) hook.Verdict { return hook.Refuse }})
		b.hello("c").ends(b.by("CONNACK 0x05", "CONNACK 0x86"))
	})
	statement(t, "MQTT-3.1.4-5@4 MQTT-3.1.4-6@5 nothing is done that follows a refused CONNECT", func(b *broker) {
		b.o.MaxClientIDSize = 5
		s := b.connect("s")
		s.sub("t", 0)
		c := b.dial()
		c.send(connectBytes(b.v, 2, field("too long")), message("t", "no", 0, 0).Append(nil, b.v))
		c.ends(b.by("CONNACK 0x02", "CONNACK 0x85"))
		s.quiet()
	})
	statement(t, "MQTT-3.1.4-4@4 MQTT-3.1.4-5@5 a client that is let in is told so", func(b *broker) { b.hello("c").want("CONNACK 0x00") })
	waiting(t, "MQTT-3.1.2-24@4 MQTT-3.1.2-22@5 MQTT-3.2.2-22@5 silence for one and a half times the keep alive", func(b *broker) {
		c := b.connect("c", func(p *mqtt.Connect) { p.KeepAlive = 1 })
		if strings.Contains(c.hello, "ServerKeepAlive") {
			b.Error(c.hello)
		}
		c.fails(mqtt.CodeKeepAliveTimeout)
	})
}

func TestConnectPayload(t *testing.T) {
	statement(t, "MQTT-3.1.3-1 the fields and their order", func(b *broker) {
		var got box[hook.Register]
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			if r.Client.ID.ClientID == "the-id" {
				kept := *r
				kept.Password = append([]byte(nil), r.Password...)
				got.set(kept)
			}
			return hook.OK
		}})
		s := b.connect("s")
		s.sub("will/topic", 0)
		payload := field("the-id")
		if b.is5() {
			payload = append(payload, 0)
		}
		payload = append(payload, fields("will/topic", "will message", "the user", "the password")...)
		c := b.dial()
		c.send(connectBytes(b.v, 0xC6, payload))
		c.want("CONNACK 0x00")
		if r := got.get(); r.Client.Username != "the user" || string(r.Password) != "the password" {
			b.Errorf("the provider was asked for %+v", r)
		}
		c.lose()
		s.want("PUBLISH will/topic will message qos=0")
	})
	statement(t, "MQTT-3.1.3-2 the client identifier is the key of the session", func(b *broker) {
		one, other := b.connect("one", keep), b.connect("other", keep)
		one.sub("one", 1)
		other.sub("other", 1)
		one.bye()
		other.bye()
		p := b.connect("p")
		p.deliver("one", "1", 1)
		p.deliver("other", "2", 1)
		other, one = b.connect("other", keep), b.connect("one", keep)
		one.want("PUBLISH one 1 qos=1 id=1")
		other.want("PUBLISH other 2 qos=1 id=1")
		one.quiet()
		other.quiet()
	})
	statement(t, "MQTT-3.1.3-3 the client identifier is there", func(b *broker) { b.malformed(2, nil) })
	statement(t, "MQTT-3.1.3-4 a client identifier that is not UTF-8", func(b *broker) {
		b.malformed(2, field("c\xff"))
		b.malformed(2, field("c\xed\xa0\x80"))
	})
	statement(t, "MQTT-3.1.3-5 letters and digits, one to 23 bytes", func(b *broker) {
		const all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		for n := 1; n <= 23; n++ {
			b.connect(all[:n])
		}
		b.connect(all[23:46])
		b.connect(all[39:])
	})
	statement(t, "MQTT-3.1.3-6 an empty client identifier is replaced by one that nobody has", func(b *broker) {
		one, other := b.connect(""), b.connect("")
		one.quiet()
		other.quiet()
		one.sub("t", 0)
		other.deliver("t", "x", 0)
		one.want("PUBLISH t x qos=0")
		other.quiet()
	})
	statement(t, "MQTT-3.1.3-7@5 MQTT-3.2.2-16@5 the client is told the identifier it was given", func(b *broker) {
		_, one, _ := strings.Cut(b.connect("").hello, "AssignedClientIdentifier=")
		_, other, _ := strings.Cut(b.connect("").hello, "AssignedClientIdentifier=")
		if one == "" || other == "" || one == other {
			b.Errorf("assigned %q and %q", one, other)
		}
		if hello := b.connect("mine").hello; strings.Contains(hello, "Assigned") {
			b.Error(hello)
		}
	})
	statement(t, "MQTT-3.1.3-7@4 MQTT-3.1.3-8@4 an empty client identifier asks for a clean session", func(b *broker) {
		b.hello("", keep).ends("CONNACK 0x02")
	})
	statement(t, "MQTT-3.1.3-9@4 MQTT-3.1.3-8@5 a client identifier that the broker refuses", func(b *broker) {
		b.hello(strings.Repeat("x", 101)).ends(b.by("CONNACK 0x02", "CONNACK 0x85"))
		b.hello(strings.Repeat("x", 100)).want("CONNACK 0x00")
	})
	statement(t, "MQTT-3.1.3-10@4 MQTT-3.1.3-11@5 a will topic that is not UTF-8", func(b *broker) {
		if b.is5() {
			b.malformed(6, append(append(field("c"), 0), fields("t\xff", "x")...))
			return
		}
		b.malformed(6, fields("c", "t\xff", "x"))
	})
	statement(t, "MQTT-3.1.3-11@4 MQTT-3.1.3-12@5 a user name that is not UTF-8", func(b *broker) { b.malformed(0x82, fields("c", "u\xc0\x80")) })
}

func TestConnack(t *testing.T) {
	statement(t, "MQTT-3.2.0-1 nothing comes before the CONNACK", func(b *broker) {
		b.connect("s", keep).sub("t", 1)
		b.connect("s", keep).bye()
		p := b.connect("p")
		p.deliver("t", "1", 1)
		p.deliver("t", "2", 1)
		b.hello("s", keep).want("CONNACK 0x00 present", "PUBLISH t 1 qos=1 id=1", "PUBLISH t 2 qos=1 id=2")
	})
	statement(t, "MQTT-3.2.0-2@5 there is one CONNACK", func(b *broker) {
		c := b.connect("c")
		c.quiet()
		c.sub("t", 0)
		c.quiet()
	})
	statement(t, "MQTT-3.2.2-1@5 the reserved acknowledge flags are 0", func(b *broker) {
		for want := range byte(2) { // session present is the other one
			c := b.hello("c", keep)
			f, err := c.frame()
			if err != nil || f[2] != want {
				b.Fatalf("% x %v, want flags %d", f, err, want)
			}
			c.lose()
		}
	})
	statement(t, "MQTT-3.2.2-1@4 MQTT-3.2.2-2@5 no session is present after a clean start", func(b *broker) {
		b.connect("c", keep).sub("t", 1)
		b.hello("c").want("CONNACK 0x00")
	})
	statement(t, "MQTT-3.2.2-2@4 MQTT-3.2.2-3@5 a stored session is present", func(b *broker) {
		b.connect("c", keep).bye()
		b.hello("c", keep).want("CONNACK 0x00 present")
	})
	statement(t, "MQTT-3.2.2-3 no session is present when none is stored", func(b *broker) {
		b.hello("c", keep).want("CONNACK 0x00")
		c := b.connect("d")
		c.bye()
		b.hello("d", keep).want("CONNACK 0x00")
	})
	statement(t, "MQTT-3.2.2-4@4 MQTT-3.2.2-6@5 no session is present for a client that is refused", func(b *broker) {
		verdict := box[hook.Verdict]{v: hook.OK}
		b.ask(&let{register: func(*hook.Register) hook.Verdict { return verdict.get() }})
		b.connect("c", keep).bye()
		verdict.set(hook.Refuse)
		b.hello("c", keep).ends(b.by("CONNACK 0x05", "CONNACK 0x86"))
		verdict.set(hook.OK)
		b.hello("c", keep).want("CONNACK 0x00 present")
	})
	statement(t, "MQTT-3.2.2-6@4 no CONNACK where no return code fits", func(b *broker) { b.malformed(3, field("c")) })
	statement(t, "MQTT-3.2.2-8@5 a CONNACK has a code that a CONNACK may have", func(b *broker) {
		var code box[mqtt.Code]
		b.ask(&let{register: func(r *hook.Register) hook.Verdict { r.Code = code.get(); return hook.Refuse }})
		code.set(mqtt.CodeBanned)
		b.hello("c").ends("CONNACK 0x8A")
		code.set(mqtt.CodeKeepAliveTimeout) // one for a DISCONNECT
		b.hello("c").ends("CONNACK 0x86")
		code.set(0xFE) // nobody knows it
		b.hello("c").ends("CONNACK 0x86")
	})
	statement(t, "MQTT-3.2.2-19@5 a reason string stays away where it would make the CONNACK too large", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			r.Code, r.Reason = mqtt.CodeBanned, "come back tomorrow"
			return hook.Refuse
		}})
		for max, want := range map[uint32]string{26: "CONNACK 0x8A ReasonString=come back tomorrow", 25: "CONNACK 0x8A"} {
			c := b.hello("c", number(mqtt.PropMaximumPacketSize, max))
			c.reasons = true
			c.ends(want)
		}
	})
	statement(t, "MQTT-3.2.2-20@5 user properties stay away where they would make the CONNACK too large, and so does response information", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			r.SetUser, r.SetResponseInfo = [][2]string{{"k", "v"}, {"k", "w"}}, "answers/here"
			return hook.OK
		}})
		info := number(mqtt.PropRequestResponseInfo, 1)
		for max, want := range map[uint32]string{
			34: " ResponseInformation=answers/here UserProperty=k:v UserProperty=k:w", 33: " ResponseInformation=answers/here", 19: " UserProperty=k:v UserProperty=k:w", 18: "",
		} {
			b.hello("c", info, number(mqtt.PropMaximumPacketSize, max)).want("CONNACK 0x00" + want)
		}
		b.hello("c", number(mqtt.PropMaximumPacketSize, 1000)).want("CONNACK 0x00 UserProperty=k:v UserProperty=k:w")
	})
	statement(t, "MQTT-3.2.2-9@5 MQTT-3.2.2-10@5 MQTT-3.2.2-11@5 MQTT-3.2.2-12@5 a client whose provider sets a maximum QoS", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			most := byte(1)
			r.SetOptions.MaxQoS = &most
			return hook.OK
		}})
		c := b.hello("c")
		c.want("CONNACK 0x00 MaximumQoS=1")
		c.subscribe(1, "t", 2) // is granted all the same: the maximum is for what the client publishes
		c.want("SUBACK id=1 02")
		c.pub("t", "x", 1, 1)
		c.want("PUBLISH t x qos=1 id=1", "PUBACK id=1")
		c.pub("t", "x", 2, 2)
		c.fails(mqtt.CodeQoSNotSupported)
		b.hello("w", will("t", "x", 2, false)).ends("CONNACK 0x9B")
	})
	statement(t, "MQTT-3.2.2-13@5 a will may be retained", func(b *broker) {
		c := b.connect("c", will("t", "x", 2, true))
		if strings.Contains(c.hello, "RetainAvailable") || strings.Contains(c.hello, "MaximumQoS") {
			b.Error(c.hello)
		}
	})
}
