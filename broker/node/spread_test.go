package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// TestCrossShard: publishers and subscribers on all shards; every subscriber sees every publisher's messages in order.
func TestCrossShard(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		o := options(shards)
		o.MaxOnlineMessages = -1
		_, addr := start(t, o)
		const publishers, subscribers, n = 6, 6, 400
		var wg sync.WaitGroup
		for i := range subscribers {
			qos := byte(i % 2)
			s := connect(t, addr, fmt.Sprintf("sub%d", i), versions[i%3])
			s.subscribe("cross/+", qos)
			wg.Go(func() {
				last := map[string]uint32{}
				for range publishers * n {
					topic, payload := s.message()
					if got := binary.BigEndian.Uint32(payload); got != last[topic]+1 {
						t.Errorf("subscriber %d: %s: %d after %d", i, topic, got, last[topic])
						return
					}
					last[topic]++
				}
			})
		}
		for i := range publishers {
			p := connect(t, addr, fmt.Sprintf("pub%d", i), versions[i%3])
			wg.Go(func() {
				for k := range n {
					p.publish(fmt.Sprintf("cross/%d", i), binary.BigEndian.AppendUint32(nil, uint32(k+1)), 1, uint16(k+1))
					if k%50 == 49 {
						for range 50 {
							p.want(mqtt.TypePuback)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestTakeover: a client that connects again and again, on whatever shard the kernel puts it, is one session: the old connection is closed,
// nothing is lost, and there is one client in the end.
func TestTakeover(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		persistent := func(c *mqtt.Connect) {
			c.CleanStart = false
			c.Props.AddUint(mqtt.PropSessionExpiry, 1000)
		}
		pub := connect(t, addr, "pub", mqtt.V311)
		old := connect(t, addr, "same", mqtt.V5, persistent)
		old.subscribe("to/same", 1)
		for i := range 30 {
			now := connect(t, addr, "same", mqtt.V5, persistent)
			if code := old.wantClosed(); code != mqtt.CodeSessionTakenOver {
				t.Fatalf("takeover %d: DISCONNECT with 0x%02X, want 0x8E", i, byte(code))
			}
			pub.publish("to/same", []byte(fmt.Sprint(i)), 1, 1)
			pub.want(mqtt.TypePuback)
			now.wantMessage(fmt.Sprint(i))
			now.ping() // the acknowledgement was handled
			old = now
		}
		_ = old.Close()
		if got := n.Metrics().Value(metric.QueueProcesses); got != 2 {
			t.Errorf("%d sessions, want 2", got)
		}
	})
}

// TestConcurrentTakeover: many connections fight for one client identifier. One is left, and the broker is well.
func TestConcurrentTakeover(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 25 {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = c.Write((&mqtt.Connect{Version: mqtt.V5, ClientID: []byte("fought for"), CleanStart: i%2 == 0}).Append(nil))
					b := make([]byte, 4)
					_, _ = c.Read(b)
					_ = c.Close()
				}
			})
		}
		wg.Wait()
		until(t, "no connection is left", func() bool { return n.Metrics().Value(metric.ActiveMqttConnections) == 0 })
		connect(t, addr, "fought for", mqtt.V5).ping()
		if got := n.Metrics().Value(metric.QueueProcesses); got != 1 {
			t.Errorf("%d sessions, want 1", got)
		}
	})
}

// slow connects a subscriber that never reads, with little room in its socket.
func slow(t *testing.T, addr, id, filter string, qos byte) *peer {
	s := connect(t, addr, id, mqtt.V311)
	_ = s.Conn.(*net.TCPConn).SetReadBuffer(4096)
	s.subscribe(filter, qos)
	return s
}

