package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/exchange"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// waitingFor counts the deliveries in the store by client.
func (w *world) waitingFor() map[string]int {
	w.t.Helper()
	names, n := map[store.SessionKey]string{}, map[string]int{}
	err := w.mem.Load(store.Loader{
		Session:  func(r *store.Session) { names[r.Key] = r.ID.ClientID },
		Inbound:  func(store.Inbound) {},
		Message:  func(_ store.MessageRef, _ *msg.Message, r store.Recipient, _ store.AckKind) { n[names[r.Session]]++ },
		Retained: func(string, *msg.Message) {},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func subscribe(c *client, filter string, qos byte) {
	sub := mqtt.Subscribe{PacketID: 1}
	sub.Add([]byte(filter), mqtt.SubOptions(qos))
	c.send(sub.Append(nil, c.version))
	c.frames()
}

func unsubscribe(c *client, filter string) {
	u := mqtt.Unsubscribe{PacketID: 2}
	u.Add([]byte(filter))
	c.send(u.Append(nil, c.version))
	c.frames()
}

func (w *world) persistent(id string) *client {
	w.t.Helper()
	c, err := w.connect(id, &mqtt.Connect{Version: mqtt.V311, ClientID: []byte(id)})
	if err != nil {
		w.t.Fatal(err)
	}
	c.frames()
	return c
}

// elsewhere are names of clients that live on different shards, none on that of p.
func (w *world) elsewhere(n int, p string) (names []string) {
	used := map[int]bool{w.shardOf(p): true}
	for i := 0; len(names) < n; i++ {
		id := fmt.Sprintf("m%d", i)
		if at := w.shardOf(id); !used[at] {
			used[at] = true
			names = append(names, id)
		}
	}
	return names
}

// TestGroupMemberLeaves: a message is on its way to a member of a shared group that leaves the group; another one gets it, and is promised it: a
// broker that dies meanwhile delivers it again.
func TestGroupMemberLeaves(t *testing.T) {
	w := newWorld(t, 3, defaults())
	names := w.elsewhere(2, "p")
	p := w.persistent("p")
	members := map[string]*client{}
	for _, id := range names {
		members[id] = w.persistent(id)
		subscribe(members[id], "$share/g/t", 1)
	}
	w.slow = true
	p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("x")}).Append(nil, mqtt.V311))
	chosen, other := names[0], names[1]
	if w.waitingFor()[chosen] == 0 {
		chosen, other = other, chosen
	}
	unsubscribe(members[chosen], "$share/g/t")
	w.slow = false
	w.run()
	if n := w.waitingFor(); n[chosen] != 0 || n[other] != 1 {
		t.Errorf("waiting in the store: %v, want one for %s", n, other)
	}
	w.crash(2)
	back := w.persistentFrames(other)
	if len(back) != 2 {
		t.Fatalf("after a crash %s received %d packets, want CONNACK and the message", other, len(back))
	}
}

func (w *world) persistentFrames(id string) [][]byte {
	w.t.Helper()
	c, err := w.connect(id, &mqtt.Connect{Version: mqtt.V311, ClientID: []byte(id)})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.frames()
}

// TestFanOutInSteps: a fan-out that takes several turns, and subscribers that leave, lower their QoS or come between two of them: only who was there and
// still is gets it from the store.
func TestFanOutInSteps(t *testing.T) {
	for _, c := range [][2]int{{1, 9000}, {3, 9000}, {1, 1000}} {
		shards, crowd := c[0], c[1]
		t.Run(fmt.Sprintf("%d shards, %d subscribers", shards, crowd), func(t *testing.T) {
			w := newWorld(t, shards, defaults())
			p := w.persistent("p")
			var cs []*client
			for i := range crowd {
				c := w.persistent(fmt.Sprintf("s%d", i))
				subscribe(c, "t", 1)
				cs = append(cs, c)
			}
			p.in = (&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("x")}).Append(nil, mqtt.V311)
			p.loop.more = append(p.loop.more, p)
			p.loop.turn() // the first step here
			if n := len(w.waitingFor()); n != crowd {
				t.Fatalf("recorded for %d sessions", n)
			}
			change := func(c *client, b []byte) { // without letting the loops turn
				c.loop.begin()
				hd, _, _ := mqtt.ReadHeader(b, 0, c.version)
				if res, err := c.loop.home.Receive(c.s, hd, b); err != nil || res != exchange.Continue {
					t.Fatal(res, err)
				}
			}
			leave := mqtt.Unsubscribe{PacketID: 2}
			leave.Add([]byte("t"))
			lower := mqtt.Subscribe{PacketID: 3}
			lower.Add([]byte("t"), 0)
			for i, c := range cs {
				switch i % 10 {
				case 0:
					change(c, leave.Append(nil, c.version))
				case 1:
					change(c, lower.Append(nil, c.version))
				}
			}
			w.run()
			got := 0
			for i, c := range cs {
				for _, f := range c.frames() {
					if mqtt.Type(f[0]>>4) != mqtt.TypePublish {
						continue
					}
					got++
					if qos := f[0] >> 1 & 3; qos == 1 {
						c.send([]byte{0x40, 2, 0, 1})
					} else if i%10 != 1 {
						t.Errorf("client %d received it at QoS %d", i, qos)
					}
				}
			}
			if got < crowd*9/10 || got > crowd {
				t.Errorf("%d of %d received it", got, crowd)
			}
			if n := w.waitingFor(); len(n) != 0 {
				t.Errorf("it still waits for %d sessions", len(n))
			}
		})
	}
}
