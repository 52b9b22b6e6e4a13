package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

var ownPID = os.Getpid()

// peer is one side of a connection, as packets.
type peer struct {
	t *testing.T
	net.Conn
	buf []byte
}

func dialBroker(t *testing.T, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t: t, Conn: c}
}

func (p *peer) send(b []byte) {
	if _, err := p.Write(b); err != nil {
		p.t.Error(err)
	}
}

// next reads a packet.
func (p *peer) next() (h mqtt.Header, body []byte, err error) {
	for {
		h, ok, err := mqtt.ReadHeader(p.buf, 0, mqtt.V311)
		if err != nil {
			return h, nil, err
		}
		if n := h.Size + h.Body; ok && len(p.buf) >= n {
			body, p.buf = p.buf[h.Size:n:n], p.buf[n:]
			return h, body, nil
		}
		b := make([]byte, 64<<10)
		_ = p.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := p.Read(b)
		if p.buf = append(p.buf, b[:n]...); n == 0 {
			return h, nil, err
		}
	}
}

func (p *peer) want(typ mqtt.Type) {
	p.t.Helper()
	if h, body, err := p.next(); err != nil || h.Type != typ {
		p.t.Fatalf("%s % x, %v; want %s", h.Type, body, err, typ)
	}
}

// faulty is a broker with one subscriber, at QoS 0 or 1 of MQTT 3.1.1, that mishandles messages as it is told.
type faulty struct {
	t        *testing.T
	listener net.Listener
	refuse   mqtt.Code                                 // answer to CONNECT
	grant    mqtt.Code                                 // answer to SUBSCRIBE
	deliver  func(n int, frame []byte) [][]byte        // what becomes of message n, from 0
	publish  func(n int)                               // is told of it; may be nil
	answer   func(c net.Conn, t mqtt.Type) (done bool) // may do something else with a packet; may be nil
	mu       sync.Mutex
	sub      net.Conn
	count    int
	all      sync.WaitGroup
	conns    []net.Conn
}

func (b *faulty) start(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.t, b.listener = t, l
	b.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns = append(b.conns, c)
			b.mu.Unlock()
			b.all.Go(func() { b.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.mu.Lock()
		for _, c := range b.conns {
			c.Close()
		}
		b.mu.Unlock()
		b.all.Wait()
	})
	return l.Addr().String()
}