// TestSlowSubscriber: a subscriber that never reads costs its own queue. The publisher and a bystander go on.
func TestSlowSubscriber(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		for i := range 3 {
			slow(t, addr, fmt.Sprintf("slow%d", i), "flood", byte(i%2))
		}
		by, p := connect(t, addr, "bystander", mqtt.V311), connect(t, addr, "pub", mqtt.V311)
		by.subscribe("flood", 1)
		payload := bytes.Repeat([]byte("z"), 20_000)
		for i := range 2500 { // 50 MB: more than sockets hold
			p.publish("flood", payload, 1, uint16(i+1))
			p.want(mqtt.TypePuback)
			if _, got := by.message(); len(got) != len(payload) {
				t.Fatalf("the bystander received %d bytes", len(got))
			}
		}
		if dropped := n.Metrics().Value(metric.QueueMessageDrop); dropped == 0 {
			t.Error("nothing was dropped: where is what the slow subscribers did not read?")
		}
	})
}

// onShard finds names of clients whose sessions live on a shard.
func onShard(n *node.Node, shard, count int, prefix string) (ids []string) {
	for i := 0; len(ids) < count; i++ {
		if id := fmt.Sprintf("%s%d", prefix, i); n.ShardOf(id) == shard {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestFlood: a publisher writes as fast as it can, and its message costs the other shard much more than its own: many subscribers, most of whom
// do not read. The mailbox fills, the publisher waits and goes on; with no limit to the queues nothing is lost and the order is kept.
func TestFlood(t *testing.T) {
	for _, shards := range []int{2, 4} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			o := options(shards)
			o.MaxOnlineMessages = -1
			n, addr := start(t, o)
			const messages = 60_000
			for _, id := range onShard(n, 1, 80, "slow") {
				slow(t, addr, id, "flood", 0)
			}
			var wg sync.WaitGroup
			for _, id := range onShard(n, 1, 2, "reader") {
				s := connect(t, addr, id, mqtt.V311)
				s.subscribe("flood", 0)
				wg.Go(func() {
					for k := range messages {
						if _, payload := s.message(); binary.BigEndian.Uint32(payload) != uint32(k) {
							t.Errorf("%s: message %d is %d", id, k, binary.BigEndian.Uint32(payload))
							return
						}
					}
				})
			}
			p := connect(t, addr, onShard(n, 0, 1, "pub")[0], mqtt.V311)
			var b []byte
			for k := range messages {
				b = (&mqtt.Publish{Topic: []byte("flood"), Payload: binary.BigEndian.AppendUint32(nil, uint32(k))}).Append(b, p.v)
				if len(b) > 100_000 || k == messages-1 {
					p.send(b)
					b = b[:0]
				}
			}
			p.ping()
			wg.Wait()
		})
	}
}

// wantNoRoom: a new client is told that the broker has no room for it, and closed.
func wantNoRoom(t *testing.T, addr string, v mqtt.Version) {
	t.Helper()
	p := dial(t, addr)
	p.v = v
	p.send((&mqtt.Connect{Version: v, ClientID: []byte("over"), CleanStart: true}).Append(nil))
	want := byte(3)
	if v.Is5() {
		want = byte(mqtt.CodeQuotaExceeded)
	}
	if body := p.want(mqtt.TypeConnack); body[1] != want {
		t.Errorf("MQTT %d: CONNACK 0x%02X, want 0x%02X", v, body[1], want)
	}
	p.wantClosed()
}

// TestMaxConnections: one more is turned away, and let in when there is room.
func TestMaxConnections(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		o := options(shards)
		o.Listeners[0].MaxConnections = 3
		n, addr := start(t, o)
		var ps []*peer
		for i := range 3 {
			ps = append(ps, connect(t, addr, fmt.Sprint(i), mqtt.V311))
		}
		for i, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			wantNoRoom(t, addr, v)
			if got := n.Metrics().Value(metric.SocketRefused); got != uint64(i+1) {
				t.Errorf("%d connections refused, want %d", got, i+1)
			}
		}
		silent := make([]*peer, 100) // who says nothing takes no room of others, and there are bounds to that, too
		for i := range silent {
			silent[i] = dial(t, addr)
		}
		until(t, "all are counted as refused", func() bool { return n.Metrics().Value(metric.SocketRefused) == 103 })
		if open := n.Metrics().Value(metric.SocketOpen); open > 3+3+64 {
			t.Errorf("%d connections were opened, want 70 at most", open)
		}
		for _, p := range ps {
			p.ping()
		}
		_ = ps[1].Close()
		until(t, "the broker has noticed that one is gone", func() bool { return n.Metrics().Value(metric.ActiveMqttConnections) < 3 })
		connect(t, addr, "again", mqtt.V311).ping()
	})
}

