package node_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vernemq/broker/admin"
	"vernemq/broker/exchange"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

var attackTime = flag.Duration("attack.time", 2*time.Second, "how long TestAttack lasts")

// attack is a crowd that means no good, each of its members with a generator of its own.
type attack struct {
	t    *testing.T
	n    *node.Node
	addr string
	stop atomic.Bool
	wg   sync.WaitGroup
}

// moody is a provider that answers some questions late, and changes what it likes.
type moody struct{ n atomic.Uint64 }

func (*moody) Name() string { return "slow" }

func (s *moody) later(answer func(hook.Verdict)) hook.Verdict {
	if s.n.Add(1)%5 != 0 {
		return hook.OK
	}
	go answer(hook.OK)
	return hook.Pending
}

func (s *moody) AuthOnRegister(r *hook.Register, answer func(hook.Verdict)) hook.Verdict {
	switch n := s.n.Add(1); {
	case strings.HasPrefix(r.Client.ID.ClientID, "good"):
		return hook.OK
	case n%7 == 0:
		r.SetOptions.MaxOfflineMessages, r.SetOptions.UpgradeQoS, r.SetOptions.ReceiveMaxClient = new(int), new(bool), new(int)
		*r.SetOptions.UpgradeQoS = n%2 == 0
	case n%11 == 0:
		return hook.Refuse
	}
	return s.later(answer)
}

func (s *moody) AuthOnPublish(p *hook.Publish, answer func(hook.Verdict)) hook.Verdict {
	if strings.HasPrefix(p.Client.ID.ClientID, "good") {
		return hook.OK
	}
	return s.later(answer)
}

func (s *moody) AuthOnSubscribe(_ *hook.Subscribe, answer func(hook.Verdict)) hook.Verdict {
	return s.later(answer)
}

func (s *moody) OnUnsubscribe(_ *hook.Unsubscribe, answer func(hook.Verdict)) hook.Verdict {
	return s.later(answer)
}

// raw is a connection whose writes and reads may fail: the broker ends what it does not like.
type raw struct {
	net.Conn
	v   mqtt.Version
	rng *rand.Rand
	in  []byte // received, not looked at yet
}

func (r *raw) put(b []byte) bool {
	_ = r.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	_, err := r.Write(b)
	return err == nil
}

// gulp reads for a moment and answers most of what wants an answer.
func (r *raw) gulp(d time.Duration) {
	_ = r.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 64<<10)
	n, _ := r.Read(b)
	r.in = append(r.in, b[:n]...)
	var out []byte
	for {
		hd, ok, err := mqtt.ReadHeader(r.in, 0, r.v)
		if err != nil || !ok || len(r.in) < hd.Size+hd.Body {
			break
		}
		body := r.in[hd.Size : hd.Size+hd.Body]
		r.in = r.in[hd.Size+hd.Body:]
		var a mqtt.Ack
		switch hd.Type {
		case mqtt.TypePublish:
			var p mqtt.Publish
			if p.Decode(hd.Flags, body, r.v) != nil || p.QoS == 0 {
				continue
			}
			a = mqtt.Ack{Type: mqtt.TypePuback, PacketID: p.PacketID}
			if p.QoS == 2 {
				a.Type = mqtt.TypePubrec
			}
		case mqtt.TypePubrec, mqtt.TypePubrel:
			if a.Decode(hd.Type, body, r.v) != nil || a.Code >= 0x80 {
				continue
			}
			a = mqtt.Ack{Type: hd.Type + 1, PacketID: a.PacketID}
		default:
			continue
		}
		if r.rng.IntN(20) > 0 {
			out = a.Append(out, r.v)
		}
	}
	if len(out) > 0 {
		r.put(out)
	}
}

func (a *attack) dial(rng *rand.Rand) *raw {
	c, err := net.Dial("tcp", a.addr)
	if err != nil {
		return nil
	}
	return &raw{Conn: c, v: []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}[rng.IntN(3)], rng: rng}
}

