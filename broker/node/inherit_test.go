package node_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
	"vernemq/broker/listener"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// handed makes n listening sockets on one address, as a process before this one may have left them behind.
func handed(t *testing.T, n int, shared bool, addr string) (fds []int, got string) {
	t.Helper()
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		if shared {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
				t.Fatal(err)
			}
		}
		a, err := net.ResolveTCPAddr("tcp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}); err != nil {
			t.Fatal(err)
		}
		if err := unix.Listen(fd, 64); err != nil {
			t.Fatal(err)
		}
		name, err := unix.Getsockname(fd)
		if err != nil {
			t.Fatal(err)
		}
		addr = fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
		fds = append(fds, fd)
	}
	return fds, addr
}

// keeper remembers what it is asked to keep.
type keeper struct {
	mu    sync.Mutex
	calls []string
	kept  bool
}

func (k *keeper) note(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, fmt.Sprintf(format, args...))
}
func (k *keeper) Keep(name string, fds []int) { k.note("keep %s %d", name, len(fds)) }
func (k *keeper) Forget(name string)          { k.note("forget %s", name) }
func (k *keeper) Keeps() bool                 { return k.kept }

// Sockets that were handed over serve, every one of them, whatever the number of event loops: a client that waits in any of the queues gets in.
func TestInherit(t *testing.T) {
	for _, c := range []struct {
		sockets, shards int
		shared          bool
		name            string
		keeps           int // how many are kept for the next one
	}{
		{1, 3, false, "mqtt", 0}, // of a socket unit: one for all loops, and the manager keeps it anyway
		{1, 1, false, "mqtt", 0},
		{5, 2, true, "listener.tcp.default", 5}, // of a predecessor with more loops
		{2, 4, true, "listener.tcp.default", 4}, // and with fewer
		{3, 3, true, "listener.tcp.default", 3},
	} {
		t.Run(fmt.Sprintf("%d for %d loops, shared %t", c.sockets, c.shards, c.shared), func(t *testing.T) {
			fds, addr := handed(t, c.sockets, c.shared, "127.0.0.1:0")
			var waiting []*peer // as many that each socket has some of them
			for range 16 * c.sockets {
				waiting = append(waiting, dial(t, addr))
			}
			o := options(c.shards)
			o.Listeners = []config.Listener{tcp("default", addr)}
			var given []listener.Inherited
			for _, fd := range fds {
				given = append(given, listener.Inherited{FD: fd, Name: c.name})
			}
			k := &keeper{}
			n, err := node.Start(t.Context(), node.Params{Options: o, Inherited: given, Keeper: k})
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, n)
			for i, p := range waiting {
				p.v = mqtt.V311
				p.send((&mqtt.Connect{Version: mqtt.V311, ClientID: fmt.Appendf(nil, "c%d", i), CleanStart: true}).Append(nil))
				p.want(mqtt.TypeConnack)
				_ = p.Close()
			}
			var want []string
			if c.keeps > 0 {
				want = []string{fmt.Sprintf("keep listener.tcp.default %d", c.keeps)}
			}
			if !slices.Equal(k.calls, want) {
				t.Errorf("kept: %q, want %q", k.calls, want)
			}
		})
	}
}

// What no listener wants is closed, with a line in the log; a port that the system chose is kept by the listener's name.
func TestInheritStale(t *testing.T) {
	stale, gone := handed(t, 1, true, "127.0.0.1:0")
	chosen, addr := handed(t, 2, true, "127.0.0.1:0")
	twice, err := unix.FcntlInt(uintptr(chosen[0]), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	pipe := make([]int, 2)
	if err := unix.Pipe2(pipe, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	path := filepath.Join(t.TempDir(), "s")
	un, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(un, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(un, 8); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := options(3)
	o.Listeners = []config.Listener{tcp("any", "127.0.0.1:0"), tcp("file", "unix:"+path)}
	k := &keeper{}
	n, err := node.Start(t.Context(), node.Params{Options: o, Keeper: k, Log: slog.New(slog.NewTextHandler(&log, nil)), Inherited: []listener.Inherited{
		{FD: stale[0], Name: "listener.tcp.old"}, {FD: chosen[0], Name: "listener.tcp.any"}, {FD: chosen[1], Name: "listener.tcp.any"},
		{FD: twice, Name: "listener.tcp.any"}, {FD: pipe[1], Name: "stored"}, {FD: un, Name: "listener.tcp.file"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", gone); err == nil {
		c.Close()
		t.Error("the stale socket is still open")
	}
	if got := n.Listening()[0][2]; got != addr {
		t.Errorf("the listener without a port of its own is on %s, want %s as before", got, addr)
	}
	_ = connect(t, addr, "a", mqtt.V311).Close()
	_ = connect(t, "unix:"+path, "b", mqtt.V311).Close()
	stop(t, n)
	for _, want := range []string{"name=listener.tcp.old address=" + gone + ` reason="no listener has this address"`, "name=stored", "not a socket"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	for _, want := range []string{"forget listener.tcp.old", "keep listener.tcp.any 3", "keep listener.tcp.file 1"} {
		if !slices.Contains(k.calls, want) {
			t.Errorf("the keeper was not asked to %q: %q", want, k.calls)
		}
	}
}

// A listener that goes is not kept any more, a renamed one is kept under its new name, one that moved to another address with its new sockets, and a
// broker whose sockets are kept leaves what waits in their queues to its successor.
func TestKeep(t *testing.T) {
	o := options(2)
	a, b := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	o.Listeners = []config.Listener{tcp("a", a), tcp("b", b)}
	k := &keeper{kept: true}
	n, err := node.Start(t.Context(), node.Params{Options: o, Keeper: k})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"keep listener.tcp.a 2", "keep listener.tcp.b 2"}
	for _, step := range []struct {
		name  string
		is    []config.Listener
		calls []string
	}{
		{"names are swapped", []config.Listener{tcp("b", a), tcp("a", b)},
			[]string{"forget listener.tcp.a", "forget listener.tcp.b", "keep listener.tcp.b 2", "keep listener.tcp.a 2"}},
		{"one is renamed, the other goes", []config.Listener{tcp("c", a)},
			[]string{"forget listener.tcp.a", "forget listener.tcp.b", "keep listener.tcp.c 2"}},
		{"the address changes", []config.Listener{tcp("c", b)}, []string{"forget listener.tcp.c", "keep listener.tcp.c 2"}},
		{"one comes", []config.Listener{tcp("c", b), tcp("d", a)}, []string{"keep listener.tcp.d 2"}},
		{"nothing changes", []config.Listener{tcp("c", b), tcp("d", a)}, nil},
	} {
		o, _ = reload(t, n, o, func(o *config.Options) { o.Listeners = step.is })
		if want = append(want, step.calls...); !slices.Equal(k.calls, want) {
			t.Fatalf("%s: asked to %q, want %q", step.name, k.calls, want)
		}
	}
	stop(t, n)
	if !slices.Equal(k.calls, want) {
		t.Errorf("at the end: %q", k.calls)
	}
}
