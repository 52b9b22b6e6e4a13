package exchange_test

import (
	"hash/fnv"
	"net/netip"
	"testing"
	"time"

	"vernemq/broker/config"
	"vernemq/broker/exchange"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/trie"
	"vernemq/broker/wheel"
)

// world is a broker without sockets, clocks and goroutines: the homes of all shards on in-memory loops, driven one turn after the other.
type world struct {
	t       testing.TB
	x       *exchange.Exchange
	live    *config.Live
	metrics *metric.Registry
	mem     *store.Memory
	loops   []*loop
	conns   []*client
	now     int64
	away    int64 // seconds that pass while the broker is down
	slow    bool  // mail between loops is on its way and does not arrive
}

// loop is the second implementation of exchange.Loop: mail is delivered in order, in the receiving loop's next turn.
type loop struct {
	w    *world
	id   int
	home *exchange.Home
	mail []letter
	post []func()
	more []*client // may have input to take
}

type letter struct {
	m    *msg.Message
	l    *trie.Leaf
	g    *trie.Group
	slot uint32
	o    *exchange.Owed
}

// client is one connection, seen from its far end.
type client struct {
	w       *world
	name    string
	version mqtt.Version
	loop    *loop
	out     session.Output
	s       *session.Session // nil once the connection ended
	in      []byte           // sent by the client, not yet taken by the broker
	got     []byte           // sent by the broker, not yet looked at
	parked  bool
	stuck   bool // the client does not read: the socket takes nothing
	closed  bool
	told    bool // closed was reported
}

func defaults() *config.Options {
	return &config.Options{NodeName: "test", AllowAnonymous: true, MaxClientIDSize: 100, TopicMaxDepth: 10, RetryInterval: 20 * time.Second, MaxInflight: 20,
		MaxLastWillDelay: -1, ReceiveMaxClient: 65535, ReceiveMaxBroker: 65535, MaxOnlineMessages: 1000, MaxOfflineMessages: 1000, QueueType: "fifo",
		SharedPolicy: "round_robin"}
}

func newWorld(t testing.TB, shards int, o *config.Options, providers ...hook.Provider) *world {
	w := &world{t: t, live: config.NewLive(o), metrics: metric.NewRegistry(shards), mem: store.NewMemory(), now: 1000e9}
	w.x = exchange.New(shards, w.live, w.mem, hook.NewChains(providers...), w.metrics)
	w.makeLoops(shards)
	return w
}

func (w *world) makeLoops(shards int) {
	for i := range shards {
		l := &loop{w: w, id: i}
		l.home = exchange.NewHome(w.x, i, l, w.now)
		l.home.Seed(uint64(i))
		l.home.T.Sink.Flush = w.flush
		l.home.T.Sink.Ready = l.Resume
		l.home.T.Read = func(refs []store.MessageRef, done func([]*msg.Message)) { // in order with everything else
			ms := w.mem.Messages(refs)
			l.Post(func() { done(ms) })
		}
		w.mem.Notify(l)
		w.loops = append(w.loops, l)
	}
}

func (l *loop) Mail(shard int, m *msg.Message, leaf *trie.Leaf, o *exchange.Owed) {
	l.send(shard, letter{m: m, l: leaf, o: o})
}

func (l *loop) MailMember(shard int, m *msg.Message, leaf *trie.Leaf, g *trie.Group, slot uint32, o *exchange.Owed) {
	l.send(shard, letter{m: m, l: leaf, g: g, slot: slot, o: o})
}

func (l *loop) send(shard int, x letter) {
	x.m = x.m.Own()
	to := l.w.loops[shard]
	to.mail = append(to.mail, x)
}

func (l *loop) Kick(o *session.Output) {
	c := l.w.conns[o.Handle]
	if o.Held {
		l.w.t.Errorf("%s is closed with its output still held: a shard would wait in vain for it to empty", c.name)
	}
	c.s, c.closed = nil, true
	l.w.flush(o)
}

func (l *loop) Resume(o *session.Output) {
	c := l.w.conns[o.Handle]
	c.parked = false
	l.more = append(l.more, c)
	if c.s != nil && c.s.Waits() {
		l.home.Pump(c.s)
	}
}

func (l *loop) Post(f func()) { l.post = append(l.post, f) }

// Durable implements store.Completer.
func (l *loop) Durable(upTo store.Ticket, _ error) {
	l.Post(func() { l.home.T.Committed(upTo) })
}

// flush is the socket: it takes everything, or nothing while the client is stuck.
func (w *world) flush(o *session.Output) {
	c := w.conns[o.Handle]
	if o.Held && len(o.Buf) > 0 && !c.closed {
		w.t.Errorf("%s: %d bytes written while the CONNACK is held", c.name, len(o.Buf))
	}
	if c.stuck {
		o.Blocked = true
		c.loop.home.T.Sink.Account(o)
		return
	}
	c.got = append(c.got, o.Buf[o.Sent:]...)
	c.loop.home.T.Sink.Release(o)
}

// run turns the loops until nothing is left to do.
func (w *world) run() {
	for again := true; again; {
		again = false
		for _, l := range w.loops {
			if l.turn() {
				again = true
			}
		}
	}
}