func (r *raw) connect(id string) []byte {
	c := mqtt.Connect{Version: r.v, ClientID: []byte(id), CleanStart: r.rng.IntN(2) == 0, KeepAlive: uint16(r.rng.IntN(3))}
	if r.rng.IntN(2) == 0 {
		c.HasWill = true
		c.Will = mqtt.Will{Topic: r.topic(), Payload: bytes.Repeat([]byte("w"), r.rng.IntN(1000)), QoS: byte(r.rng.IntN(3)), Retain: r.rng.IntN(3) == 0}
		if r.v.Is5() {
			c.Will.Props.AddUint(mqtt.PropWillDelay, uint32(r.rng.IntN(3)))
			c.Will.Props.AddUint(mqtt.PropMessageExpiry, uint32(r.rng.IntN(3)))
		}
	}
	if r.v.Is5() {
		c.Props.AddUint(mqtt.PropSessionExpiry, uint32(r.rng.IntN(4)))
		c.Props.AddUint(mqtt.PropReceiveMaximum, uint32(1+r.rng.IntN(10)))
		c.Props.AddUint(mqtt.PropTopicAliasMaximum, uint32(r.rng.IntN(5)))
		if r.rng.IntN(20) == 0 {
			c.Props.AddUint(mqtt.PropMaximumPacketSize, uint32(20+r.rng.IntN(100)))
		}
		r.giant(&c.Props)
	}
	return c.Append(nil)
}

func (r *raw) giant(p *mqtt.Properties) {
	if r.rng.IntN(8) == 0 {
		for range r.rng.IntN(8) {
			p.AddUser(bytes.Repeat([]byte("k"), r.rng.IntN(60000)), bytes.Repeat([]byte("v"), r.rng.IntN(60000)))
		}
	}
}

func (r *raw) topic() []byte {
	return fmt.Appendf(nil, "x/%d/%d", r.rng.IntN(5), r.rng.IntN(5))
}

func (r *raw) filter() []byte {
	switch r.rng.IntN(6) {
	case 0:
		return []byte("x/#")
	case 1:
		return fmt.Appendf(nil, "x/+/%d", r.rng.IntN(5))
	case 2:
		return fmt.Appendf(nil, "$share/g%d/x/+/%d", r.rng.IntN(3), r.rng.IntN(5))
	case 3:
		return fmt.Appendf(nil, "y/%d/+/#", r.rng.IntN(100_000))
	default:
		return r.topic()
	}
}

// packet is one of all kinds, mostly well formed.
func (r *raw) packet() []byte {
	id := uint16(1 + r.rng.IntN(15))
	var b []byte
	switch k := r.rng.IntN(120); {
	case k < 80:
		p := mqtt.Publish{Topic: r.topic(), Payload: bytes.Repeat([]byte("p"), r.rng.IntN(2000)), QoS: byte(r.rng.IntN(3)), PacketID: id, Retain: r.rng.IntN(5) == 0}
		p.Dup = p.QoS > 0 && r.rng.IntN(5) == 0
		if r.rng.IntN(10) == 0 {
			p.Payload = nil
		}
		if r.rng.IntN(200) == 0 {
			p.Payload = make([]byte, 3<<20)
		}
		if r.v.Is5() {
			if r.rng.IntN(3) == 0 {
				p.Props.AddUint(mqtt.PropTopicAlias, uint32(1+r.rng.IntN(10)+r.rng.IntN(200)/199))
				if r.rng.IntN(20) == 0 {
					p.Topic = nil
				}
			}
			if r.rng.IntN(3) == 0 {
				p.Props.AddUint(mqtt.PropMessageExpiry, uint32(r.rng.IntN(2)))
			}
			r.giant(&p.Props)
		}
		b = p.Append(nil, r.v)
	case k < 95:
		s := mqtt.Subscribe{PacketID: id}
		n := 1 + r.rng.IntN(5)
		if r.rng.IntN(10) == 0 {
			n = 6000
		}
		for range n {
			s.Add(r.filter(), mqtt.SubOptions(r.rng.IntN(3)))
		}
		if r.v.Is5() && r.rng.IntN(2) == 0 {
			s.Props.AddUint(mqtt.PropSubscriptionID, uint32(1+r.rng.IntN(1000)))
		}
		b = s.Append(nil, r.v)
	case k < 105:
		u := mqtt.Unsubscribe{PacketID: id}
		for range 1 + r.rng.IntN(20)*r.rng.IntN(100) {
			u.Add(r.filter())
		}
		b = u.Append(nil, r.v)
	case k < 107:
		a := mqtt.Ack{Type: mqtt.TypePuback + mqtt.Type(r.rng.IntN(4)), PacketID: id}
		b = a.Append(nil, r.v)
	case k < 119:
		b = mqtt.AppendPingreq(nil)
	default:
		d := mqtt.Disconnect{}
		if r.v.Is5() && r.rng.IntN(2) == 0 {
			d.Code = mqtt.CodeDisconnectWithWill
		}
		if r.rng.IntN(4) > 0 {
			return mqtt.AppendPingreq(nil)
		}
		b = d.Append(nil, r.v)
	}
	if r.rng.IntN(400) == 0 {
		b[r.rng.IntN(len(b))] ^= byte(1 << r.rng.IntN(8))
	}
	return b
}