func (b *faulty) serve(c net.Conn) {
	defer c.Close()
	p := &peer{t: b.t, Conn: c}
	for {
		h, body, err := p.next()
		if err != nil || b.answer != nil && b.answer(c, h.Type) {
			return
		}
		var out []byte
		switch h.Type {
		case mqtt.TypeConnect:
			out = (&mqtt.Connack{Code: b.refuse}).Append(nil, mqtt.V311)
		case mqtt.TypeSubscribe:
			var s mqtt.Subscribe
			if err := s.Decode(body, mqtt.V311); err != nil {
				b.t.Error(err)
			}
			b.mu.Lock()
			b.sub = c
			b.mu.Unlock()
			out = (&mqtt.Suback{PacketID: s.PacketID, Codes: []mqtt.Code{b.grant}}).Append(nil, mqtt.V311)
		case mqtt.TypePublish:
			out = b.route(h, body)
		case mqtt.TypeDisconnect:
			return
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// route hands a message on and returns its acknowledgement.
func (b *faulty) route(h mqtt.Header, body []byte) (ack []byte) {
	var m mqtt.Publish
	if err := m.Decode(h.Flags, body, mqtt.V311); err != nil {
		b.t.Error(err)
		return nil
	}
	if m.QoS > 0 {
		ack = (&mqtt.Ack{Type: mqtt.TypePuback, PacketID: m.PacketID}).Append(nil, mqtt.V311)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, frame := range b.deliver(b.count, m.Append(nil, mqtt.V311)) {
		_, _ = b.sub.Write(frame)
	}
	b.count++
	if b.publish != nil {
		b.publish(b.count)
	}
	return ack
}

// What a broker does wrong is found and named, and what QoS 0 and 1 allow is not held against it.
func TestFaultsAreFound(t *testing.T) {
	var kept [][]byte
	honest := func(_ int, f []byte) [][]byte { return [][]byte{f} }
	drop := func(n int, f []byte) [][]byte {
		if n == 10 {
			return nil
		}
		return [][]byte{f}
	}
	twice := func(n int, f []byte) [][]byte {
		if n == 10 {
			return [][]byte{f, f}
		}
		return [][]byte{f}
	}
	swap := func(n int, f []byte) [][]byte {
		switch n {
		case 10:
			kept = [][]byte{f}
			return nil
		case 11:
			return append([][]byte{f}, kept...)
		}
		return [][]byte{f}
	}
	corrupt := func(n int, f []byte) [][]byte {
		if n == 10 {
			f[len(f)-1] ^= 1
		}
		return [][]byte{f}
	}
	for _, c := range []struct {
		name    string
		qos     int
		deliver func(int, []byte) [][]byte
		figure  string
		problem string
	}{
		{"honest", 0, honest, "", ""},
		{"honest", 1, honest, "", ""},
		{"drop", 0, drop, "lost", ""},
		{"drop", 1, drop, "lost", "1 messages were lost"},
		{"twice", 0, twice, "duplicated", "1 messages came twice"},
		{"twice", 1, twice, "duplicated", ""},
		{"swap", 0, swap, "reordered", "1 messages came out of order"},
		{"swap", 1, swap, "reordered", "1 messages came out of order"},
		{"corrupt", 0, corrupt, "corrupted", "1 messages were corrupted"},
	} {
		t.Run(fmt.Sprintf("%s/q%d", c.name, c.qos), func(t *testing.T) {
			b := &faulty{deliver: c.deliver, grant: mqtt.Code(c.qos)}
			cfg := small("pairs", b.start(t))
			cfg.Publishers, cfg.QoS, cfg.Warmup, cfg.Patience = 1, c.qos, 0, time.Second
			r, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"duplicated", "reordered", "corrupted"} {
				want := 0.0
				if name == c.figure {
					want = 1
				}
				if r.Figures[name] != want {
					t.Errorf("%s: %g, want %g", name, r.Figures[name], want)
				}
			}
			if lost := r.Figures["lost"] > 0; lost != (c.figure == "lost" || c.figure == "corrupted") {
				t.Errorf("lost: %g", r.Figures["lost"])
			}
			if got := strings.Join(r.Problems, "; "); !strings.Contains(got, c.problem) || (got == "") != (c.problem == "") {
				t.Errorf("problems %q, want %q", got, c.problem)
			}
		})
	}
}

// A broker that does not let clients in is an error, not a result.
func TestSetUpFails(t *testing.T) {

	for _, c := range []struct {
		name   string
		broker *faulty
		mode   string
		want   string
	}{
		{"connect", &faulty{refuse: mqtt.CodeNotAuthorized}, "pairs", "refused the connection"},
		{"connect, storm", &faulty{refuse: mqtt.CodeNotAuthorized}, "storm", "refused the connection"},
		{"subscribe", &faulty{grant: 0x80}, "pairs", "refused a subscription"},
		{"qos", &faulty{grant: 0}, "offline", "granted QoS 0 only"},
		{"no packet", &faulty{answer: func(c net.Conn, _ mqtt.Type) bool {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
			return true
		}}, "idle", "what is no packet"},
		{"silence", &faulty{answer: func(c net.Conn, typ mqtt.Type) bool { return typ == mqtt.TypeConnect }}, "idle", "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := small(c.mode, c.broker.start(t))
			cfg.Clients = 2
			if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, mode := range []string{"pairs", "storm"} {
		if _, err := Run(t.Context(), small(mode, l.Addr().String())); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s, nobody listens: %v", mode, err)
		}
	}
}

// An interrupted run tells what it has; one that had not begun says so.
func TestInterrupt(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		ctx, cancel := context.WithCancel(t.Context())
		b := &faulty{deliver: func(_ int, f []byte) [][]byte { return [][]byte{f} }, publish: func(n int) {
			if n == 20 {
				cancel()
			}
		}}
		cfg := small("pairs", b.start(t))
		cfg.Publishers, cfg.Duration, cfg.Warmup, cfg.Rate = 1, time.Hour, 0, rate
		r, err := Run(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Figures["delivered"] < 1 || len(r.Problems) > 0 {
			t.Errorf("rate %g: interrupted %v, %g delivered, %q", rate, r.Interrupted, r.Figures["delivered"], r.Problems)
		}
		if _, err := Run(ctx, cfg); !errors.Is(err, ErrInterrupted) {
			t.Errorf("rate %g: begun when it was over: %v", rate, err)
		}
		cancel()
	}
}

// A broker that stops answering ends the run with a problem, as does one that closes.
func TestBrokerFails(t *testing.T) {
	for name, want := range map[string]string{"silent": "stalled", "closes": "a connection was lost"} {
		var n atomic.Int64
		b := &faulty{deliver: func(_ int, f []byte) [][]byte { return [][]byte{f} }, grant: 1}
		b.answer = func(c net.Conn, typ mqtt.Type) bool {
			if typ != mqtt.TypePublish || n.Add(1) < 20 {
				return false
			}
			if name == "silent" {
				_, _, _ = (&peer{t: t, Conn: c}).next() // blocks while the client waits too
			}
			return true
		}
		cfg := small("pairs", b.start(t))
		cfg.Publishers, cfg.QoS, cfg.Warmup, cfg.Duration, cfg.Patience = 1, 1, 0, time.Hour, 100*time.Millisecond
		if name == "closes" {
			cfg.Duration = 2 * time.Second
		}
		r, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Problems, "; "); !strings.Contains(got, want) {
			t.Errorf("%s: problems %q", name, got)
		}
	}
}
