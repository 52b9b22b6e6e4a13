package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
	"vernemq/packaging"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vernemq": main, "vmq-admin": main, "vmq-passwd": main, "start_vernemq": main})
}

// The scripts run the program under each of its names in an empty directory; $ROOT is the root they use. A broker left running is stopped.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			root := filepath.Join(env.WorkDir, "root")
			env.Setenv("ROOT", root)
			env.Defer(func() { run([]string{"vernemq", "--root", root, "stop"}, nil, io.Discard, io.Discard) })
			return os.MkdirAll(root, 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exitcode": exitCode, "mode": mode, "waitfor": waitFor,
			"notrun": notRun},
	})
}

// exitCode runs a program and checks its exit status: exitcode 78 vernemq foreground.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode STATUS program args...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = err.Error()
		if code, ok := bytes.CutPrefix([]byte(got), []byte("exit status ")); ok {
			got = string(code)
		}
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// waitFor waits until a file has a text: waitfor TEXT file.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor TEXT file")
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if text, err := os.ReadFile(ts.MkAbs(args[1])); err == nil && strings.Contains(string(text), args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not get the text %q", args[1], args[0])
		}
		<-time.After(5 * time.Millisecond)
	}
}

// notRun reports that a part of a script cannot run without a program: notrun fish. In CI, which installs what the tests need, that is a failure.
func notRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: notrun PROGRAM")
	}
	message := "NOT RUN: " + args[0] + " is not installed: what it would show is not proved here"
	if os.Getenv("CI") != "" {
		ts.Fatalf("%s; .ci/run has to install it", message)
	}
	ts.Logf("%s", message)
}

// mode checks the permissions of a file: mode 600 file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL file")
	}
	names, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file %s", args[1])
	}
	for _, name := range names {
		info, err := os.Stat(name)
		ts.Check(err)
		if got := info.Mode().Perm().String(); got != modeString(args[0]) {
			ts.Fatalf("%s has mode %s, want %s", name, got, args[0])
		}
	}
}

func modeString(octal string) string {
	var perm os.FileMode
	for _, c := range octal {
		perm = perm<<3 | os.FileMode(c-'0')
	}
	return perm.String()
}

func TestCutRoot(t *testing.T) {
	for _, c := range []struct {
		args  []string
		front bool
		root  string
		rest  []string
		bad   bool
	}{
		{[]string{"ping"}, false, "/", []string{"ping"}, false},
		{[]string{"--root", "/r", "ping"}, false, "/r", []string{"ping"}, false},
		{[]string{"ping", "--root=/r"}, false, "/r", []string{"ping"}, false},
		{[]string{"--root", "/a", "--root", "/b"}, false, "/b", nil, false},
		{[]string{"x", "--", "--root", "/r"}, false, "/", []string{"x", "--", "--root", "/r"}, false},
		{[]string{"--root", "/r", "-b", "file", "user", "--root"}, true, "/r", []string{"-b", "file", "user", "--root"}, false},
		{[]string{"--root", "/r", "passwd", "-b", "f", "u", "--root=x"}, false, "/r", []string{"passwd", "-b", "f", "u", "--root=x"}, false},
		{[]string{"ping", "--root"}, false, "", nil, true},
		{[]string{"--root="}, false, "", nil, true},
	} {
		root, rest, err := cutRoot(c.args, c.front)
		if (err != nil) != c.bad {
			t.Errorf("%q: error %v", c.args, err)
		}
		if !c.bad && (root.Dir() != c.root || !cmp.Equal(rest, c.rest)) {
			t.Errorf("%q: root %s, rest %q", c.args, root.Dir(), rest)
		}
	}
}

// A process knows who holds the pid file, and a file left over from a dead one does not count.
func TestPIDFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run", "vernemq.pid")
	if pid, _, err := runningPID(name); pid != 0 || err != nil {
		t.Errorf("no file: %d, %v", pid, err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if pid, _, err := runningPID(name); pid != 0 || err != nil {
		t.Errorf("stale file: %d, %v", pid, err)
	}
	p, err := acquirePID(name)
	if err != nil {
		t.Fatal(err)
	}
	p.release()
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
}

func TestPing(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := run([]string{"vernemq", "--root", dir, "ping"}, nil, &out, &errs); code != exitFailed || out.Len() != 0 ||
		errs.String() != "Node 'VerneMQ@127.0.0.1' not responding to pings.\n" {
		t.Errorf("without a broker: %d %q %q", code, out.String(), errs.String())
	}
	l, err := admin.Listen(hostfs.New(dir).Path(hostfs.AdminSocket))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	errs.Reset()
	if code := run([]string{"vernemq", "--root", dir, "ping"}, nil, &out, &errs); code != exitOK || out.String() != "pong\n" || errs.Len() != 0 {
		t.Errorf("with a socket: %d %q %q", code, out.String(), errs.String())
	}
}

// What config default writes is the file that is shipped.
func TestDefaultFileIsShipped(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"vernemq", "config", "default"}, nil, &out, &errs); code != exitOK || errs.Len() != 0 {
		t.Fatalf("exit %d, %s", code, errs.String())
	}
	if diff := cmp.Diff(packaging.Conf, out.String()); diff != "" {
		t.Errorf("packaging/vernemq.conf (-shipped +written):\n%s", diff)
	}
}