func (l *loop) turn() (busy bool) {
	h := l.home
	l.begin()
	for i := 0; !l.w.slow && i < len(l.mail) && !h.Busy(); i++ {
		busy = true
		m := l.mail[i]
		l.mail[i].m = nil
		if m.g != nil {
			h.DeliverMember(m.m, m.l, m.g, m.slot, m.o)
		} else {
			h.Deliver(m.m, m.l, m.o)
		}
		if h.Busy() || i == len(l.mail)-1 {
			l.mail = append([]letter(nil), l.mail[i+1:]...)
			break
		}
	}
	for len(l.post) > 0 {
		f := l.post[0]
		l.post = l.post[1:]
		f()
		busy = true
	}
	for len(l.more) > 0 {
		c := l.more[0]
		l.more = l.more[1:]
		if c.s != nil && !c.parked && len(c.in) > 0 {
			c.take()
			busy = true
		}
	}
	h.T.Wheel.Advance(h.T.Now, 1<<20, l.timer)
	busy = h.Work() || busy
	busy = h.PumpReady() || busy
	for i := 0; i < len(h.T.Sink.Dirty); i++ {
		o := h.T.Sink.Dirty[i]
		o.Dirty = false
		if !o.Held {
			l.w.flush(o)
		}
	}
	h.T.Sink.Dirty = h.T.Sink.Dirty[:0]
	return busy || !l.w.slow && len(l.mail) > 0 || len(l.post) > 0 || len(l.more) > 0
}

// begin is the start of a turn.
func (l *loop) begin() {
	l.home.T.Now, l.home.T.Wall = l.w.now, 1_700_000_000+l.w.now/1e9
	l.home.Refresh()
}

// advance lets time pass.
func (w *world) advance(d time.Duration) {
	step := max(50*time.Millisecond, d/2000)
	for end := w.now + int64(d); w.now < end; {
		w.now = min(w.now+int64(step), end)
		w.run()
	}
	w.now += int64(50 * time.Millisecond) // timers are up to one tick late
	w.run()
}

// shardOf spreads clients over the shards by their identifier.
func (w *world) shardOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % uint32(len(w.loops)))
}

// connect opens a connection and registers the client, or refuses it. It goes over the wire: the CONNECT is encoded and decoded.
func (w *world) connect(name string, p *mqtt.Connect) (*client, error) {
	frame := p.Append(nil)
	hd, _, err := mqtt.ReadHeader(frame, 0, 0)
	if err != nil {
		w.t.Fatalf("CONNECT of %s: %v", name, err)
	}
	var q mqtt.Connect
	if err := q.Decode(frame[hd.Size:]); err != nil {
		w.t.Fatalf("CONNECT of %s: %v", name, err)
	}
	rules := exchange.Rules{Listener: "test", Versions: []int{3, 4, 5, 131, 132}}
	cc, err := w.x.Check(&q, &rules, netip.MustParseAddrPort("192.0.2.1:1000"))
	clear(frame) // the connection's buffer is used again
	if err != nil {
		return nil, err
	}
	c := &client{w: w, name: name, version: p.Version, loop: w.loops[w.shardOf(cc.ID.ClientID)]}
	c.out.Handle = uint32(len(w.conns))
	w.conns = append(w.conns, c)
	if step, err := w.x.Authenticate(cc, &rules, func(exchange.Step, error) {}); err != nil || step != exchange.Decided {
		c.closed = true
		return nil, err
	}
	c.loop.begin()
	s, held, err := c.loop.home.Connect(cc, &c.out)
	if err != nil {
		return nil, err
	}
	c.s, c.parked = s, held
	if !held && s.Waits() {
		c.loop.home.Pump(s)
	}
	w.run()
	return c, nil
}

// send gives the broker bytes of the client.
func (c *client) send(b []byte) {
	if c.s != nil {
		c.in = append(c.in, b...)
		c.loop.more = append(c.loop.more, c)
	}
	c.w.run()
}

// take handles what the client sent, as a shard does.
func (c *client) take() {
	h := c.loop.home
	for c.s != nil && !c.parked && len(c.in) > 0 {
		hd, ok, err := mqtt.ReadHeader(c.in, h.T.Opts.MaxMessageSize, c.version)
		if err == nil && (!ok || len(c.in) < hd.Size+hd.Body) {
			return
		}
		var res exchange.Result
		if err == nil {
			frame := append([]byte(nil), c.in[:hd.Size+hd.Body]...)
			c.in = c.in[hd.Size+hd.Body:]
			res, err = h.Receive(c.s, hd, frame)
			clear(frame) // the read buffer is used again: what was kept must have been copied
		}
		switch {
		case err != nil:
			h.Fail(c.s, err)
			l := c.loop
			l.Kick(&c.out)
		case res == exchange.Park:
			c.parked = true
		case res == exchange.Close:
			c.loop.Kick(&c.out)
		}
	}
}

// lose cuts the connection without a word.
func (c *client) lose() {
	if c.s != nil {
		c.loop.begin()
		s := c.s
		c.s = nil
		c.loop.home.Closed(s, false)
	}
	c.closed, c.told, c.got, c.in = true, true, nil, nil
	c.w.run()
}

// read lets a stuck client read on.
func (c *client) read() {
	c.stuck = false
	c.loop.begin()
	if c.out.Blocked {
		c.out.Blocked = false
		c.w.flush(&c.out)
		if c.s != nil && c.s.Waits() {
			c.loop.home.Pump(c.s)
		}
	}
	c.w.run()
}

// frames cuts what the client received into packets and forgets it.
func (c *client) frames() (out [][]byte) {
	b := c.got
	for len(b) > 0 {
		hd, ok, err := mqtt.ReadHeader(b, 0, c.version)
		if err != nil || !ok || len(b) < hd.Size+hd.Body {
			c.w.t.Fatalf("%s received what is no packet: % x (%v)", c.name, b, err)
		}
		out = append(out, b[:hd.Size+hd.Body])
		b = b[hd.Size+hd.Body:]
	}
	c.got = nil
	return out
}

func (l *loop) timer(t *wheel.Timer) { l.home.Timer(t) }
