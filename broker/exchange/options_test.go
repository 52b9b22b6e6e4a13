package exchange_test

import (
	"fmt"
	"testing"
	"time"

	"vernemq/broker/config"
	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// modifier is a provider that lets everybody in and changes what its functions change.
type modifier struct {
	register    func(*hook.Register)
	publish     func(*hook.Publish)
	deliver     func(*hook.Publish) hook.Verdict
	unsubscribe func(*hook.Unsubscribe, func(hook.Verdict)) hook.Verdict
}

func (*modifier) Name() string { return "modifier" }

func (m *modifier) AuthOnRegister(r *hook.Register, _ func(hook.Verdict)) hook.Verdict {
	if m.register != nil {
		m.register(r)
	}
	return hook.OK
}

func (m *modifier) AuthOnPublish(p *hook.Publish, _ func(hook.Verdict)) hook.Verdict {
	if m.publish != nil {
		m.publish(p)
	}
	return hook.OK
}

func (m *modifier) OnDeliver(p *hook.Publish) hook.Verdict {
	if m.deliver == nil {
		return hook.Next
	}
	return m.deliver(p)
}

func (m *modifier) OnUnsubscribe(u *hook.Unsubscribe, answer func(hook.Verdict)) hook.Verdict {
	if m.unsubscribe == nil {
		return hook.Next
	}
	return m.unsubscribe(u, answer)
}

// modified is a world with a modifier, whose clients are called p and s; the modifier of a registration is for s alone.
func modified(t *testing.T, shards int, o *config.Options, m *modifier) *dialog {
	o.AllowAnonymous = false
	if f := m.register; f != nil {
		m.register = func(r *hook.Register) {
			if r.Client.ID.ClientID == "s" {
				f(r)
			}
		}
	}
	return &dialog{world: newWorld(t, shards, o, m), t: t}
}

// join connects a client whose session lasts, and tells its CONNACK.
func (d *dialog) join(name string, v mqtt.Version, change ...func(*mqtt.Connect)) (c *client, connack string) {
	d.t.Helper()
	q := &mqtt.Connect{Version: v, ClientID: []byte(name)}
	if v.Is5() {
		q.Props.AddUint(mqtt.PropSessionExpiry, 1000)
	}
	for _, f := range change {
		f(q)
	}
	c, err := d.connect(name, q)
	if err != nil {
		return nil, err.Error()
	}
	for _, f := range c.frames() {
		connack += show(f, v)
	}
	return c, connack
}

func ptr[T any](v T) *T { return &v }

// TestSessionOptions: what a provider sets at the registration holds for that session alone, in the place of what is configured.
func TestSessionOptions(t *testing.T) {
	publish := func(d *dialog, qos byte, payloads ...string) {
		for i, p := range payloads {
			d.publish(p, qos, uint16(i+1))
		}
		d.p.frames()
	}
	for _, c := range []struct {
		name    string
		v       mqtt.Version
		connack string
		options func(*config.Options) // what is configured, where it is not the default
		set     func(*hook.Register)
		connect func(*mqtt.Connect)
		talk    func(d *dialog)
	}{
		{name: "max_inflight_messages", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.MaxInflight = ptr(1) }, talk: func(d *dialog) {
			publish(d, 1, "1", "2")
			d.want(d.s, `PUBLISH "t" "1" qos=1 id=1`)
			d.s.send((&mqtt.Ack{Type: mqtt.TypePuback, PacketID: 1}).Append(nil, mqtt.V311))
			d.want(d.s, `PUBLISH "t" "2" qos=1 id=2`)
		}},
		{name: "retry_interval", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.RetryInterval = ptr(2 * time.Second) }, talk: func(d *dialog) {
			publish(d, 1, "1")
			d.want(d.s, `PUBLISH "t" "1" qos=1 id=1`)
			d.advance(3 * time.Second)
			d.want(d.s, `PUBLISH "t" "1" qos=1 id=1 dup`)
		}},
		{name: "upgrade_qos", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.UpgradeQoS = ptr(true) }, talk: func(d *dialog) {
			publish(d, 0, "1")
			d.want(d.s, `PUBLISH "t" "1" qos=2 id=1`)
			d.s.lose()
			publish(d, 0, "kept")
			d.s, _ = d.join("s", mqtt.V311)
			d.want(d.s)
			d.s.send((&mqtt.Ack{Type: mqtt.TypePubrec, PacketID: 1}).Append(nil, mqtt.V311))
			d.want(d.s, "PUBREL id=1")
		}},
		{name: "upgrade_qos off", v: mqtt.V311, connack: "CONNACK", options: func(o *config.Options) { o.UpgradeOutgoingQoS = true },
			set: func(r *hook.Register) { r.SetOptions.UpgradeQoS = ptr(false) }, talk: func(d *dialog) {
				publish(d, 0, "1")
				d.want(d.s, `PUBLISH "t" "1" qos=0`)
			}},
		{name: "max_online_messages", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) {
			r.SetOptions.MaxInflight, r.SetOptions.MaxOnlineMessages = ptr(1), ptr(1)
		}, talk: func(d *dialog) {
			publish(d, 1, "1", "2", "3")
			d.s.send((&mqtt.Ack{Type: mqtt.TypePuback, PacketID: 1}).Append(nil, mqtt.V311))
			d.s.send((&mqtt.Ack{Type: mqtt.TypePuback, PacketID: 2}).Append(nil, mqtt.V311))
			d.want(d.s, `PUBLISH "t" "1" qos=1 id=1`, `PUBLISH "t" "2" qos=1 id=2`)
		}},
		{name: "max_offline_messages and queue_type", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) {
			r.SetOptions.MaxOfflineMessages, r.SetOptions.QueueType = ptr(2), ptr("lifo")
		}, talk: func(d *dialog) {
			d.s.lose()
			publish(d, 1, "1", "2", "3")
			var got string
			d.s, got = d.join("s", mqtt.V311)
			if want := `CONNACK presentPUBLISH "t" "3" qos=1 id=1PUBLISH "t" "2" qos=1 id=2`; got != want {
				d.t.Errorf("received %s\nwant     %s", got, want)
			}
		}},
		{name: "queue_type of what a shared group kept", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.QueueType = ptr("lifo") },
			talk: func(d *dialog) {
				d.subscribe("$share/g/q")
				d.s.lose()
				for i, text := range []string{"1", "2"} {
					d.p.send((&mqtt.Publish{Topic: []byte("q"), QoS: 1, PacketID: uint16(i + 1), Payload: []byte(text)}).Append(nil, mqtt.V311))
				}
				if _, got := d.join("s", mqtt.V311); got != `CONNACK presentPUBLISH "q" "2" qos=1 id=1PUBLISH "q" "1" qos=1 id=2` {
					d.t.Errorf("received %s, want the newest first", got)
				}
			}},
		{name: "shared_subscription_policy", v: mqtt.V311, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.SharedPolicy = ptr("least_inflight") },
			talk: func(d *dialog) { // configured is round_robin
				publisher := d.s
				busy, _ := d.join("busy", mqtt.V311)
				idle, _ := d.join("idle", mqtt.V311)
				d.s = busy
				d.subscribe("t", "$share/g/q")
				d.s = idle
				d.subscribe("$share/g/q")
				publish(d, 1, "keeps it busy")
				busy.frames()
				idle.frames()
				for range 4 {
					publisher.send((&mqtt.Publish{Topic: []byte("q"), Payload: []byte("x")}).Append(nil, mqtt.V311))
				}
				d.want(busy)
				d.want(idle, `PUBLISH "q" "x" qos=0`, `PUBLISH "q" "x" qos=0`, `PUBLISH "q" "x" qos=0`, `PUBLISH "q" "x" qos=0`)
			}},
		{name: "receive_max_client", v: mqtt.V5, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.ReceiveMaxClient = ptr(1) }, talk: func(d *dialog) {
			publish(d, 1, "1", "2")
			d.want(d.s, `PUBLISH "t" "1" qos=1 id=1`)
		}},
		{name: "receive_max_broker", v: mqtt.V5, connack: "CONNACK receive-maximum=1", set: func(r *hook.Register) { r.SetOptions.ReceiveMaxBroker = ptr(1) },
			talk: func(d *dialog) {
				for id := range uint16(2) {
					d.s.send((&mqtt.Publish{Topic: []byte("x"), QoS: 2, PacketID: id + 1}).Append(nil, mqtt.V5))
				}
				d.want(d.s, "PUBREC id=1 0x10", `DISCONNECT 0x93 reason-string="more unanswered publishes than the Receive Maximum"`)
			}},
		{name: "topic_alias_max_client", v: mqtt.V5, connack: "CONNACK topic-alias-maximum=1", set: func(r *hook.Register) { r.SetOptions.TopicAliasMaxClient = ptr(1) },
			talk: func(d *dialog) {
				for alias := range uint32(2) {
					p := mqtt.Publish{Topic: []byte("t"), Payload: []byte("x")}
					p.Props.AddUint(mqtt.PropTopicAlias, alias+1)
					d.s.send(p.Append(nil, mqtt.V5))
				}
				d.want(d.s, `PUBLISH "t" "x" qos=0`, `DISCONNECT 0x94 reason-string="topic alias above the maximum"`)
			}},
		{name: "topic_alias_max_broker", v: mqtt.V5, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.TopicAliasMaxBroker = ptr(1) },
			connect: func(q *mqtt.Connect) { q.Props.AddUint(mqtt.PropTopicAliasMaximum, 5) }, talk: func(d *dialog) {
				publish(d, 0, "1", "2")
				d.want(d.s, `PUBLISH "t" "1" qos=0 topic-alias=1`, `PUBLISH "" "2" qos=0 topic-alias=1`)
			}},
		{name: "max_packet_size", v: mqtt.V5, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.MaxPacketSize = ptr(uint32(20)) },
			connect: func(q *mqtt.Connect) { q.Props.AddUint(mqtt.PropMaximumPacketSize, 1000) }, talk: func(d *dialog) {
				publish(d, 0, "much too long for so small a packet", "short")
				d.want(d.s, `PUBLISH "t" "short" qos=0`)
			}},
		{name: "request_problem_info", v: mqtt.V5, connack: "CONNACK", set: func(r *hook.Register) { r.SetOptions.RequestProblemInfo = ptr(false) }, talk: func(d *dialog) {
			d.s.send((&mqtt.Publish{Topic: []byte("a/#"), QoS: 0}).Append(nil, mqtt.V5))
			d.want(d.s, "DISCONNECT 0x90")
		}},
		{name: "max_qos", v: mqtt.V5, connack: "CONNACK maximum-qos=1", set: func(r *hook.Register) { r.SetOptions.MaxQoS = ptr(byte(1)) }, talk: func(d *dialog) {
			d.s.send((&mqtt.Publish{Topic: []byte("x"), QoS: 1, PacketID: 1}).Append(nil, mqtt.V5))
			d.s.send((&mqtt.Publish{Topic: []byte("x"), QoS: 2, PacketID: 2}).Append(nil, mqtt.V5))
			d.want(d.s, "PUBACK id=1 0x10", `DISCONNECT 0x9B reason-string="the QoS is above the Maximum QoS"`)
			_, got := d.join("s", mqtt.V5, func(q *mqtt.Connect) { q.HasWill, q.Will = true, mqtt.Will{Topic: []byte("w"), QoS: 2} })
			if want := "the QoS is above the Maximum QoS"; got != want {
				d.t.Errorf("with a will of QoS 2: %s, want %s", got, want)
			}
		}},
		{name: "retain_available", v: mqtt.V5, connack: "CONNACK retain-available=0", set: func(r *hook.Register) { r.SetOptions.RetainAvailable = ptr(false) },
			talk: func(d *dialog) {
				d.s.send((&mqtt.Publish{Topic: []byte("x"), Payload: []byte("x"), Retain: true}).Append(nil, mqtt.V5))
				d.want(d.s, `DISCONNECT 0x9A reason-string="retained messages are not available"`)
			}},
		{name: "subscriptions", v: mqtt.V5, connack: "CONNACK wildcard-subscription-available=0 subscription-identifier-available=0 shared-subscription-available=0",
			set: func(r *hook.Register) {
				r.SetOptions.WildcardSubscriptions, r.SetOptions.SharedSubscriptions, r.SetOptions.SubscriptionIdentifier = ptr(false), ptr(false), ptr(false)
			}, talk: func(d *dialog) {
				d.subscribe("a/+", "#", "$share/g/a", "plain")
				d.want(d.s, "SUBACK id=1 A2A29E02")
				q := mqtt.Subscribe{PacketID: 2}
				q.Props.AddUint(mqtt.PropSubscriptionID, 7)
				q.Add([]byte("plain"), 0)
				d.s.send(q.Append(nil, mqtt.V5))
				d.want(d.s, "SUBACK id=2 A1")
			}},
		{name: "session expiry and user properties", v: mqtt.V5, connack: `CONNACK session-expiry-interval=1 user-property="\x00\x01k\x00\x01v" user-property="\x00\x01k\x00\x01w"`, set: func(r *hook.Register) {
			r.SetSessionExpiry, r.SetUser = ptr(uint32(1)), [][2]string{{"k", "v"}, {"k", "w"}}
		}, talk: func(d *dialog) {
			d.s.lose()
			d.advance(2 * time.Second)
			if _, got := d.join("s", mqtt.V5); got != `CONNACK session-expiry-interval=1 user-property="\x00\x01k\x00\x01v" user-property="\x00\x01k\x00\x01w"` {
				d.t.Errorf("after the session expired: %s", got)
			}
		}},
	} {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", c.name, shards), func(t *testing.T) {
				o := defaults()
				if c.options != nil {
					c.options(o)
				}
				d := modified(t, shards, o, &modifier{register: c.set})
				var got string
				d.p, _ = d.join("p", mqtt.V311)
				if c.connect == nil {
					c.connect = func(*mqtt.Connect) {}
				}
				if d.s, got = d.join("s", c.v, c.connect); got != c.connack {
					t.Fatalf("%s\nwant %s", got, c.connack)
				}
				d.subscribe("t")
				d.s.frames()
				c.talk(d)
			})
		}
	}
}

