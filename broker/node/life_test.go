package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/node"
	"vernemq/broker/store"
)

// TestStop: clients are told, wills are published and stored for those who will come back, listeners are closed.
func TestStop(t *testing.T) {
	t.Parallel() // it waits more than it works
	eachShards(t, func(t *testing.T, shards int) {
		o := options(shards)
		st := store.NewMemory()
		n, err := node.Start(t.Context(), node.Params{Options: o, Store: st})
		if err != nil {
			t.Fatal(err)
		}
		addr := n.Listening()[0][2]
		var five, three []*peer
		for i := range 20 {
			five = append(five, connect(t, addr, fmt.Sprintf("five%d", i), mqtt.V5, func(c *mqtt.Connect) {
				c.HasWill, c.Will.Topic, c.Will.Payload, c.Will.Retain, c.Will.QoS = true, fmt.Appendf(nil, "will/%d", i), []byte("gone"), true, 1
			}))
			three = append(three, connect(t, addr, fmt.Sprintf("three%d", i), mqtt.V311))
		}
		silent := dial(t, addr)
		stop(t, n)
		for _, p := range five {
			if code := p.wantClosed(); code != mqtt.CodeServerShuttingDown {
				t.Errorf("DISCONNECT with 0x%02X, want 0x8B", byte(code))
			}
		}
		for _, p := range three {
			p.wantClosed()
		}
		silent.wantClosed()
		wills := 0
		if err := st.Load(store.Loader{Session: func(*store.Session) {}, Retained: func(string, *msg.Message) { wills++ }}); err != nil {
			t.Fatal(err)
		}
		if wills != len(five) {
			t.Errorf("%d wills were published, want %d", wills, len(five))
		}
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Error("the listener still accepts")
		}
	})
}

// TestStopTwice: to stop a broker again, or from two sides at once, is to wait for its end, and to be told how that was.
func TestStopTwice(t *testing.T) {
	n, err := node.Start(t.Context(), node.Params{Options: options(2)})
	if err != nil {
		t.Fatal(err)
	}
	connect(t, n.Listening()[0][2], "stays", mqtt.V311)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	told := make(chan error)
	for range 2 {
		go func() { told <- n.Stop(ctx) }()
	}
	for _, err := range []error{<-told, <-told, n.Stop(context.Background())} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Stop: %v, want that the time was over", err)
		}
	}
}

// TestStopDeadline: a client that neither reads nor goes is cut when the time is over.
func TestStopDeadline(t *testing.T) {
	n, err := node.Start(t.Context(), node.Params{Options: options(2)})
	if err != nil {
		t.Fatal(err)
	}
	p := connect(t, n.Listening()[0][2], "stays", mqtt.V311)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v, want that the time was over", err)
	}
	p.wantClosed()
}

// TestTwoNodes: two brokers in one process know nothing of each other.
func TestTwoNodes(t *testing.T) {
	t.Parallel() // it waits more than it works
	_, first := start(t, options(2))
	n, err := node.Start(t.Context(), node.Params{Options: options(2)})
	if err != nil {
		t.Fatal(err)
	}
	second := n.Listening()[0][2]
	a, b := connect(t, first, "same", mqtt.V311), connect(t, second, "same", mqtt.V311)
	a.subscribe("#", 0)
	b.subscribe("#", 0)
	b.publish("x", []byte("second"), 0, 0)
	b.wantMessage("second")
	a.publish("x", []byte("first"), 0, 0)
	a.wantMessage("first")
	stop(t, n)
	b.wantClosed()
	a.ping()
}

// TestPortInUse: a second broker on a port is refused, though both set SO_REUSEPORT; nothing of it is left over.
func TestPortInUse(t *testing.T) {
	_, addr := start(t, options(2))
	o := options(2)
	o.Listeners = append(o.Listeners, tcp("taken", addr))
	if _, err := node.Start(t.Context(), node.Params{Options: o}); !errors.Is(err, unix.EADDRINUSE) {
		t.Fatalf("Start on %s: %v, want EADDRINUSE", addr, err)
	}
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	o.Listeners = o.Listeners[:1]
	o.Listeners[0].Address = foreign.Addr().String()
	if _, err := node.Start(t.Context(), node.Params{Options: o}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("Start on a port of another program: %v, want EADDRINUSE", err)
	}
	connect(t, addr, "x", mqtt.V311).ping()
}

// TestUnixSocket: a listener on a unix socket; a stale file is replaced, a living one and a file that is no socket are not.
func TestUnixSocket(t *testing.T) {
	t.Parallel() // it waits more than it works
	path := filepath.Join(t.TempDir(), "mqtt.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	o := options(2)
	o.Listeners[0].Address = "unix:" + path
	n, err := node.Start(t.Context(), node.Params{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	addr := n.Listening()[0][2]
	s, p := connect(t, addr, "s", mqtt.V5), connect(t, addr, "p", mqtt.V311)
	s.subscribe("u", 1)
	p.publish("u", []byte("over a unix socket"), 1, 1)
	s.wantMessage("over a unix socket")
	if _, err := node.Start(t.Context(), node.Params{Options: o}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("Start on a socket that is served: %v, want EADDRINUSE", err)
	}
	stop(t, n)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's file is still there: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Start(t.Context(), node.Params{Options: o}); err == nil {
		t.Error("a file that is no socket was replaced")
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file holds %q (%v)", b, err)
	}
}

// TestIPv6: addresses of both families, and one listener for both.
func TestIPv6(t *testing.T) {
	o := options(2)
	o.Listeners = append(o.Listeners, tcp("six", "[::1]:0"), tcp("both", "[::]:0"))
	n, four := start(t, o)
	_, port, err := net.SplitHostPort(n.Listening()[2][2])
	if err != nil {
		t.Fatal(err)
	}
	s := connect(t, four, "s", mqtt.V311)
	s.subscribe("six", 0)
	for i, addr := range []string{n.Listening()[1][2], "[::1]:" + port, "127.0.0.1:" + port} {
		p := connect(t, addr, fmt.Sprint(i), mqtt.V311)
		p.publish("six", []byte(addr), 0, 0)
		s.wantMessage(addr)
	}
}

// TestBadListener: an address that cannot be had says which listener it is.
func TestBadListener(t *testing.T) {
	o := options(1)
	o.Listeners = append(o.Listeners, tcp("far", "192.0.2.1:1883"))
	_, err := node.Start(t.Context(), node.Params{Options: o})
	if !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Fatalf("Start: %v, want EADDRNOTAVAIL", err)
	}
	if want := "listener.tcp.far = 192.0.2.1:1883"; len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("Start: %q, want the listener's name first", err)
	}
}
