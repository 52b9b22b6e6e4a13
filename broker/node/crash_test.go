package node_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

var crashKills = flag.Int("crash.kills", 12, "how often TestCrash kills the broker")

const crashDir = "VERNEMQ_CRASH_DIR"

// crashChild is the broker that TestCrash kills: this test binary, started anew.
func crashChild(dir string) {
	o := options(2)
	o.MaxOfflineMessages, o.MaxOnlineMessages = -1, -1
	o.StoreDir, o.StoreDurability, o.StoreSegmentSize = filepath.Join(dir, "store"), "ack", 1<<20
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := node.Start(context.Background(), node.Params{Options: o, Log: log, AdminSocket: filepath.Join(dir, "run", "admin.sock")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening", n.Listening()[0][2])
	select {}
}

// TestCrash: publishers of QoS 1 and 2 and subscribers with persistent sessions, and a broker that is killed with SIGKILL at any moment, again
// and again. In the end every acknowledged message was delivered, at QoS 2 exactly once, in the order of its publisher; and the retained
// messages are the last ones that were published. The members of a shared group, whose connections break all the time, get each message together.
func TestCrash(t *testing.T) {
	c := &crash{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(7, uint64(*crashKills)))}
	for i := range 4 {
		c.clients = append(c.clients, &crashClient{c: c, id: fmt.Sprintf("pub%d", i), publishes: byte(1 + i%2), v: version(i / 2), open: map[uint16]string{}})
	}
	for i := range 3 {
		c.clients = append(c.clients, &crashClient{c: c, id: fmt.Sprintf("sub%d", i), v: version(i), filter: "c/#", open: map[uint16]string{}})
	}
	for i := range 3 {
		c.clients = append(c.clients, &crashClient{c: c, id: fmt.Sprintf("mem%d", i), v: version(i), filter: "$share/g/c/#", open: map[uint16]string{},
			breaks: rand.New(rand.NewPCG(8, uint64(i)))})
	}
	c.subscribe()
	for range *crashKills {
		c.round(time.Duration(20+c.rng.IntN(250)) * time.Millisecond)
	}
	c.finish()
}

func version(i int) mqtt.Version {
	if i%2 == 0 {
		return mqtt.V311
	}
	return mqtt.V5
}

type crash struct {
	t       *testing.T
	dir     string
	rng     *rand.Rand
	clients []*crashClient
	cmd     *exec.Cmd
	addr    string
	kills   int
}

// start starts the broker and waits until it listens.
func (c *crash) start() {
	c.cmd = exec.Command(os.Args[0], "-test.run=^$")
	c.cmd.Env = append(os.Environ(), crashDir+"="+c.dir)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = c.cmd.Process.Kill()
		c.t.Fatalf("after %d kills the broker does not start: %v %v", c.kills, err, c.cmd.Wait())
	}
	c.addr = strings.TrimSpace(strings.TrimPrefix(line, "listening "))
}

// kill ends the broker as a power switch does, but for the disk.
func (c *crash) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	c.kills++
}

// subscribe is the first life: it lasts until every subscriber has its SUBACK. From then on nothing acknowledged may be lost.
func (c *crash) subscribe() {
	c.start()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, p := range c.clients {
		if p.publishes == 0 {
			p.live(ctx)
			if !p.subscribed {
				c.t.Fatalf("%s: no SUBACK", p.id)
			}
		}
	}
	c.kill()
}

// round is one life of the broker. How long it lasts decides what it is killed in, nothing else.
func (c *crash) round(life time.Duration) {
	c.start()
	ctx, cancel := context.WithTimeout(context.Background(), life)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range c.clients {
		wg.Go(func() {
			for p.live(ctx); p.breaks != nil && ctx.Err() == nil; {
				p.live(ctx)
			}
		})
	}
	<-ctx.Done()
	c.kill()
	wg.Wait()
}

