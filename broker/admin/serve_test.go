package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
)

// serve starts a broker's admin socket and returns its path and what ends it.
func serve(t *testing.T, b *admintest.Broker) (path string, stop func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "run", "admin.sock")
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- admin.Serve(ctx, l, admin.NewTree(b)) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return path, stop
}

// ask runs one command.
func ask(t *testing.T, path string, argv ...string) (exit int, stdout, stderr string, err error) {
	t.Helper()
	c, err := admin.Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	exit, err = c.Run(t.Context(), argv, admin.Options{}, &out, &errOut)
	return exit, out.String(), errOut.String(), err
}

func TestSocketModes(t *testing.T) {
	path, stop := serve(t, admintest.New())
	for name, want := range map[string]fs.FileMode{filepath.Dir(path): fs.ModeDir | 0o750, path: fs.ModeSocket | 0o660} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", filepath.Base(name), info.Mode(), want)
		}
	}
	stop()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket file is still there after the end: %v", err)
	}
	if _, err := admin.Dial(path); err == nil {
		t.Error("somebody answers after the end")
	}
}

func TestLongPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("long/", 40), "admin.sock")
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- admin.Serve(ctx, l, admin.NewTree(admintest.New())) }()
	if exit, out, _, err := ask(t, path, "node", "status"); exit != 0 || err != nil || !strings.Contains(out, "num_online") {
		t.Errorf("exit %d, %v, %q", exit, err, out)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket file is still there after the end: %v", err)
	}
}

func TestListenOnWhatIsThere(t *testing.T) {
	t.Run("a broker that answers", func(t *testing.T) {
		path, _ := serve(t, admintest.New())
		if l, err := admin.Listen(path); err == nil {
			l.Close()
			t.Fatal("a second broker took the socket")
		} else if !strings.Contains(err.Error(), "another broker answers") {
			t.Errorf("the error does not say why: %v", err)
		}
		if exit, _, _, err := ask(t, path, "node", "status"); exit != 0 || err != nil {
			t.Errorf("the first broker does not answer any more: %d, %v", exit, err)
		}
	})
	t.Run("a socket left over", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "admin.sock")
		old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		old.SetUnlinkOnClose(false)
		old.Close()
		l, err := admin.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	})
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "admin.sock")
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := admin.Listen(path); err == nil {
			l.Close()
			t.Error("a file was taken for a stale socket")
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("the file is now %q, %v", b, err)
		}
	})
	t.Run("a socket that replaced ours", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "admin.sock")
		first, err := admin.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		second, err := admin.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		first.Close()
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("the first listener removed the socket of the second: %v", err)
		}
	})
}

// raw sends one frame and returns the answer.
func raw(t *testing.T, path string, frame any) (stdout, stderr string, exit int) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if b, ok := frame.([]byte); ok {
		_, err = c.Write(b)
	} else {
		err = admin.WriteFrame(c, frame)
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		var r admin.Response1
		if err := admin.ReadFrame(c, &r); err != nil {
			t.Fatalf("the answer ends without an exit code: %v", err)
		}
		if r.Exit != nil {
			return stdout, stderr, *r.Exit
		}
		if r.Stream == "stdout" {
			stdout += r.Data
		} else {
			stderr += r.Data
		}
	}
}

func TestRequests(t *testing.T) {
	path, _ := serve(t, admintest.New())
	tests := []struct {
		name           string
		frame          any
		exit           int
		stdout, stderr string // contained
	}{
		{"plain", admin.Request1{V: 1, Argv: []string{"node", "status"}}, 0, "num_online", ""},
		{"format of the frame", admin.Request1{V: 1, Argv: []string{"node", "status"}, Format: "json"}, 0, `{"type":"table"`, ""},
		{"format of the words wins", admin.Request1{V: 1, Argv: []string{"node", "status", "--format=csv"}, Format: "json"}, 0, "Status,Value\r\n", ""},
		{"members of later versions", json.RawMessage(`{"v":1,"argv":["node","status"],"colour":"blue"}`), 0, "num_online", ""},
		{"another version", json.RawMessage(`{"v":2,"args":{}}`), 1, "", "the broker has version 1, it was asked in version 2"},
		{"no version", json.RawMessage(`{}`), 1, "", "different versions"},
		{"no JSON", []byte("\x00\x00\x00\x02no"), 1, "", "did not understand"},
		{"another protocol", []byte("GET / HTTP/1.1\r\n\r\n"), 1, "", "did not understand"},
		{"no words", admin.Request1{V: 1}, 1, "Usage: vmq-admin", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, exit := raw(t, path, tt.frame)
			if exit != tt.exit || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("exit %d, stdout %q, stderr %q; want %d, %q, %q", exit, stdout, stderr, tt.exit, tt.stdout, tt.stderr)
			}
		})
	}
}

