package exchange_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"vernemq/broker/exchange"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
)

var restoreSeeds = flag.Int("restore.seeds", 40, "number of random histories in TestModelRestart")

// TestModelRestart is TestModel with a broker that dies and comes back with what its store holds, at any moment: what was acknowledged is
// delivered, QoS 2 still exactly once, in order.
func TestModelRestart(t *testing.T) {
	for seed := range *restoreSeeds {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprintf("seed=%d/shards=%d", seed, shards), func(t *testing.T) {
				h := newHistory(t, uint64(seed)+1000, shards)
				h.crashes = true
				h.run()
			})
		}
	}
}

// crash ends the broker as kill -9 does and starts it anew over the same store, with another number of shards.
func (w *world) crash(shards int) {
	for _, c := range w.conns {
		c.s, c.closed, c.told, c.in, c.got = nil, true, true, nil, nil
	}
	w.metrics = metric.NewRegistry(shards)
	w.x = exchange.New(shards, w.live, w.mem, hook.NewChains(), w.metrics)
	w.loops = nil
	w.makeLoops(shards)
	_, _, err := w.x.Restore(func(id msg.SubscriberID) *exchange.Home { return w.loops[w.shardOf(id.ClientID)].home }, func(int64) int64 { return w.away })
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestRestore: what a session is made of, one by one.
func TestRestore(t *testing.T) {
	o := defaults()
	w := newWorld(t, 2, o)
	connect := func(name string, clean bool, expiry uint32) *client {
		t.Helper()
		q := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte(name), CleanStart: clean, HasUsername: true, Username: []byte("user-" + name)}
		q.Props.AddUint(mqtt.PropSessionExpiry, expiry)
		c, err := w.connect(name, q)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	s := connect("s", true, 100)
	var sub mqtt.Subscribe
	sub.PacketID = 1
	sub.Props.AddUint(mqtt.PropSubscriptionID, 7)
	sub.Add([]byte("a/#"), 2)
	s.send(sub.Append(nil, mqtt.V5))
	var rap mqtt.Subscribe
	rap.PacketID = 2
	rap.Add([]byte("r/+"), 1|mqtt.SubRetainAsPublished)
	s.send(rap.Append(nil, mqtt.V5))
	gone := connect("gone", true, 30)
	gone.lose()
	s.lose()
	p := connect("p", true, 0)
	for i, m := range []mqtt.Publish{
		{Topic: []byte("a/1"), QoS: 2, Payload: []byte("one")},
		{Topic: []byte("r/1"), QoS: 1, Retain: true, Payload: []byte("two")},
		{Topic: []byte("a/2"), QoS: 1, Retain: true, Payload: []byte("three")},
		{Topic: []byte("a/0"), QoS: 0, Payload: []byte("not kept")},
	} {
		m.PacketID = uint16(i + 1)
		if m.QoS == 0 {
			m.PacketID = 0
		}
		p.send(m.Append(nil, mqtt.V5))
	}

	w.away = 40
	w.crash(3)
	w.advance(time.Second)
	if w.loops[w.shardOf("gone")].home.Session(msg.SubscriberID{ClientID: "gone"}) != nil {
		t.Error("a session whose 30 seconds were over after 40 seconds is still there")
	}
	back := w.loops[w.shardOf("s")].home.Session(msg.SubscriberID{ClientID: "s"})
	if back == nil {
		t.Fatal("the session is gone")
	}
	if back.Username != "user-s" || back.Expiry != 100 || back.Waiting() != 3 || back.Subs.Len() != 2 {
		t.Errorf("restored: user %q, expiry %d, %d waiting, %d subscriptions", back.Username, back.Expiry, back.Waiting(), back.Subs.Len())
	}
	s = connect("s", false, 100)
	var got []string
	for _, f := range s.frames() {
		hd, _, _ := mqtt.ReadHeader(f, 0, mqtt.V5)
		if hd.Type == mqtt.TypeConnack {
			if f[hd.Size]&1 == 0 {
				t.Error("CONNACK without session present")
			}
			continue
		}
		var m mqtt.Publish
		if err := m.Decode(hd.Flags, f[hd.Size:], mqtt.V5); err != nil {
			t.Fatal(err)
		}
		id, _ := m.Props.Uint(mqtt.PropSubscriptionID)
		got = append(got, fmt.Sprintf("%s %s qos=%d retain=%v id=%d", m.Topic, m.Payload, m.QoS, m.Retain, id))
	}
	want := "[a/1 one qos=2 retain=false id=7 r/1 two qos=1 retain=true id=0 a/2 three qos=1 retain=false id=7]"
	if fmt.Sprint(got) != want {
		t.Errorf("received %v\nwant %s", got, want)
	}
	if n := w.x.Retain.Count(); n != 2 {
		t.Errorf("%d retained messages, want 2", n)
	}
	// And again, over what was sent and not answered.
	w.crash(1)
	if s = connect("s", false, session.Never); len(s.frames()) != 4 {
		t.Error("CONNACK and three messages were expected once more")
	}
}

var _ store.Completer = (*loop)(nil)

// full is a store that takes no message, as with a full disk.
type full struct{ store.Store }

func (full) PutMessage(*msg.Message, store.Inbound, []store.Recipient) (store.MessageRef, store.Ticket) {
	return 0, 0
}

// TestStoreRefuses: a message that cannot be stored is not acknowledged and goes to nobody; MQTT 5 clients are told, others can send it again
// under the same identifier; QoS 0 goes on.
func TestStoreRefuses(t *testing.T) {
	w := newWorld(t, 1, defaults())
	s, err := w.connect("s", &mqtt.Connect{Version: mqtt.V311, ClientID: []byte("s")})
	if err != nil {
		t.Fatal(err)
	}
	var sub mqtt.Subscribe
	sub.PacketID = 1
	sub.Add([]byte("#"), 2)
	s.send(sub.Append(nil, mqtt.V311))
	w.x.Store = full{w.mem}
	s.frames()
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		p, err := w.connect("p", &mqtt.Connect{Version: v, ClientID: []byte("p"), CleanStart: true})
		if err != nil {
			t.Fatal(err)
		}
		p.frames()
		for qos := range byte(3) {
			m := mqtt.Publish{Topic: []byte("t"), QoS: qos, Payload: []byte("x")}
			if qos > 0 {
				m.PacketID = 5
			}
			p.send(m.Append(nil, v))
			switch got := p.frames(); {
			case qos == 0:
				if n := len(s.frames()); n != 1 {
					t.Errorf("v%d: %d packets for the subscriber at QoS 0, want 1", v, n)
				}
			case v == mqtt.V5:
				if len(got) != 1 || got[0][4] != byte(mqtt.CodeQuotaExceeded) {
					t.Errorf("QoS %d: answered % x, want reason code 0x97", qos, got)
				}
			case len(got) != 0:
				t.Errorf("QoS %d: answered % x, want nothing", qos, got)
			}
		}
		if n := len(s.frames()); n != 0 {
			t.Errorf("v%d: %d packets of refused messages", v, n)
		}
	}
	w.x.Store = w.mem
	p, err := w.connect("p", &mqtt.Connect{Version: mqtt.V311, ClientID: []byte("p")})
	if err != nil {
		t.Fatal(err)
	}
	p.frames()
	again := mqtt.Publish{Topic: []byte("t"), QoS: 2, PacketID: 5, Dup: true, Payload: []byte("x")}
	p.send(again.Append(nil, mqtt.V311))
	if len(p.frames()) != 1 || len(s.frames()) != 1 {
		t.Error("a message that is sent again was not taken")
	}
}