// finish lets everybody complete what was begun, and holds the outcome against what was acknowledged.
func (c *crash) finish() {
	c.start()
	defer c.kill()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // what gathered in all lives may be much
	defer cancel()
	for _, p := range c.clients {
		p.quiet = true
	}
	var wg sync.WaitGroup
	for _, p := range c.clients {
		wg.Go(func() { p.live(ctx) })
	}
	wg.Wait()
	c.checkRetained()
	acked, exactly := 0, 0
	check := func(id, m string, qos byte, n int) {
		switch {
		case n == 0:
			c.t.Errorf("%s: %q was acknowledged and never came", id, m)
		case qos == 2 && n > 1:
			c.t.Errorf("%s: %q came %d times", id, m, n)
		}
		acked++
		if qos == 2 {
			exactly++
		}
	}
	group := map[string]int{}
	for _, sub := range c.clients {
		if sub.breaks != nil {
			for _, m := range sub.got {
				group[m]++
			}
		}
		if sub.publishes != 0 || sub.breaks != nil {
			continue
		}
		times, last := map[string]int{}, map[string]string{}
		for _, m := range sub.got {
			times[m]++
			stream := m[:strings.LastIndexByte(m, ' ')]
			if times[m] == 1 {
				if last[stream] >= m {
					c.t.Errorf("%s: %q came after %q", sub.id, m, last[stream])
				}
				last[stream] = m
			}
		}
		for _, pub := range c.clients {
			for _, m := range pub.acked {
				check(sub.id, m, pub.publishes, times[m])
			}
		}
	}
	for _, pub := range c.clients {
		for _, m := range pub.acked {
			check("group", m, pub.publishes, group[m])
		}
	}
	c.t.Logf("%d kills, %d acknowledged deliveries checked, %d of them exactly once", c.kills, acked, exactly)
	if acked == 0 {
		c.t.Error("nothing was published")
	}
}

// crashClient is a client that keeps to the protocol across connections.
type crashClient struct {
	c         *crash
	id        string
	v         mqtt.Version
	publishes byte // QoS; 0: a subscriber
	filter    string
	breaks    *rand.Rand // its connections break after some packets
	quiet     bool       // no new messages: complete what is open

	seq   int
	next  uint16
	out   []*crashSending // what is not completed, eldest first
	acked []string
	kept  string // payload of the last retained message

	got        []string
	open       map[uint16]string // QoS 2: received, not released
	subscribed bool              // SUBACK came once
}

type crashSending struct {
	id       uint16
	topic    string
	payload  string
	retain   bool
	released bool
}

// live is one connection, until it breaks or, when all is quiet, until nothing came for a while.
func (p *crashClient) live(ctx context.Context) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.c.addr)
	if err != nil {
		return
	}
	defer conn.Close()
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	q := mqtt.Connect{Version: p.v, ClientID: []byte(p.id)}
	if p.v.Is5() {
		q.Props.AddUint(mqtt.PropSessionExpiry, 0xFFFFFFFF)
	}
	w := q.Append(nil)
	if p.publishes == 0 {
		var sub mqtt.Subscribe
		sub.PacketID = 1
		sub.Add([]byte(p.filter), 2)
		w = sub.Append(w, p.v)
	}
	if _, err := conn.Write(w); err != nil {
		return
	}
	r := bufio.NewReader(conn)
	packets := -1 // any number
	if p.breaks != nil && p.subscribed && !p.quiet {
		packets = 2 + p.breaks.IntN(300)
	}
	for ; packets != 0; packets-- {
		if p.quiet && p.publishes != 0 && len(p.out) == 0 {
			return
		}
		if p.quiet && p.publishes == 0 {
			_ = conn.SetReadDeadline(time.Now().Add(patience / 4)) // so long nothing has to come before all is taken to have come
		}
		first, body, err := readPacket(r)
		if err != nil {
			return
		}
		if mqtt.Type(first>>4) == mqtt.TypeSuback && !p.subscribed {
			p.subscribed = true
			return
		}
		w = p.packet(w[:0], first, body)
		if !p.quiet && p.publishes != 0 {
			w = p.publish(w)
		}
		if len(w) > 0 {
			if _, err := conn.Write(w); err != nil {
				return
			}
		}
	}
}

func readPacket(r *bufio.Reader) (first byte, body []byte, err error) {
	if first, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	for at := 0; at < len(body); {
		k, err := r.Read(body[at:])
		if err != nil {
			return 0, nil, err
		}
		at += k
	}
	return first, body, nil
}

