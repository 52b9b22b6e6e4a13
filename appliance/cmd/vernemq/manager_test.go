package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// manager plays systemd: it takes notifications, keeps descriptors, and starts brokers with them.
type manager struct {
	t    *testing.T
	root string
	conn *net.UnixConn
	said chan string // notifications without descriptors

	mu    sync.Mutex
	store map[string][]int
}

const managerPatience = time.Minute

func newManager(t *testing.T, conf string) *manager {
	t.Helper()
	m := &manager{t: t, root: t.TempDir(), said: make(chan string, 1024), store: map[string][]int{}}
	m.write(conf)
	var err error
	if m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(m.root, "notify"), Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); m.listen() }()
	t.Cleanup(func() {
		m.conn.Close()
		<-done
		for _, fds := range m.store {
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		}
	})
	return m
}

// write replaces the configuration.
func (m *manager) write(conf string) {
	m.t.Helper()
	name := filepath.Join(m.root, "etc/vernemq/vernemq.conf")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("accept_eula = yes\nallow_anonymous = on\n"+conf), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// listen takes notifications until the socket is closed.
func (m *manager) listen() {
	buf, oob := make([]byte, 8192), make([]byte, unix.CmsgSpace(4*256))
	for {
		n, on, _, _, err := m.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		text, name := string(buf[:n]), ""
		for line := range strings.Lines(text) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "FDNAME="); ok {
				name = v
			}
		}
		m.mu.Lock()
		switch {
		case strings.HasPrefix(text, "FDSTOREREMOVE=1"):
			for _, fd := range m.store[name] {
				_ = unix.Close(fd)
			}
			delete(m.store, name)
		case strings.HasPrefix(text, "FDSTORE=1"):
			for _, fd := range received(oob[:on]) {
				if m.has(fd) { // as systemd does
					_ = unix.Close(fd)
				} else {
					m.store[name] = append(m.store[name], fd)
				}
			}
		default:
			m.said <- text
		}
		m.mu.Unlock()
	}
}

func received(oob []byte) (out []int) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil {
			out = append(out, fds...)
		}
	}
	return out
}

// has reports whether the socket behind fd is stored.
func (m *manager) has(fd int) bool {
	var a, b unix.Stat_t
	_ = unix.Fstat(fd, &a)
	for _, fds := range m.store {
		for _, other := range fds {
			if _ = unix.Fstat(other, &b); a.Ino == b.Ino {
				return true
			}
		}
	}
	return false
}

// start starts a broker with what is stored, or with given, and returns when it is ready.
func (m *manager) start(env []string, given ...*os.File) *exec.Cmd {
	m.t.Helper()
	m.mu.Lock()
	var names []string
	files := given
	for range given {
		names = append(names, "unit")
	}
	for name, fds := range m.store {
		for _, fd := range fds {
			own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
			if err != nil {
				m.t.Fatal(err)
			}
			f := os.NewFile(uintptr(own), name)
			defer f.Close()
			files, names = append(files, f), append(names, name)
		}
	}
	m.mu.Unlock()
	cmd := exec.CommandContext(m.t.Context(), "sh", "-c", `LISTEN_PID=$$ exec vernemq --root "$ROOT" foreground`)
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), "ROOT="+m.root, "NOTIFY_SOCKET="+filepath.Join(m.root, "notify"), "FDSTORE=512",
		fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	cmd.Env = append(cmd.Env, env...)
	log, err := os.OpenFile(filepath.Join(m.root, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.wait("READY=1")
	return cmd
}

// wait takes notifications until one begins with beginning, and returns it.
func (m *manager) wait(beginning string) string {
	m.t.Helper()
	late := time.After(managerPatience)
	for {
		select {
		case text := <-m.said:
			if strings.HasPrefix(text, beginning) {
				return text
			}
		case <-late:
			m.t.Fatalf("the manager was not told %s; the log:\n%s", beginning, m.log())
		}
	}
}

func (m *manager) log() string {
	text, _ := os.ReadFile(filepath.Join(m.root, "log"))
	return string(text)
}

func (m *manager) stop(cmd *exec.Cmd) {
	m.t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		m.t.Errorf("the broker ended with %v; the log:\n%s", err, m.log())
	}
}

// handshake connects and reads the CONNACK. dialled is false if the connection was refused.
func handshake(addr, id string) (dialled bool, err error) {
	c, err := net.DialTimeout("tcp", addr, managerPatience)
	if err != nil {
		return false, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(managerPatience))
	if _, err := c.Write((&mqtt.Connect{Version: mqtt.V311, ClientID: []byte(id), CleanStart: true}).Append(nil)); err != nil {
		return true, err
	}
	var ack [4]byte
	if _, err := c.Read(ack[:]); err != nil {
		return true, err
	}
	if ack[0] != 0x20 || ack[3] != 0 {
		return true, fmt.Errorf("answered % x", ack)
	}
	return true, nil
}

