package house

import (
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
var outside = []string{"git", "cd", "install", "ln", "mkdir", "cp", "mosquitto_pub", "mosquitto_sub", "apt-get"}

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

var port = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// ours runs a command of the product, which must succeed. Before it, the broker runs or does not, as the command needs.
func (s *shell) ours(t *testing.T, at, command string) string {
	t.Helper()
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
	c := s.command("exec " + line)
	c.Stderr = nil
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatalf("%s: %s: %v", at, line, err)
	}
	var out strings.Builder
	interrupted := false
	for buf := make([]byte, 4096); ; {
		n, err := stdout.Read(buf)
		out.Write(buf[:n])
		if !interrupted && strings.Contains(out.String(), "\n  anonymous ") { // the last line that it prints when it is up
			interrupted = true
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Errorf("%s: %s: %v", at, line, err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := c.Wait(); err != nil || !interrupted {
		t.Errorf("%s: %s: %v\n%s", at, line, err, out.String())
	}
	return out.String()
}
