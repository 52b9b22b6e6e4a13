package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
	"vernemq/broker/auth/passwd"
)

// TestPasswdScripts runs vmq-passwd as the command passwd, with the script's directory as its root. login checks a password, mode the bits
// of a file, islink that it is a link.
func TestPasswdScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/passwd.txtar"},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"passwd": func(ts *testscript.TestScript, neg bool, args []string) {
				stdin := io.Reader(strings.NewReader(""))
				if name, ok := strings.CutPrefix(strings.Join(args[:min(1, len(args))], ""), "-stdin="); ok {
					text := ts.ReadFile(name)
					if name == "crlf" {
						text = strings.ReplaceAll(text, "\n", "\r\n")
					}
					stdin, args = strings.NewReader(text), args[1:]
				}
				checkExit(ts, neg, runPasswd(hostfs.New(ts.MkAbs(".")), args, stdin, ts.Stdout(), ts.Stderr()))
			},
			"login": func(ts *testscript.TestScript, neg bool, args []string) {
				f, _, err := passwd.Parse(strings.NewReader(ts.ReadFile(args[0])))
				ts.Check(err)
				h, ok := f.Table()[args[1]]
				if in := ok && h.Check([]byte(args[2])); in == neg {
					ts.Fatalf("%s with %q is let in: %v", args[1], args[2], in)
				}
			},
			"mode": func(ts *testscript.TestScript, neg bool, args []string) {
				want, err := strconv.ParseUint(args[1], 8, 32)
				ts.Check(err)
				info, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				if got := info.Mode().Perm(); (got == os.FileMode(want)) == neg {
					ts.Fatalf("%s has mode %v", args[0], got)
				}
			},
			"islink": func(ts *testscript.TestScript, neg bool, args []string) {
				info, err := os.Lstat(ts.MkAbs(args[0]))
				ts.Check(err)
				if (info.Mode()&os.ModeSymlink != 0) == neg {
					ts.Fatalf("%s has mode %v", args[0], info.Mode())
				}
			},
		},
	})
}

// checkExit fails the script unless a command ended with the exit code it has to: 1 if neg, else 0.
func checkExit(ts *testscript.TestScript, neg bool, exit int) {
	want := 0
	if neg {
		want = 1
	}
	if exit != want {
		ts.Fatalf("exit code %d, want %d", exit, want)
	}
}

// TestPasswdOnATerminal types passwords at a pseudo-terminal: asked twice, never echoed, and the echo is on again afterwards.
func TestPasswdOnATerminal(t *testing.T) {
	tests := []struct {
		name   string
		typed  [2]string
		exit   int
		stderr string
	}{
		{"twice the same", [2]string{"tr0ub4dor\n", "tr0ub4dor\n"}, 0, ""},
		{"two passwords", [2]string{"tr0ub4dor\n", "tr0ub4dur\n"}, 1, "Error: Passwords do not match.\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			master, terminal := openTerminal(t)
			root := hostfs.New(t.TempDir())
			prompts, stdout := io.Pipe()
			var stderr bytes.Buffer
			exit := make(chan int, 1)
			go func() {
				exit <- runPasswd(root, []string{"-c", "/p", "alice"}, terminal, stdout, &stderr)
				stdout.Close()
			}()
			for i, prompt := range []string{"Password: ", "\nReenter password: "} {
				got := make([]byte, len(prompt))
				if _, err := io.ReadFull(prompts, got); err != nil || string(got) != prompt {
					t.Fatalf("prompt %q, %v; want %q", got, err, prompt)
				}
				if _, err := master.WriteString(tt.typed[i]); err != nil {
					t.Fatal(err)
				}
			}
			io.Copy(io.Discard, prompts)
			if got := <-exit; got != tt.exit || stderr.String() != tt.stderr {
				t.Errorf("exit %d, stderr %q; want %d, %q", got, stderr.String(), tt.exit, tt.stderr)
			}
			attr, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
			if err != nil || attr.Lflag&unix.ECHO == 0 {
				t.Errorf("the echo is off afterwards: %v", err)
			}
			terminal.Close()
			echoed, err := io.ReadAll(master)
			if err != nil && !errors.Is(err, unix.EIO) { // how a terminal says that nobody is left
				t.Fatal(err)
			}
			if strings.Contains(string(echoed), "tr0") {
				t.Errorf("the terminal shows %q", echoed)
			}
			if tt.exit != 0 {
				return
			}
			b, err := os.ReadFile(root.Path("/p"))
			if err != nil {
				t.Fatal(err)
			}
			f, _, err := passwd.Parse(bytes.NewReader(b))
			if err != nil || !f.Table()["alice"].Check([]byte("tr0ub4dor")) {
				t.Errorf("alice cannot log in: %v", err)
			}
		})
	}
}

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return master, terminal
}

// TestPasswdKeepsModeAndOwner: owners are given away only by root, so only then the test does.
func TestPasswdKeepsModeAndOwner(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p")
	uid, gid, newMode := os.Geteuid(), os.Getegid(), os.FileMode(0o600)
	if uid == 0 { // the broker's group has the directory: it has to read what root makes there
		gid, newMode = 4711, 0o640
		if err := os.Chown(dir, 0, gid); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		var stderr bytes.Buffer
		if exit := runPasswd(hostfs.New(dir), args, strings.NewReader(""), io.Discard, &stderr); exit != 0 {
			t.Fatalf("exit %d: %s", exit, stderr.String())
		}
	}
	check := func(when string, mode os.FileMode) {
		t.Helper()
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		u, g, _ := hostfs.Owner(file)
		if info.Mode().Perm() != mode || u != uid || g != gid {
			t.Errorf("%s: mode %v, owner %d:%d; want %v, %d:%d", when, info.Mode().Perm(), u, g, mode, uid, gid)
		}
	}
	run("-c", "-b", "/p", "alice", "x")
	check("new", newMode)
	if os.Geteuid() == 0 {
		uid, gid = 4712, 4713
		if err := os.Chown(file, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(file, 0o604); err != nil {
		t.Fatal(err)
	}
	run("-b", "/p", "bob", "x")
	check("changed", 0o604)
	run("-cf", "-b", "/p", "bob", "x")
	check("replaced", 0o604)
}