// Under a load of connecting clients a broker is restarted several times, with more and with fewer event loops, and not one connection is refused: the
// manager keeps the sockets meanwhile.
func TestRestartRefusesNobody(t *testing.T) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := probe.Addr().String()
	probe.Close()
	conf := func(shards int) string { return fmt.Sprintf("listener.tcp.default = %s\nshards = %d\n", addr, shards) }
	m := newManager(t, conf(2))
	cmd := m.start(nil)

	var done atomic.Bool
	var in, cut, refused atomic.Int64
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for n := 0; !done.Load(); n++ {
				switch dialled, err := handshake(addr, fmt.Sprintf("c%d-%d", i, n)); {
				case err == nil:
					in.Add(1)
				case dialled: // it was being let in when the broker stopped: told, not refused
					cut.Add(1)
				default:
					refused.Add(1)
					t.Error(err)
				}
			}
		})
	}
	progress := func() {
		for before, late := in.Load(), time.Now().Add(managerPatience); in.Load() < before+200 && time.Now().Before(late); {
			<-time.After(time.Millisecond)
		}
	}
	for _, shards := range []int{4, 1, 3} {
		progress()
		m.write(conf(shards))
		m.stop(cmd)
		cmd = m.start(nil)
	}
	progress()
	done.Store(true)
	clients.Wait()
	m.stop(cmd)
	t.Logf("%d let in, %d cut, %d refused over 3 restarts", in.Load(), cut.Load(), refused.Load())
	if in.Load() < 800 || refused.Load() > 0 {
		t.Errorf("%d let in, %d refused; the log:\n%s", in.Load(), refused.Load(), m.log())
	}
	if got := len(m.store["listener.tcp.default"]); got != 4 {
		t.Errorf("%d sockets are kept, want the 4 that there were at most", got)
	}
}

// A socket unit's socket serves, and is not stored; a stale one in the store is given up.
func TestSocketActivation(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := newManager(t, fmt.Sprintf("listener.tcp.default = %s\nlistener.tcp.other = 127.0.0.1:0\nshards = 2\n", l.Addr()))
	cmd := m.start(nil, f)
	if _, err := handshake(l.Addr().String(), "a"); err != nil {
		t.Error(err)
	}
	m.stop(cmd)
	l.Close()
	m.mu.Lock()
	stored := len(m.store["listener.tcp.other"])
	_, unit := m.store["listener.tcp.default"]
	m.mu.Unlock()
	if stored != 2 || unit {
		t.Errorf("stored: %d of the broker's own, want 2; the unit's: %t", stored, unit)
	}
	m.write(fmt.Sprintf("listener.tcp.default = %s\n", l.Addr()))
	cmd = m.start(nil, f)
	if _, err := handshake(l.Addr().String(), "b"); err != nil {
		t.Error(err)
	}
	m.stop(cmd)
	if !strings.Contains(m.log(), "an inherited socket is not used") || len(m.store) != 0 {
		t.Errorf("what nobody wants is kept: %v; the log:\n%s", m.store, m.log())
	}
}

// A reload tells the manager when it begins and when it is over, and systemctl status what came of it; the watchdog is fed while all loops turn.
func TestManagerIsTold(t *testing.T) {
	m := newManager(t, "listener.tcp.default = 127.0.0.1:0\n")
	cmd := m.start([]string{"WATCHDOG_USEC=300000"})
	for range 3 {
		m.wait("WATCHDOG=1")
	}
	for _, c := range []struct{ conf, status string }{
		{"listener.tcp.default = 127.0.0.1:0\nmax_inflight_messages = 3\n", "0 clients"},
		{"listener.tcp.default = 127.0.0.1:0\nshards = 9\n", "waiting for a restart: shards"},
		{"nonsense = 1\n", "the last reload was refused: the configuration has errors"},
	} {
		m.write(c.conf)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if text := m.wait("RELOADING=1"); !strings.Contains(text, "\nMONOTONIC_USEC=") {
			t.Errorf("told %q", text)
		}
		if text := m.wait("READY=1"); !strings.HasSuffix(text, c.status) || !strings.Contains(text, "STATUS=listening on tcp 127.0.0.1:") {
			t.Errorf("told %q, want that it ends with %q", text, c.status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.wait("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A start that fails says why in the line of systemctl status, with the system's error number where there is one.
func TestManagerIsToldWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		conf string
		exit int
		want []string
	}{
		{"nonsense = 1\n", exitConfig, []string{"STATUS=the configuration has 1 error: see vernemq chkconfig"}},
		{"accept_eula = no\n", exitConfig, []string{"STATUS=the licence is not accepted: run vernemq chkconfig"}},
		{"listener.tcp.a = " + taken.Addr().String() + "\n", exitFailed,
			[]string{"ERRNO=" + fmt.Sprint(int(syscall.EADDRINUSE)), "STATUS=cannot start: listener.tcp.a = " + taken.Addr().String()}},
	} {
		m := newManager(t, c.conf)
		cmd := exec.CommandContext(t.Context(), "vernemq", "--root", m.root, "foreground")
		cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(m.root, "notify"))
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != c.exit {
			t.Errorf("%q: %v, want exit status %d", c.conf, err, c.exit)
		}
		text := m.wait(c.want[0][:6])
		if lines := strings.Split(text, "\n"); !slices.ContainsFunc(c.want, func(w string) bool { return strings.HasPrefix(lines[0], w) }) ||
			!strings.Contains(text, c.want[len(c.want)-1]) {
			t.Errorf("%q: told %q, want %q", c.conf, text, c.want)
		}
	}
}
