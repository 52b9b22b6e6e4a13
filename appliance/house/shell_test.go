package house

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outside are commands of others, which are read and not run.
var outside = []string{"git", "cd", "install", "ln", "mkdir", "cp", "mosquitto_pub", "mosquitto_sub", "apt-get",
	"docker", "podman", "skopeo", "curl", "dnf", "openssl", "sha256sum", "systemctl", "ufw", "firewall-cmd", "usermod"}

// ours are the product's names.
var ours = []string{"vernemq", "vmq-admin", "vmq-passwd"}

// shell runs the commands of one README against a broker under a root of their own: paths that a command names lie under that root.
type shell struct {
	broker *runningBroker
	dir    string // working directory
	path   string // directory of the programs, each a script that puts --root in front
}

func newShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{startBroker(t, "allow_anonymous = on"), t.TempDir(), t.TempDir()}
	for _, name := range ours {
		program := filepath.Join(filepath.Dir(builtBinary(t)), name)
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' --root '%s' \"$@\"\n", program, s.broker.root)
		if err := os.WriteFile(filepath.Join(s.path, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run checks each command of a block and returns what the last one that was run printed.
func (s *shell) run(t *testing.T, f *fence) (output string) {
	t.Helper()
	text := strings.ReplaceAll(f.text, "\\\n", " ")
	for line := range strings.Lines(text) {
		command, _, _ := strings.Cut(strings.TrimSpace(line), " #")
		command = strings.TrimPrefix(strings.TrimSpace(command), "sudo ")
		words := strings.Fields(command)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		name := strings.TrimPrefix(words[0], "bin/")
		switch {
		case words[0] == "make":
			if !isVerb(t, words[1]) {
				t.Errorf("%s: %s: the Makefile has no such verb", f.at, command)
			}
		case slices.Contains(ours, name):
			output = s.ours(t, f.at, strings.TrimPrefix(command, "bin/"))
		case !slices.Contains(outside, name):
			t.Errorf("%s: %s: no check is known for this command; shell_test.go holds them", f.at, command)
		}
	}
	return output
}

// isVerb reports whether the Makefile declares a target.
func isVerb(t *testing.T, name string) bool {
	t.Helper()
	for line := range strings.Lines(readText(t, "Makefile")) {
		if verbs, ok := strings.CutPrefix(line, ".PHONY:"); ok {
			return slices.Contains(strings.Fields(verbs), name)
		}
	}
	return false
}

// measured are the parts of a sample that say how long to measure.
var measured = regexp.MustCompile(` --duration[ =]\S+`)

var port = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// ours runs a command of the product, which must succeed. Before it, the broker runs or does not, as the command needs.
func (s *shell) ours(t *testing.T, at, command string) string {
	t.Helper()
	command = measured.ReplaceAllString(command, "")
	command = strings.ReplaceAll(command, "--root run ", "") // the root of make run is this broker's
	command = strings.ReplaceAll(command, "--root /", "--root "+s.broker.root+"/")
	command = port.ReplaceAllString(command, "127.0.0.1:0") // the machine's ports are others' business
	words := strings.Fields(command)
	if i := slices.Index(words, "--root"); i >= 0 { // a broker of its own, which the sample may leave running
		t.Cleanup(func() { (&runningBroker{words[i+1]}).stop(t) })
	}
	switch {
	case slices.Contains(words, "foreground"):
		return s.foreground(t, at, command)
	case slices.Contains(words, "start"):
		s.broker.stop(t)
	default:
		s.broker.start(t)
		if slices.Contains(words, "bench") { // at the broker that runs, and not for long
			command = strings.ReplaceAll(command, "127.0.0.1:0", s.broker.address(t))
			command = strings.Replace(command, " --addr", " --duration=50ms --warmup=1ms --addr", 1)
		}
	}
	out, err := s.command(command).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s: %v\n%s", at, command, err, out)
	}
	return string(out)
}

// command returns a command line, ready to be run by a shell that finds our programs.
func (s *shell) command(line string) *exec.Cmd {
	c := exec.Command("/bin/sh", "-c", line)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "PATH="+s.path+":"+os.Getenv("PATH"))
	c.Stdin = strings.NewReader("a secret\na secret\n") // who asks for a password, is told one, twice
	return c
}

// foreground runs a broker in the foreground until it says that it is up, and stops it as Ctrl-C does.
func (s *shell) foreground(t *testing.T, at, line string) string {
	t.Helper()
	s.broker.stop(t)
	out, err := untilUp(t, s.command("exec "+line))
	if err != nil {
		t.Errorf("%s: %s: %v\n%s", at, line, err, out)
	}
	return out
}

// upLine begins the last line that a broker prints when it is up.
const upLine = "  anonymous "

// untilUp runs a broker in the foreground until it says that it is up, and stops it as Ctrl-C does. It returns what was printed, and an error
// if the broker ended by itself or badly.
func untilUp(t *testing.T, c *exec.Cmd) (printed string, err error) {
	t.Helper()
	var errs strings.Builder
	c.Stderr = &errs
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	up := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		printed += lines.Text() + "\n"
		if !up && strings.HasPrefix(lines.Text(), upLine) {
			up = true
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	if err = c.Wait(); err == nil && !up {
		err = errors.New("it ended before it was up")
	}
	return printed + errs.String(), err
}

// The README's first command: without the licence it refuses, with it the shipped configuration runs and lets everybody in.
func TestMakeRun(t *testing.T) {
	run := func(args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(top, ".ci/foreground"), args...)
		c.Env = append(os.Environ(), "BIN="+filepath.Dir(builtBinary(t)), "ROOT="+filepath.Join(t.TempDir(), "run"))
		return c
	}
	for _, args := range [][]string{nil, {""}, {"no"}} {
		out, err := run(args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 78 || !strings.Contains(string(out), "make run ACCEPT_EULA=yes") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	out, err := untilUp(t, run("yes", "--set", "listener.tcp.default=127.0.0.1:0"))
	if err != nil || !strings.Contains(out, "let in (allow_anonymous = on)") {
		t.Errorf("%v\n%s", err, out)
	}
}
