package conformance_test

import (
	"strings"
	"testing"
	"time"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// steps is a provider of the method "steps": the client is let in when it has answered two and three to the questions that follow one.
// When it is slow, it answers from another goroutine.
type steps struct {
	slow bool
	code box[mqtt.Code] // when it refuses
}

func (*steps) Name() string { return "steps" }

func (p *steps) OnAuth(a *hook.Auth, answer func(hook.Verdict)) hook.Verdict {
	if a.Method != "steps" {
		return hook.Next
	}
	if p.slow {
		go func() { answer(p.decide(a)) }()
		return hook.Pending
	}
	return p.decide(a)
}

func (p *steps) decide(a *hook.Auth) hook.Verdict {
	n, _ := a.State.(int)
	if string(a.Data) != []string{"one", "two", "three"}[n] {
		a.Code, a.Reason = p.code.get(), "wrong step"
		return hook.Refuse
	}
	a.State, a.Continue = n+1, n < 2
	a.SetData = []byte("after " + string(a.Data))
	if n == 2 {
		name := "known by steps"
		a.SetUsername = &name
	}
	return hook.OK
}

// decider knows no method: the chain goes on to the next provider.
type decider struct{}

func (decider) Name() string                                       { return "decider" }
func (decider) OnAuth(*hook.Auth, func(hook.Verdict)) hook.Verdict { return hook.Next }

// method asks for an authentication method.
func method(name, data string) mod {
	return func(p *mqtt.Connect) {
		text(mqtt.PropAuthMethod, name)(p)
		if data != "" {
			text(mqtt.PropAuthData, data)(p)
		}
	}
}

func (c *client) auth(code mqtt.Code, method, data string) {
	c.Helper()
	a := mqtt.Auth{Code: code}
	a.Props.AddBytes(mqtt.PropAuthMethod, []byte(method))
	if data != "" {
		a.Props.AddBytes(mqtt.PropAuthData, []byte(data))
	}
	c.send(a.Append(nil, c.v))
}

// both runs a test with a provider that answers at once and one that answers later.
func (b *broker) both(f func(b *broker, p *steps)) {
	for name, slow := range map[string]bool{"at once": false, "later": true} {
		b.Run(name, func(t *testing.T) {
			n := newBroker(t, b.v)
			p := &steps{slow: slow}
			n.providers = []hook.Provider{decider{}, p}
			if slow {
				n.o.Shards = 3 // some logins move to another loop
			}
			f(n, p)
		})
	}
}

const (
	again  = mqtt.CodeReauthenticate
	goesOn = mqtt.CodeContinueAuthentication
)

// login goes through all steps.
func (b *broker) login(id string, mods ...mod) *client {
	b.Helper()
	c := b.hello(id, append(mods, method("steps", "one"))...)
	c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
	c.auth(goesOn, "steps", "two")
	c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after two")
	c.auth(goesOn, "steps", "three")
	c.want("CONNACK 0x00 AuthenticationMethod=steps AuthenticationData=after three")
	return c
}

func TestEnhancedAuthentication(t *testing.T) {
	statement(t, "MQTT-4.12.0-2@5 MQTT-4.12.0-3@5 MQTT-4.12.0-5@5 a login of several steps", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			var user box[string]
			b.ask(&let{register: func(r *hook.Register) hook.Verdict { user.set(r.Client.Username); return hook.OK }})
			c := b.login("c")
			c.quiet()
			if name := user.get(); name != "known by steps" {
				b.Errorf("then asked for user %q", name)
			}
		})
	})
	statement(t, "MQTT-4.12.0-1@5 a method that nobody knows", func(b *broker) {
		b.hello("c", method("other", "")).ends("CONNACK 0x8C") // without a provider
		b.both(func(b *broker, _ *steps) { b.hello("c", method("other", "x")).ends("CONNACK 0x8C") })
	})
	statement(t, "MQTT-4.12.0-4@5 MQTT-3.2.2-7@5 MQTT-3.1.4-6@5 an authentication that fails, at each step", func(b *broker) {
		b.both(func(b *broker, p *steps) {
			s := b.connect("s")
			s.sub("t", 0)
			for code, want := range map[mqtt.Code]string{0: "CONNACK 0x87", mqtt.CodeBadUserNameOrPassword: "CONNACK 0x86", mqtt.CodeSessionTakenOver: "CONNACK 0x87"} {
				p.code.set(code)
				c := b.hello("c", method("steps", "wrong"))
				c.send(message("t", "x", 0, 0).Append(nil, b.v))
				c.ends(want)
				c = b.hello("c", method("steps", "one"))
				c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
				c.auth(goesOn, "steps", "wrong")
				c.send(message("t", "x", 0, 0).Append(nil, b.v))
				c.ends(want)
			}
			s.quiet()
		})
	})
	statement(t, "MQTT-3.1.2-30@5 MQTT-3.14.0-1@5 until the CONNACK a client sends AUTH and DISCONNECT alone", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			s := b.connect("s")
			s.sub("t", 0)
			begin := func() *client {
				c := b.hello("c", method("steps", "one"))
				c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
				return c
			}
			for _, f := range [][]byte{mqtt.AppendPingreq(nil), message("t", "x", 0, 0).Append(nil, b.v), connectBytes(b.v, 2, field("c"))} {
				c := begin()
				c.send(f)
				c.ends("CONNACK 0x82")
			}
			c := begin()
			c.send((&mqtt.Disconnect{}).Append(nil, b.v))
			c.ends()
			for _, code := range []mqtt.Code{again, 0} { // not the code of the next step
				c := begin()
				c.auth(code, "steps", "two")
				c.ends("CONNACK 0x82")
			}
			c = begin()
			c.auth(goesOn, "other", "two")
			c.ends("CONNACK 0x82")
			s.quiet()
		})
	})
	statement(t, "MQTT-4.12.0-4@5 an authentication that the client does not go on with", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			b.o.ConnectTimeout = 50 * time.Millisecond
			c := b.hello("c", method("steps", "one"))
			c.ends("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
		})
	})
	statement(t, "MQTT-4.12.0-6@5 MQTT-4.12.0-7@5 no AUTH without a method in CONNECT", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			c := b.connect("c")
			if strings.Contains(c.hello, "Authentication") {
				b.Error(c.hello)
			}
			c.auth(again, "steps", "one")
			c.ends("DISCONNECT 0x82")
		})
	})
	statement(t, "MQTT-4.12.1-1@5 MQTT-4.12.0-5@5 a client authenticates again, with the method of its CONNECT", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			c := b.login("c")
			c.sub("t", 0)
			for range 2 {
				c.auth(again, "steps", "one")
				c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
				c.quiet() // other packets go on meanwhile
				c.auth(goesOn, "steps", "two")
				c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after two")
				c.auth(goesOn, "steps", "three")
				c.want("AUTH 0x00 AuthenticationMethod=steps AuthenticationData=after three")
			}
			c.auth(again, "other", "one")
			c.ends("DISCONNECT 0x82")
			c = b.login("c")
			c.auth(goesOn, "steps", "one") // nothing to go on with
			c.ends("DISCONNECT 0x82")
			c = b.login("c")
			c.auth(again, "steps", "one")
			c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
			c.auth(again, "steps", "one") // it has begun already
			c.ends("DISCONNECT 0x82")
		})
	})
	statement(t, "MQTT-4.12.1-2@5 MQTT-3.14.2-1@5 an authentication that fails ends the connection", func(b *broker) {
		b.both(func(b *broker, p *steps) {
			for code, want := range map[mqtt.Code]string{0: "DISCONNECT 0x87", mqtt.CodeBadUserNameOrPassword: "DISCONNECT 0x87",
				mqtt.CodeQuotaExceeded: "DISCONNECT 0x97"} {
				p.code.set(code)
				c := b.login("c")
				c.auth(again, "steps", "one")
				c.want("AUTH 0x18 AuthenticationMethod=steps AuthenticationData=after one")
				c.auth(goesOn, "steps", "wrong")
				c.ends(want)
			}
		})
	})
	statement(t, "MQTT-3.15.1-1@5 the reserved flags of AUTH", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			c := b.login("c")
			c.hex("f1 00")
			c.ends("DISCONNECT 0x81")
			c = b.hello("c", method("steps", "one"))
			if f, err := c.frame(); err != nil || f[0] != 0xF0 {
				b.Errorf("AUTH % x %v", f, err)
			}
		})
	})
	statement(t, "MQTT-3.15.2-1@5 an AUTH with a code that it may not have", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			c := b.login("c")
			c.hex(`f0 0a 87 08 15 0005"steps"`)
			c.ends("DISCONNECT 0x82")
		})
	})
	statement(t, "MQTT-3.1.2-24@5 an AUTH that is too large for the client", func(b *broker) {
		b.both(func(b *broker, _ *steps) {
			b.hello("c", method("steps", "one"), number(mqtt.PropMaximumPacketSize, 20)).ends("CONNACK 0x95")
		})
	})
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	statement(t, "MQTT-3.2.2-8@5 MQTT-4.13.2-1@5 a provider sends a client to another server", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			r.Code, r.ServerReference = mqtt.CodeUseAnotherServer, "other.example:1883"
			return hook.Refuse
		}})
		b.hello("c").ends("CONNACK 0x9C ServerReference=other.example:1883")
	})
	waiting(t, "MQTT-3.2.2-21@5 a provider sets the keep alive, and the client is held to it", func(b *broker) {
		b.ask(&let{register: func(r *hook.Register) hook.Verdict {
			seconds := uint16(1)
			r.SetKeepAlive = &seconds
			return hook.OK
		}})
		c := b.hello("c", func(p *mqtt.Connect) { p.KeepAlive = 1000 })
		c.want("CONNACK 0x00 ServerKeepAlive=1")
		c.fails(mqtt.CodeKeepAliveTimeout)
	})
}