// blocked returns a broker whose listing waits until its command is cancelled. begun tells each time that one waits.
func blocked() (b *admintest.Broker, begun chan struct{}, causes chan error) {
	begun, causes = make(chan struct{}, 100), make(chan error, 100)
	b = admintest.New()
	b.Visit = func(ctx context.Context, _ *admin.SessionInfo) error {
		begun <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}
	return b, begun, causes
}

func TestClientGoesAway(t *testing.T) {
	b, begun, causes := blocked()
	path, _ := serve(t, b)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.WriteFrame(c, admin.Request1{V: 1, Argv: []string{"session", "show"}}); err != nil {
		t.Fatal(err)
	}
	<-begun
	c.Close()
	if err := <-causes; err == nil || !strings.Contains(err.Error(), "client is gone") {
		t.Errorf("the command ended with %v", err)
	}
}

func TestClientCancels(t *testing.T) {
	b, begun, causes := blocked()
	path, _ := serve(t, b)
	c, err := admin.Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		<-begun
		cancel(enough)
	}()
	if _, err := c.Run(ctx, []string{"session", "show"}, admin.Options{}, io.Discard, io.Discard); err != enough {
		t.Errorf("Run: %v, want %v", err, enough)
	}
	<-causes
}

func TestBrokerStops(t *testing.T) {
	b, begun, _ := blocked()
	path, stop := serve(t, b)
	type answer struct {
		exit   int
		stderr string
	}
	done := make(chan answer)
	go func() {
		exit, _, stderr, _ := ask(t, path, "session", "show")
		done <- answer{exit, stderr}
	}()
	<-begun
	stop()
	if a := <-done; a.exit != 1 || !strings.Contains(a.stderr, "the broker stops") {
		t.Errorf("exit %d, stderr %q", a.exit, a.stderr)
	}
}

func TestTooManyCommands(t *testing.T) {
	b, begun, _ := blocked()
	path, _ := serve(t, b)
	for range admin.MaxConns {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := admin.WriteFrame(c, admin.Request1{V: 1, Argv: []string{"session", "show"}}); err != nil {
			t.Fatal(err)
		}
		<-begun
	}
	if exit, _, stderr, err := ask(t, path, "node", "status"); err != nil || exit != 1 || !strings.Contains(stderr, "busy") {
		t.Errorf("exit %d, stderr %q, %v", exit, stderr, err)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.AcceptUnix()
		if err != nil {
			t.Error(err)
			return
		}
		if err := l.Authorize(c); err != nil {
			t.Errorf("our own process is refused: %v", err)
		}
		admin.ServeOne(t.Context(), c, admin.NewTree(admintest.New()), errors.New("user 7 may not"))
	}()
	if exit, stdout, stderr, err := ask(t, path, "node", "status"); err != nil || exit != 1 || stdout != "" || stderr != "user 7 may not\n" {
		t.Errorf("exit %d, stdout %q, stderr %q, %v", exit, stdout, stderr, err)
	}
	<-done
}

func TestRunReportsABrokenAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var r admin.Request1
		admin.ReadFrame(c, &r)
		admin.WriteFrame(c, admin.Response1{Stream: "stdout", Data: "half"})
		c.Close()
	}()
	exit, stdout, _, err := ask(t, path, "node", "status")
	if err == nil || !strings.Contains(err.Error(), "broke off") || exit != 1 || stdout != "half" {
		t.Errorf("exit %d, stdout %q, %v", exit, stdout, err)
	}
}

func TestRunRefusesLongCommandLines(t *testing.T) {
	path, _ := serve(t, admintest.New())
	if exit, _, _, err := ask(t, path, "session", "show", "--client_id="+strings.Repeat("x", 1<<20)); err == nil || exit != 1 {
		t.Errorf("exit %d, %v", exit, err)
	}
}

func TestDialErrors(t *testing.T) {
	if _, err := admin.Dial(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	if _, err := admin.Dial(filepath.Join(t.TempDir(), strings.Repeat("d/", 100), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Dial(file); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a file: %v", err)
	}
}

// FuzzExecute: no command line panics, and the exit code is 0 or 1.
func FuzzExecute(f *testing.F) {
	for _, s := range []string{"session show --client_id=~^d --limit 3", "metrics show -d -a false --mqtt_version=4,5", "listener show -tm",
		"node status --format=json -rpctimeout 1000", "session show --payload --topic=~(", "-h", "node =", "session show -5 -- --=x"} {
		f.Add(s, true)
	}
	tree := admin.NewTree(admintest.New())
	f.Fuzz(func(t *testing.T, words string, tty bool) {
		var out, errOut strings.Builder
		exit := tree.Execute(t.Context(), strings.Split(words, " "), admin.Options{TTY: tty, Columns: len(words)}, &out, &errOut)
		if exit != 0 && exit != 1 {
			t.Errorf("exit code %d", exit)
		}
		if strings.Contains(errOut.String(), "failed inside") {
			t.Errorf("panic: %s", errOut.String())
		}
		if strings.HasPrefix(out.String(), `{"type"`) && !json.Valid([]byte(out.String())) {
			t.Errorf("bad JSON: %s", out.String())
		}
	})
}