// TestMoved: a connection that is moved to its session's shard takes along what it sent with its CONNECT, whatever its size.
func TestMoved(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		_, addr := start(t, options(shards))
		for i := range 24 {
			p := dial(t, addr)
			p.v = mqtt.V311
			b := (&mqtt.Connect{Version: p.v, ClientID: []byte(fmt.Sprintf("moved%d", i)), CleanStart: true}).Append(nil)
			sub := mqtt.Subscribe{PacketID: 1}
			sub.Add([]byte(fmt.Sprintf("moved/%d", i)), 1)
			b = sub.Append(b, p.v)
			payload := bytes.Repeat([]byte{byte(i)}, 1<<i%300_000)
			b = (&mqtt.Publish{Topic: []byte(fmt.Sprintf("moved/%d", i)), Payload: payload}).Append(b, p.v)
			p.send(b)
			p.want(mqtt.TypeConnack)
			p.want(mqtt.TypeSuback)
			if _, got := p.message(); !bytes.Equal(got, payload) {
				t.Fatalf("client %d received %d bytes, want %d", i, len(got), len(payload))
			}
		}
	})
}

// TestMountpoints: clients of two listeners with their own mountpoints do not see each other, though they have the same names.
func TestMountpoints(t *testing.T) {
	o := options(2)
	o.Listeners = append(o.Listeners, tcp("other", "127.0.0.1:0"))
	o.Listeners[1].Mountpoint = "other"
	n, addr := start(t, o)
	second := n.Listening()[1][2]
	a, b := connect(t, addr, "same", mqtt.V311), connect(t, second, "same", mqtt.V311)
	a.subscribe("#", 0)
	b.subscribe("#", 0)
	a.publish("x", []byte("for a"), 0, 0)
	b.publish("x", []byte("for b"), 0, 0)
	a.wantMessage("for a")
	b.wantMessage("for b")
	a.ping()
	b.ping()

	// Retained messages.
	m := mqtt.Publish{Topic: []byte("r"), Payload: []byte("kept for a"), Retain: true}
	a.send(m.Append(nil, a.v))
	a.wantMessage("kept for a")
	a.ping()
	b.subscribe("r", 0)
	b.ping()
	// Shared groups of the same name: each message goes to a member on its side, and to the group's queue there when that member is away.
	keep := func(c *mqtt.Connect) { c.CleanStart = false }
	ga, gb := connect(t, addr, "member", mqtt.V311, keep), connect(t, second, "member", mqtt.V311, keep)
	ga.subscribe("$share/g/s", 1)
	gb.subscribe("$share/g/s", 1)
	for _, x := range []struct {
		p       *peer
		payload string
	}{{a, "shared a 1"}, {b, "shared b 1"}, {a, "shared a 2"}, {b, "shared b 2"}} {
		x.p.publish("s", []byte(x.payload), 1, 1)
		x.p.wantMessage(x.payload) // of its subscription to #
		x.p.want(mqtt.TypePuback)
	}
	for i := range 2 {
		ga.wantMessage(fmt.Sprintf("shared a %d", i+1))
		gb.wantMessage(fmt.Sprintf("shared b %d", i+1))
	}
	ga.send((&mqtt.Disconnect{}).Append(nil, ga.v))
	ga.wantClosed()
	a.publish("s", []byte("waits for a"), 1, 1)
	a.wantMessage("waits for a")
	a.want(mqtt.TypePuback)
	gb.ping()
	// Sessions: one ends, the other lasts.
	connect(t, second, "member", mqtt.V311).ping()
	gb.wantClosed()
	ga = connect(t, addr, "member", mqtt.V311, keep)
	ga.wantMessage("waits for a")
}
