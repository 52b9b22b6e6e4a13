// Command vernemq is the whole product in one binary with three names: vernemq compiles the configuration and runs the broker, vmq-admin talks
// to a running one, vmq-passwd edits password files. Which it is decides the name it is called by. It owns what an operator sees of starting and
// stopping; it refuses to know how the broker works and what the configuration's keys mean.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vernemq/appliance/hostfs"
	"vernemq/schema"
)

// version is the program's version; a release sets it with -ldflags "-X main.version=…".
var version = "0.1.0"

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1  // the command failed, or the configuration has errors
	exitCannot = 2  // it could not even be tried
	exitConfig = 78 // a start refused: licence not accepted, or errors in the configuration
)

// program is one call of vernemq.
type program struct {
	root           hostfs.Root
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its surroundings as arguments.
func run(argv []string, stdin io.Reader, stdout, stderr io.Writer) int {
	name, args := "vernemq", []string(nil)
	if len(argv) > 0 {
		name, args = filepath.Base(argv[0]), argv[1:]
	}
	// A password may look like a flag: vmq-passwd takes --root only in front.
	root, args, err := cutRoot(args, name == "vmq-passwd")
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
	switch name {
	case "vmq-admin":
		return runAdmin(root, args, stdout, stderr)
	case "vmq-passwd":
		return runPasswd(root, args, stdin, stdout, stderr)
	}
	p := &program{root: root, stdin: stdin, stdout: stdout, stderr: stderr}
	return p.dispatch(args)
}

// cutRoot takes --root DIR or --root=DIR out of args, up to a --; the last one counts. With frontOnly it must stand in front of all else. It
// also stops at the word passwd, behind which passwords stand.
func cutRoot(args []string, frontOnly bool) (root hostfs.Root, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		value, joined := strings.CutPrefix(args[i], "--root=")
		switch {
		case args[i] == "--root" && i+1 < len(args):
			i++
			value = args[i]
		case args[i] == "--root":
			return root, nil, fmt.Errorf("--root needs a directory")
		case args[i] == "--" || frontOnly || args[i] == "passwd":
			return root, append(rest, args[i:]...), nil
		case !joined:
			rest = append(rest, args[i])
			continue
		}
		if value == "" {
			return root, nil, fmt.Errorf("--root needs a directory")
		}
		root = hostfs.New(value)
	}
	return root, rest, nil
}

// command is one word behind vernemq.
type command struct {
	name, args, doc string
	run             func(p *program, args []string) int
}

// commands are all of them, in the order of the help; a function, because help lists them and is one.
func commands() []command {
	return []command{
		{"start", "[--accept-eula] [--set KEY=VALUE]...", "start the broker in the background", (*program).start},
		{"stop", "", "stop it, and wait until it is gone", (*program).stop},
		{"restart", "[--accept-eula] [--set KEY=VALUE]...", "stop, then start", (*program).restart},
		{"foreground", "[--accept-eula] [--set KEY=VALUE]...", "run the broker until it gets SIGTERM or SIGINT", (*program).foreground},
		{"ping", "", "answer pong if the broker runs", (*program).ping},
		{"getpid", "", "print the process id of the broker", (*program).getpid},
		{"chkconfig", "[--strict] [--format=json]", "check the configuration; on a terminal, ask to accept the licence first", (*program).chkconfig},
		{"config", "generate | effective [--origin] | keys [--effect=EFFECT] | default", "compile the configuration, or print it", (*program).config},
		{"admin", "COMMAND...", "what vmq-admin does", func(p *program, args []string) int { return runAdmin(p.root, args, p.stdout, p.stderr) }},
		{"passwd", "...", "what vmq-passwd does", func(p *program, args []string) int { return runPasswd(p.root, args, p.stdin, p.stdout, p.stderr) }},
		{"version", "", "print the version", (*program).version},
		{"help", "", "print this text", (*program).help},
	}
}

// dispatch runs the command that args begin with.
func (p *program) dispatch(args []string) int {
	if len(args) == 0 {
		p.usage(p.stderr)
		return exitFailed
	}
	var names []string
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(p, args[1:])
		}
		names = append(names, c.name)
	}
	switch args[0] {
	case "--help", "-h":
		return p.help(nil)
	case "--version":
		return p.version(nil)
	}
	fmt.Fprintf(p.stderr, "vernemq: unknown command %q", args[0])
	if near := schema.NearestWord(args[0], names); near != "" {
		fmt.Fprintf(p.stderr, ", did you mean %s?", near)
	}
	fmt.Fprintln(p.stderr)
	p.usage(p.stderr)
	return exitFailed
}

func (p *program) usage(w io.Writer) {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	fmt.Fprintf(w, "Usage: vernemq [--root DIR] {%s}\n", strings.Join(names, "|"))
}

func (p *program) help(args []string) int {
	if !p.noArgs("help", args) {
		return exitFailed
	}
	p.usage(p.stdout)
	fmt.Fprintln(p.stdout)
	for _, c := range commands() {
		fmt.Fprintf(p.stdout, "  %s\n        %s\n", strings.TrimSpace(c.name+" "+c.args), c.doc)
	}
	fmt.Fprint(p.stdout, `
  --root DIR takes all paths under DIR, those inside the configuration too. Also for vmq-admin and vmq-passwd.
  Exit status: 0 done, 1 failed, 2 could not be tried, 78 not started for the licence or the configuration.
`)
	return exitOK
}

func (p *program) version(args []string) int {
	if !p.noArgs("version", args) {
		return exitFailed
	}
	fmt.Fprintln(p.stdout, version)
	return exitOK
}

// noArgs complains about arguments of a command that has none.
func (p *program) noArgs(name string, args []string) bool {
	if len(args) > 0 {
		fmt.Fprintf(p.stderr, "vernemq %s: unexpected %q\n", name, args[0])
	}
	return len(args) == 0
}