// TestCleanSessionModifier: a provider may change whether the session of a 3.x client is clean, which is one word for its begin and its end.
func TestCleanSessionModifier(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		for _, clean := range []bool{false, true} {
			d := modified(t, shards, defaults(), &modifier{register: func(r *hook.Register) { r.SetCleanStart = &clean }})
			asked := func(q *mqtt.Connect) { q.CleanStart = !clean }
			d.p, _ = d.join("p", mqtt.V311)
			d.s, _ = d.join("s", mqtt.V311, asked)
			d.subscribe("t")
			d.s.frames()
			d.s.lose()
			d.publish("kept", 1, 1)
			want := `CONNACK presentPUBLISH "t" "kept" qos=1 id=1`
			if clean {
				want = "CONNACK"
			}
			var got string
			if d.s, got = d.join("s", mqtt.V311, asked); got != want {
				t.Errorf("clean session %t, provider says %t: %s, want %s", !clean, clean, got, want)
			}
		}
	})
}

// TestOptionsChange: the options of a session are those of its last registration, for subscriptions made before, too.
func TestOptionsChange(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		upgrade := ptr(true)
		d := modified(t, shards, defaults(), &modifier{register: func(r *hook.Register) { r.SetOptions.UpgradeQoS = upgrade }})
		d.p, _ = d.join("p", mqtt.V311)
		d.s, _ = d.join("s", mqtt.V5)
		d.subscribe("t")
		d.s.frames()
		d.publish("up", 0, 0)
		d.want(d.s, `PUBLISH "t" "up" qos=2 id=1`)
		upgrade = nil
		d.s, _ = d.join("s", mqtt.V5)
		d.publish("plain", 0, 0)
		d.want(d.s, `PUBLISH "t" "plain" qos=0`)
		upgrade = ptr(true)
		d.s, _ = d.join("s", mqtt.V5)
		d.s.frames()
		d.publish("up again", 1, 1)
		d.want(d.s, `PUBLISH "t" "up again" qos=2 id=2`)
	})
}

