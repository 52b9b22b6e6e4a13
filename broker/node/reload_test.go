package node_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/config"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// reload puts a changed copy of o in force and returns it.
func reload(t *testing.T, n *node.Node, o *config.Options, change func(*config.Options)) (*config.Options, config.Changes) {
	t.Helper()
	next := *o
	next.Listeners = slices.Clone(o.Listeners)
	change(&next)
	changes, err := n.Reload(&next, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &next, changes
}

// freePort returns a port of this machine that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// accepts reports whether a client gets in.
func accepts(t *testing.T, addr string) bool {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	p := &peer{t: t, Conn: c, v: mqtt.V311}
	p.send((&mqtt.Connect{Version: mqtt.V311, ClientID: []byte("probe"), CleanStart: true}).Append(nil))
	var ack [4]byte
	n, _ := c.Read(ack[:])
	return n == 4 && ack[3] == 0
}

// Options that may change do so for the next client, the others stay, and each is named.
func TestReloadOptions(t *testing.T) {
	o := options(2)
	n, addr := start(t, o)
	_, changes := reload(t, n, o, func(o *config.Options) {
		o.AllowAnonymous, o.Shards, o.NodeName, o.MaxClientIDSize = false, 7, "other@host", 50
	})
	want := config.Changes{Live: []string{"allow_anonymous", "max_client_id_size"}, Restart: []string{"nodename", "shards"}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if accepts(t, addr) {
		t.Error("a client is let in after allow_anonymous = off")
	}
	if _, changes = reload(t, n, o, func(*config.Options) {}); len(changes.Live) != 2 || changes.Restart != nil {
		t.Errorf("the way back: %+v", changes)
	}
	if !accepts(t, addr) {
		t.Error("no client is let in after allow_anonymous = on")
	}
}

// What CONNACK has promised holds for the connection; a new one gets the new limits.
func TestReloadKeepsPromises(t *testing.T) {
	o := options(2)
	o.MaxMessageSize, o.TopicAliasMaxClient = 5000, 5
	n, addr := start(t, o)
	old := connect(t, addr, "old", mqtt.V5)
	reload(t, n, o, func(o *config.Options) { o.MaxMessageSize, o.TopicAliasMaxClient = 100, 0 })
	publish := func(size int) []byte {
		p := mqtt.Publish{Topic: []byte("a"), Payload: make([]byte, size), QoS: 1, PacketID: 1}
		p.Props.AddUint(mqtt.PropTopicAlias, 5)
		return p.Append(nil, mqtt.V5)
	}
	old.send(publish(3000))
	if typ, _ := old.next(); typ != mqtt.TypePuback {
		t.Errorf("a client that was promised 5000 bytes and 5 aliases got %v, want PUBACK", typ)
	}
	fresh := connect(t, addr, "fresh", mqtt.V5)
	fresh.send(publish(3000))
	if code := fresh.wantClosed(); code != mqtt.CodePacketTooLarge {
		t.Errorf("a client that was told 100 bytes got 0x%02X, want 0x95", byte(code))
	}
}

// Listeners come, go, move and are renamed; connections stay whatever becomes of theirs.
func TestReloadListeners(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		a, b, c := freePort(t), freePort(t), freePort(t)
		o := options(shards)
		o.Listeners = []config.Listener{tcp("one", "127.0.0.1:"+a), tcp("two", "127.0.0.1:"+b)}
		n, _ := start(t, o)
		stays := connect(t, "127.0.0.1:"+a, "stays", mqtt.V311)

		// One goes, one is new.
		o2, changes := reload(t, n, o, func(o *config.Options) {
			o.Listeners = []config.Listener{tcp("two", "127.0.0.1:"+b), tcp("three", "127.0.0.1:"+c)}
		})
		if diff := cmp.Diff(config.Changes{Live: []string{"listener.tcp.three", "listener.tcp.one"}}, changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		for port, want := range map[string]bool{a: false, b: true, c: true} {
			if accepts(t, "127.0.0.1:"+port) != want {
				t.Errorf("port %s accepts: %t, want %t", port, !want, want)
			}
		}
		stays.ping()
		until(t, "only the one connection counts", func() bool { return n.Connections() == 1 })

		// Two swap their addresses: their sockets stay, and what is set for them changes.
		o3, _ := reload(t, n, o2, func(o *config.Options) {
			o.Listeners = []config.Listener{tcp("two", "127.0.0.1:"+c), tcp("three", "127.0.0.1:"+b)}
			o.Listeners[0].Mountpoint = "m"
			o.Listeners[1].MaxConnections = 1
		})
		where := map[string]string{}
		for _, l := range n.Listening() {
			where[l[1]] = l[2]
		}
		if where["two"] != "127.0.0.1:"+c || where["three"] != "127.0.0.1:"+b {
			t.Errorf("after the swap: %v", where)
		}
		last := connect(t, "127.0.0.1:"+b, "last", mqtt.V311)
		if accepts(t, "127.0.0.1:"+b) {
			t.Error("more clients than max_connections = 1")
		}

		// From one address to all of them, and back, on the same port.
		o4, _ := reload(t, n, o3, func(o *config.Options) { o.Listeners = []config.Listener{tcp("three", "0.0.0.0:"+b)} })
		if !accepts(t, "127.0.0.1:"+b) || !accepts(t, "127.0.0.2:"+b) {
			t.Error("0.0.0.0 does not accept everywhere")
		}
		reload(t, n, o4, func(o *config.Options) { o.Listeners = []config.Listener{tcp("three", "127.0.0.2:"+b)} })
		if accepts(t, "127.0.0.1:"+b) || !accepts(t, "127.0.0.2:"+b) {
			t.Error("127.0.0.2 alone: accepts elsewhere, or not there")
		}
		last.ping()
		stays.ping()
	})
}

// If one thing cannot be had, nothing has changed: neither options nor listeners.
func TestReloadFails(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	o := options(2)
	n, addr := start(t, o)
	fresh := "127.0.0.1:" + freePort(t)
	bad := func(second string) *config.Options {
		next := *o
		next.AllowAnonymous = false
		next.Listeners = []config.Listener{tcp("fresh", fresh)}
		if second != "" {
			next.Listeners = append(next.Listeners, tcp("taken", second))
		}
		return &next
	}
	if _, err := n.Reload(bad(stranger.Addr().String()), nil); err == nil || !strings.Contains(err.Error(), "listener.tcp.taken") {
		t.Errorf("an address in use: %v", err)
	}
	refused := errors.New("disk full")
	if _, err := n.Reload(bad(""), func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("a commit that fails: %v", err)
	}
	if !accepts(t, addr) {
		t.Error("the old listener or the old option is gone")
	}
	if accepts(t, fresh) {
		t.Error("the new listener accepts")
	}
	if _, err := n.Reload(bad(""), nil); err != nil {
		t.Errorf("the address is not free any more: %v", err)
	}
}

// A reload in the middle of traffic loses nothing and cuts nobody.
func TestReloadUnderTraffic(t *testing.T) {
	t.Parallel()
	o := options(2)
	n, addr := start(t, o)
	sub := connect(t, addr, "sub", mqtt.V311)
	sub.subscribe("t", 1)
	pub := connect(t, addr, "pub", mqtt.V311)
	var done atomic.Bool
	var turns sync.WaitGroup
	turns.Go(func() {
		next := *o
		for i := 0; !done.Load(); i++ {
			next := next
			next.MaxOnlineMessages = 1000 + i%2
			next.Listeners = slices.Clone(o.Listeners)
			next.Listeners[0].MaxConnections = 100 + i%3
			if i%2 == 0 {
				next.Listeners = append(next.Listeners, tcp("extra", "127.0.0.1:0"))
			}
			if _, err := n.Reload(&next, nil); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 300 {
		pub.publish("t", fmt.Appendf(nil, "%d", i), 1, uint16(i+1))
		pub.want(mqtt.TypePuback)
		sub.wantMessage(fmt.Sprint(i))
	}
	done.Store(true)
	turns.Wait()
}

// A loop that stands still is seen, and the others are not taken for it; idle ones make progress when asked.
func TestHeartbeat(t *testing.T) {
	n, _ := start(t, options(3))
	heart := n.Heartbeat()
	until(t, "all loops are alive", func() bool { return len(heart.Beat()) == 0 })
	until(t, "idle loops stay alive", func() bool { return len(heart.Beat()) == 0 })
	release, blocked := make(chan struct{}), make(chan struct{})
	n.OnLoop(1, func() { close(blocked); <-release })
	<-blocked
	until(t, "only loop 1 stands still, for good", func() bool {
		heart.Beat()
		waitABit()
		return slices.Equal(heart.Beat(), []int{1})
	})
	close(release)
	until(t, "loop 1 goes on", func() bool { return len(heart.Beat()) == 0 })
}