func (p *crashClient) frame(w []byte, s *crashSending, dup bool) []byte {
	m := mqtt.Publish{Topic: []byte(s.topic), QoS: p.publishes, PacketID: s.id, Payload: []byte(s.payload), Dup: dup, Retain: s.retain}
	return m.Append(w, p.v)
}

// publish keeps some messages under way.
func (p *crashClient) publish(w []byte) []byte {
	for len(p.out) < 16 {
		p.seq++
		p.next = p.next%100 + 1
		s := &crashSending{id: p.next, topic: "c/" + p.id, payload: fmt.Sprintf("%s qos%d %06d", p.id, p.publishes, p.seq)}
		if p.seq%8 == 0 {
			s.topic, s.retain, p.kept = "r/"+p.id, true, s.payload
		}
		p.out = append(p.out, s)
		w = p.frame(w, s, false)
	}
	return w
}

func (p *crashClient) packet(w []byte, first byte, body []byte) []byte {
	ack := func(t mqtt.Type, id uint16) { w = (&mqtt.Ack{Type: t, PacketID: id}).Append(w, p.v) }
	switch t := mqtt.Type(first >> 4); t {
	case mqtt.TypeConnack:
		if len(body) < 2 || body[1] != 0 {
			p.c.t.Errorf("%s: CONNACK % x", p.id, body)
		}
		for _, s := range p.out {
			if s.released {
				ack(mqtt.TypePubrel, s.id)
			} else {
				w = p.frame(w, s, true)
			}
		}
	case mqtt.TypePublish:
		var m mqtt.Publish
		if err := m.Decode(first&15, body, p.v); err != nil {
			p.c.t.Errorf("%s: %v", p.id, err)
			return w
		}
		payload := string(m.Payload)
		if m.QoS == 1 {
			p.got = append(p.got, payload)
			ack(mqtt.TypePuback, m.PacketID)
			return w
		}
		if other, ok := p.open[m.PacketID]; !ok {
			p.got = append(p.got, payload)
			p.open[m.PacketID] = payload
		} else if other != payload {
			p.c.t.Errorf("%s: identifier %d of %q is used for %q before its release", p.id, m.PacketID, other, payload)
		}
		ack(mqtt.TypePubrec, m.PacketID)
	case mqtt.TypePubrel:
		id := binary.BigEndian.Uint16(body)
		delete(p.open, id)
		ack(mqtt.TypePubcomp, id)
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubcomp:
		id := binary.BigEndian.Uint16(body)
		if len(body) > 2 && body[2] >= 0x80 && t != mqtt.TypePubcomp { // after a crash the release may be known already: 0x92
			p.c.t.Errorf("%s: %s with reason code %#x", p.id, t, body[2])
		}
		for i, s := range p.out {
			if s.id != id {
				continue
			}
			if t == mqtt.TypePubrec {
				if !s.released {
					s.released = true
					p.acknowledged(s)
				}
				ack(mqtt.TypePubrel, id)
				break
			}
			if t == mqtt.TypePuback {
				p.acknowledged(s)
			}
			p.out = append(p.out[:i:i], p.out[i+1:]...)
			break
		}
	}
	return w
}

// acknowledged: from now on the message has to reach every subscriber of c/#.
func (p *crashClient) acknowledged(s *crashSending) {
	if !s.retain {
		p.acked = append(p.acked, s.payload)
	}
}

// checkRetained: all publishes are completed, so the last retained one of each publisher is the retained message.
func (c *crash) checkRetained() {
	s := connect(c.t, c.addr, "retained", mqtt.V311)
	var sub mqtt.Subscribe
	sub.PacketID = 1
	sub.Add([]byte("r/#"), 0)
	s.send(sub.Append(nil, mqtt.V311))
	s.want(mqtt.TypeSuback)
	got := map[string]string{}
	want := map[string]string{}
	for _, p := range c.clients {
		if p.kept != "" {
			want["r/"+p.id] = p.kept
		}
	}
	for range want {
		topic, payload := s.message()
		got[topic] = string(payload)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("retained messages (-want +got):\n%s", diff)
	}
	_ = s.Close()
}
