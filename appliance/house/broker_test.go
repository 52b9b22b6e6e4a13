package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// buildDir holds the binary that the tests share; TestMain removes it.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "house"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(buildDir)
		return m.Run()
	}())
}

// build runs make build's recipe into buildDir, so that what is measured is what users get.
var build = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("make", "-s", "-C", top, "build", "BIN="+buildDir).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("make build: %w\n%s", err, out)
	}
	return filepath.Join(buildDir, "vernemq"), err
})

// builtBinary returns the path of the product's binary; vmq-admin and vmq-passwd lie beside it.
func builtBinary(t *testing.T) string {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// runningBroker is a broker under a root of its own, which ends with the test.
type runningBroker struct{ root string }

// startBroker starts a broker in the background with the given lines in its vernemq.conf. It is up when startBroker returns.
func startBroker(t *testing.T, lines ...string) *runningBroker {
	t.Helper()
	builtBinary(t) // before all else: without it there is nothing to stop either
	b := &runningBroker{t.TempDir()}
	conf := filepath.Join(b.root, "etc/vernemq/vernemq.conf")
	if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
		t.Fatal(err)
	}
	lines = append(lines, "accept_eula = yes", "listener.tcp.default = 127.0.0.1:0", "include conf.d/*.conf", "")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(filepath.Dir(conf), "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.stop(t) })
	b.start(t)
	return b
}

// vernemq runs a command under the broker's root and returns what it writes to standard output.
func (b *runningBroker) vernemq(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(builtBinary(t), append([]string{"--root", b.root}, args...)...).Output()
	return string(out), err
}

// start starts the broker if it does not run.
func (b *runningBroker) start(t *testing.T) {
	t.Helper()
	if _, err := b.vernemq(t, "ping"); err == nil {
		return
	}
	if out, err := exec.Command(builtBinary(t), "--root", b.root, "start").CombinedOutput(); err != nil {
		t.Fatalf("vernemq start: %v\n%s", err, out)
	}
}

// stop stops the broker if it runs.
func (b *runningBroker) stop(t *testing.T) {
	t.Helper()
	if _, err := b.vernemq(t, "ping"); err != nil {
		return
	}
	if out, err := b.vernemq(t, "stop"); err != nil {
		t.Errorf("vernemq stop: %v\n%s", err, out)
	}
}

// address returns where the broker listens, as host:port.
func (b *runningBroker) address(t *testing.T) string {
	t.Helper()
	out, err := b.vernemq(t, "admin", "listener", "show", "--format=csv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if cells := strings.Split(line, ","); len(cells) > 3 && cells[2] == "127.0.0.1" {
			return cells[2] + ":" + cells[3]
		}
	}
	t.Fatalf("no listener on 127.0.0.1:\n%s", out)
	return ""
}

// pid returns the broker's process id.
func (b *runningBroker) pid(t *testing.T) int {
	t.Helper()
	out, err := b.vernemq(t, "getpid")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
