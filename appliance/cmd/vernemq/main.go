// Command vernemq is the whole product in one binary with three names: vernemq compiles the configuration and runs the broker, vmq-admin talks
// to a running one, vmq-passwd edits password files; start_vernemq is how the container image calls the first. Which it is decides the name it is
// called by. It owns what an operator sees of starting and stopping; it refuses to know how the broker works and what the configuration's keys mean.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vernemq/appliance/container"
	"vernemq/appliance/hostfs"
)

// version is the program's version; a release sets it with -ldflags "-X main.version=…".
var version = "0.1.0"

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1  // the command failed, or the configuration has errors
	exitCannot = 2  // it could not even be tried, such as for wrong arguments
	exitConfig = 78 // a start refused, and the next one will be: licence not accepted, errors in the configuration, a store of another version
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
	root, args, err := cutRoot(args, name == "vmq-passwd" || name == shellName)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
	p := &program{root: root, stdin: stdin, stdout: stdout, stderr: stderr}
	switch name {
	case "vmq-admin":
		return p.admin(args)
	case shellName:
		return runShell(root, args, stdin, stdout, stderr)
	case "vmq-passwd":
		return runPasswd(root, args, stdin, stdout, stderr)
	case container.EntryName:
		return p.startContainer(args)
	}
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

func (p *program) version(args []string) int {
	if !p.noArgs("version", args) {
		return exitCannot
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