// TestPublishModifiers: what a provider changes of a published message, the last will included.
func TestPublishModifiers(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		m := &modifier{}
		d := modified(t, shards, defaults(), m)
		d.s, _ = d.join("s", mqtt.V5)
		d.subscribe("t", "w")
		d.s.frames()
		d.p, _ = d.join("p", mqtt.V5)
		m.publish = func(p *hook.Publish) {
			switch string(p.Payload) {
			case "elsewhere":
				p.SetMountpoint = ptr("other")
			case "properties":
				p.SetProps = &mqtt.Properties{}
				p.SetProps.AddBytes(mqtt.PropContentType, []byte("text"))
				p.SetProps.AddUser([]byte("k"), []byte("v"))
				p.SetProps.AddUint(mqtt.PropMessageExpiry, 7)
				p.SetProps.AddUint(mqtt.PropSubscriptionID, 7) // not for publishers: not handed on
			}
		}
		p := mqtt.Publish{Topic: []byte("t"), Payload: []byte("properties"), QoS: 1, PacketID: 1}
		p.Props.AddBytes(mqtt.PropResponseTopic, []byte("gone"))
		p.Props.AddUint(mqtt.PropMessageExpiry, 100)
		d.p.send(p.Append(nil, mqtt.V5))
		d.publish("elsewhere", 1, 2)
		d.want(d.p, "PUBACK id=1", "PUBACK id=2 0x10")
		d.want(d.s, `PUBLISH "t" "properties" qos=1 id=1 message-expiry-interval=7 content-type="text" user-property="\x00\x01k\x00\x01v"`)
		w, _ := d.join("w", mqtt.V5, func(q *mqtt.Connect) {
			q.HasWill, q.Will = true, mqtt.Will{Topic: []byte("w"), Payload: []byte("properties")}
		})
		w.lose()
		d.want(d.s, `PUBLISH "w" "properties" qos=0 message-expiry-interval=7 content-type="text" user-property="\x00\x01k\x00\x01v"`)
		old, _ := d.join("old", mqtt.V311)
		old.send((&mqtt.Publish{Topic: []byte("t"), Payload: []byte("properties")}).Append(nil, mqtt.V311))
		d.want(d.s, `PUBLISH "t" "properties" qos=0`) // before MQTT 5 there are none
	})
}