// go1 runs a member of the crowd until the attack is over.
func (a *attack) go1(seed uint64, do func(rng *rand.Rand)) {
	rng := rand.New(rand.NewPCG(seed, 99))
	a.wg.Go(func() {
		for !a.stop.Load() {
			do(rng)
		}
	})
}

// halfOpen connects and says nothing, or half of it.
func (a *attack) halfOpen(rng *rand.Rand) {
	var open []*raw
	for range 30 {
		if r := a.dial(rng); r != nil {
			b := r.connect("half")
			r.put(b[:rng.IntN(len(b))])
			open = append(open, r)
		}
	}
	waitABit()
	for _, r := range open {
		_ = r.Close()
	}
}

// talk says all sorts of things under a name that others use, too, reads now and then, and is gone at any byte.
func (a *attack) talk(names int) func(*rand.Rand) {
	return func(rng *rand.Rand) {
		r := a.dial(rng)
		if r == nil {
			return
		}
		defer func() { _ = r.Close() }()
		if !r.put(r.connect(fmt.Sprintf("evil-%d", rng.IntN(names)))) {
			return
		}
		for range rng.IntN(400) {
			var b []byte
			for range 1 + rng.IntN(8) {
				b = append(b, r.packet()...)
			}
			if rng.IntN(200) == 0 {
				r.put(b[:rng.IntN(len(b))])
				return
			}
			if !r.put(b) {
				return
			}
			if rng.IntN(3) > 0 {
				r.gulp(time.Millisecond)
			}
		}
		if rng.IntN(2) == 0 && a.stop.Load() == false {
			r.gulp(20 * time.Millisecond)
		}
	}
}

// operate does what an operator may do, at the worst moments, and lets memory get short for a moment.
func (a *attack) operate(rng *rand.Rand) {
	tree := admin.NewTree(a.n.View())
	id := rng.IntN(8)
	for _, line := range []string{
		fmt.Sprintf("session disconnect client-id=evil-%d", id), fmt.Sprintf("session disconnect client-id=evil-%d -c --server-reference=x", id),
		"session disconnect batch count=2 --client_id=~^evil", fmt.Sprintf("session reauthorize username=x client-id=evil-%d", id),
		fmt.Sprintf("session unsubscribe client-id=evil-%d topic=x/#", id), "session show --topic --msg_ref --client_id --limit=50", "metrics show", "listener show",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		tree.Execute(ctx, strings.Fields(line), admin.Options{}, io.Discard, io.Discard)
		cancel()
	}
	a.n.Press(exchange.Pressure(rng.IntN(4)))
	waitABit()
	a.n.Press(exchange.Easy)
	for range 50 {
		waitABit()
	}
}

