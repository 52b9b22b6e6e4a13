package node_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"vernemq/broker/mqtt"
	"vernemq/broker/node"
	"vernemq/broker/store"
)

// TestChurnLeavesNothing: subscribers on all shards that come, go and change their QoS while messages are on their way to them: once everybody has
// answered what he got, nothing waits in the store.
func TestChurnLeavesNothing(t *testing.T) {
	st, err := store.Open(store.Config{Dir: t.TempDir(), Durability: store.DurableInterval})
	if err != nil {
		t.Fatal(err)
	}
	o := options(3)
	o.MaxOnlineMessages = -1
	n, err := node.Start(t.Context(), node.Params{Options: o, Store: st})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	addr := n.Listening()[0][2]
	var wg sync.WaitGroup
	over := make(chan struct{})
	for i := range 6 {
		c := &fickle{peer: connect(t, addr, fmt.Sprint("s", i), mqtt.V311, persist), rng: rand.New(rand.NewPCG(3, uint64(i)))}
		go c.answer()
		wg.Go(func() { c.changeMind(over) })
	}
	var pubs sync.WaitGroup
	for i := range 3 {
		p := connect(t, addr, fmt.Sprint("p", i), mqtt.V311)
		pubs.Go(func() {
			for k := range 3000 {
				topic := []byte([]string{"a", "a/b"}[k%2])
				_, err := p.Write((&mqtt.Publish{Topic: topic, QoS: 1, PacketID: uint16(k + 1), Payload: []byte("x")}).Append(nil, mqtt.V311))
				if err == nil && k%50 == 49 {
					err = p.readAcks(50)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	pubs.Wait()
	close(over)
	wg.Wait()
	until(t, "nothing waits in the store", func() bool { return st.Stats().Waiting == 0 })
	if x := st.Stats(); x.Messages == 0 {
		t.Error("nothing was stored")
	}
}

func (p *peer) readAcks(n int) error {
	for range n {
		if _, err := p.frame(); err != nil {
			return err
		}
	}
	return nil
}

// fickle is a subscriber that changes its mind and answers what it gets.
type fickle struct {
	*peer
	mu  sync.Mutex // for writes
	rng *rand.Rand
}

func (c *fickle) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.Write(b) // the end of the test closes it
}

func (c *fickle) changeMind(over <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for id := uint16(1); ; id++ {
		filter := []byte([]string{"a", "a/b", "a/#", "$share/g/a", "$share/g/a/b"}[c.rng.IntN(5)])
		if c.rng.IntN(2) == 0 {
			s := mqtt.Subscribe{PacketID: id%1000 + 1}
			s.Add(filter, mqtt.SubOptions(c.rng.IntN(2)))
			c.write(s.Append(nil, c.v))
		} else {
			u := mqtt.Unsubscribe{PacketID: id%1000 + 1}
			u.Add(filter)
			c.write(u.Append(nil, c.v))
		}
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

func (c *fickle) answer() {
	r := bufio.NewReader(c.Conn)
	for {
		first, body, err := readPacket(r)
		if err != nil {
			return
		}
		if mqtt.Type(first>>4) == mqtt.TypePublish && first>>1&3 == 1 {
			at := 2 + int(binary.BigEndian.Uint16(body))
			c.write([]byte{0x40, 2, body[at], body[at+1]})
		}
	}
}