// TestDeliverModifiers: what a provider changes of a delivery; what is sent again is the same.
func TestDeliverModifiers(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		asked := 0
		m := &modifier{deliver: func(p *hook.Publish) hook.Verdict {
			asked++
			switch string(p.Payload) {
			case "plain":
				return hook.Next
			case "bad":
				p.SetTopic, p.SetPayload = []byte("a/#"), []byte("good")
				return hook.OK
			}
			p.SetTopic, p.SetPayload = []byte("for/"+p.Client.ID.ClientID), fmt.Appendf(nil, "%s %d", p.Payload, asked)
			p.SetProps = &mqtt.Properties{}
			p.SetProps.AddUser([]byte("asked"), fmt.Append(nil, asked))
			return hook.OK
		}}
		d := modified(t, shards, defaults(), m)
		d.p, _ = d.join("p", mqtt.V311)
		d.s, _ = d.join("s", mqtt.V5)
		d.subscribe("t")
		d.s.frames()
		d.publish("one", 1, 1)
		d.publish("two", 0, 0)
		d.publish("plain", 0, 0)
		d.publish("bad", 0, 0)
		d.want(d.s, `PUBLISH "for/s" "one 1" qos=1 id=1 user-property="\x00\x05asked\x00\x011"`, `PUBLISH "for/s" "two 2" qos=0 user-property="\x00\x05asked\x00\x012"`, `PUBLISH "t" "plain" qos=0`,
			`PUBLISH "t" "good" qos=0`)
		d.s.lose()
		var got string
		d.s, got = d.join("s", mqtt.V5)
		if want := `CONNACK presentPUBLISH "for/s" "one 1" qos=1 id=1 dup user-property="\x00\x05asked\x00\x011"`; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		old, _ := d.join("old", mqtt.V311)
		d.s = old
		d.subscribe("t")
		old.frames()
		d.publish("three", 0, 0)
		if got := show(old.frames()[0], mqtt.V311); got != `PUBLISH "for/old" "three 5" qos=0` && got != `PUBLISH "for/old" "three 6" qos=0` {
			t.Errorf("an MQTT 3.1.1 client received %s", got)
		}
	})
}