// TestRestoreRetainedLimit: limits that are lower than what the store holds take nothing away; only what is new has to wait until there is room.
func TestRestoreRetainedLimit(t *testing.T) {
	d := &dialog{world: newWorld(t, 1, defaults()), t: t}
	publish := func(topic, payload string, id uint16) {
		d.p.send((&mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: 1, PacketID: id, Retain: true}).Append(nil, mqtt.V5))
	}
	d.p = d.open("p", mqtt.V5)
	for id, name := range []string{"a", "b", "c"} {
		publish(name, "x", uint16(id+1))
	}
	o := *d.live.Load()
	o.MaxRetainedMessages, o.MaxRetainedBytes = 1, 1
	d.setOptions(&o)
	d.crash(1)
	d.p = d.open("p", mqtt.V5)
	if n := d.x.Retain.Count(); n != 3 {
		t.Errorf("%d retained messages after a restart with a limit of 1, want the 3 there were", n)
	}
	publish("a", "y", 1)
	publish("d", "x", 2)
	publish("b", "", 3)
	publish("c", "", 4)
	d.want(d.p, "PUBACK id=1 0x10", "PUBACK id=2 0x97", "PUBACK id=3 0x10", "PUBACK id=4 0x10")
	if n := d.x.Retain.Count(); n != 1 {
		t.Errorf("%d retained messages, want 1", n)
	}
}

// TestRestoredIdentifiers: a client with a lasting session has a retained message of QoS 2 under way when the broker dies. The identifier stays in use.
func TestRestoredIdentifiers(t *testing.T) {
	w := newWorld(t, 2, defaults())
	p := mustConnect(t, w, "p")
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 2, PacketID: 1, Payload: []byte("kept"), Retain: true}).Append(nil, mqtt.V311))
	s := w.persistent("s")
	s.subscribe("t", 2)
	fs := s.frames()
	if len(fs) != 2 || fs[1][0] != 0x35 {
		t.Fatalf("received % x, want SUBACK and the retained message", fs)
	}
	w.crash(1)
	fs = w.persistentFrames("s")
	if len(fs) != 2 || fs[1][0] != 0x3D || string(fs[1][len(fs[1])-4:]) != "kept" {
		t.Errorf("received % x, want CONNACK and the message again", fs)
	}
}