// TestAttack: clients that break every rule, at once, while a client that keeps them is served, in order and without loss. Afterwards nothing
// of them is left.
func TestAttack(t *testing.T) {
	for _, variant := range []string{"plain", "refuse", "several", "stored"} {
		t.Run(variant, func(t *testing.T) {
			o := options(2)
			o.AllowAnonymous = false
			o.ConnectTimeout = time.Second
			o.TopicAliasMaxClient, o.TopicAliasMaxBroker, o.ReceiveMaxBroker = 10, 10, 20
			o.MaxOnlineMessages, o.MaxOfflineMessages, o.MaxSubscriptions = 100, 50, 5000
			o.MaxRetainedMessages, o.PersistentExpiration, o.MaxMessageSize = 10, time.Second, 4<<20
			switch variant {
			case "refuse":
				o.QueueFullAction = "refuse"
			case "several":
				o.AllowMultipleSessions, o.QueueDeliverMode = true, "balance"
			case "stored":
				o.StoreDir, o.StoreDurability, o.StoreSegmentSize = t.TempDir(), "ack", 1<<20
			}
			n, err := node.Start(t.Context(), node.Params{Options: o, Version: "test", Providers: []hook.Provider{&moody{}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { stop(t, n) })
			a := &attack{t: t, n: n, addr: n.Listening()[0][2]}
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			good := connect(t, a.addr, "good", mqtt.V5)
			good.subscribe("good", 1)
			for k := range uint64(6) {
				a.go1(seed+k, a.talk(8))
			}
			for k := range uint64(2) {
				a.go1(seed+10+k, a.talk(1)) // take-overs in storms
			}
			a.go1(seed+20, a.halfOpen)
			a.go1(seed+21, a.operate)

			end := time.Now().Add(*attackTime / 4)
			for want := uint64(0); time.Now().Before(end); want++ {
				good.publish("good", binary.BigEndian.AppendUint64(nil, want), 1, uint16(want%60000+1))
				for acked, got := false, false; !acked || !got; {
					f, err := good.frame()
					if err != nil {
						t.Fatalf("after %d messages: %v", want, err)
					}
					hd, _, _ := mqtt.ReadHeader(f, 0, mqtt.V5)
					switch hd.Type {
					case mqtt.TypePuback:
						acked = true
					case mqtt.TypePublish:
						var m mqtt.Publish
						if err := m.Decode(hd.Flags, f[hd.Size:], mqtt.V5); err != nil || binary.BigEndian.Uint64(m.Payload) != want {
							t.Fatalf("received %v %x, want %d", err, m.Payload, want)
						}
						good.send(binary.BigEndian.AppendUint16([]byte{0x40, 2}, m.PacketID))
						got = true
					default:
						t.Fatalf("received %s % x", hd.Type, f)
					}
				}
			}
			a.stop.Store(true)
			a.wg.Wait()
			v := n.Metrics().Value
			t.Logf("%d connections, %d and %d publishes, %d and %d subscribes, %d delivered, %d dropped, %d retained refused", v(metric.SocketOpen),
				v(metric.MqttPublishReceived), v(metric.MqttPublishReceived+1), v(metric.MqttSubscribeReceived), v(metric.MqttSubscribeReceived+1),
				v(metric.RouterMatchesLocal), v(metric.QueueMessageDrop), v(metric.RetainRefused))
			n.Press(exchange.Easy)
			good.ping()
			until(t, "only the good client is left", func() bool {
				return v(metric.ActiveMqttConnections) == 1 && v(metric.QueueProcesses) == 1 && v(metric.RouterSubscriptions) == 1
			})
			if got := n.Metrics().Value(metric.RetainMessages); got > 11 {
				t.Errorf("%d retained messages, want 10", got)
			}
		})
	}
}