// TestUnsubscribeModifiers: a provider may change what is meant, at once or later; it cannot refuse.
func TestUnsubscribeModifiers(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		var later func(hook.Verdict)
		d := modified(t, shards, defaults(), &modifier{unsubscribe: func(u *hook.Unsubscribe, answer func(hook.Verdict)) hook.Verdict {
			switch u.Topics[0].Filter {
			case "alias":
				u.Topics[0].Filter = "t"
				u.Topics = append(u.Topics, hook.Topic{Filter: "more"})
			case "later":
				later = answer
				return hook.Pending
			case "refused":
				return hook.Refuse
			}
			return hook.OK
		}})
		d.p, _ = d.join("p", mqtt.V311)
		d.s, _ = d.join("s", mqtt.V5)
		d.subscribe("t", "more", "later", "refused")
		d.s.frames()
		unsubscribe := func(filters ...string) {
			u := mqtt.Unsubscribe{PacketID: 9}
			for _, f := range filters {
				u.Add([]byte(f))
			}
			d.s.send(u.Append(nil, mqtt.V5))
		}
		unsubscribe("alias")
		d.want(d.s, "UNSUBACK id=9 00")
		unsubscribe("more", "refused")
		d.want(d.s, "UNSUBACK id=9 1100")
		unsubscribe("later")
		d.s.send(mqtt.AppendPingreq(nil))
		d.want(d.s)
		later(hook.OK)
		d.run()
		d.want(d.s, "UNSUBACK id=9 00", "PINGRESP")
		unsubscribe("refused")
		d.want(d.s, "UNSUBACK id=9 11")
		if n := d.s.s.Subs.Len(); n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
	})
}

// Without retry_interval nothing is sent again on a living connection; also what was sent when there was one.
func TestRetryTakenAway(t *testing.T) {
	o := defaults()
	d := modified(t, 1, o, &modifier{})
	d.p, d.s = d.open("p", mqtt.V311), d.open("s", mqtt.V311)
	d.subscribe("t")
	d.publish("x", 1, 1)
	d.s.frames()
	off := *o
	off.RetryInterval = 0
	d.live.Swap(&off)
	d.advance(time.Minute)
	d.want(d.s)
}
