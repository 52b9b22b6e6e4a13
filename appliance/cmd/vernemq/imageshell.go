package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/image"
)

// shellName is the name under which the program is the login shell of an appliance.
const shellName = "shell"

// reachable are the programs that the appliance's shell runs.
var reachable = []string{"vernemq", "vmq-admin", "vmq-passwd", "journalctl", "networkctl", "reboot", "poweroff"}

// runShell is the login shell of an appliance: it runs one of a few programs, without any language around them. With the debug shell switched on it
// is a real one.
func runShell(root hostfs.Root, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if _, err := os.Lstat(root.Path(image.DebugShell)); err == nil {
		fmt.Fprintln(stderr, "DEBUG SHELL: you are root")
		if err := syscall.Exec("/usr/bin/busybox", append([]string{"sh"}, args...), os.Environ()); err != nil {
			fmt.Fprintf(stderr, "shell: %v\n", err)
			return exitCannot
		}
	}
	if len(args) != 2 || args[0] != "-c" {
		fmt.Fprintf(stderr, "This appliance has no shell. Give a command: %s.\n", strings.Join(reachable, ", "))
		return exitFailed
	}
	words, ok := shellWords(args[1])
	if !ok {
		fmt.Fprintln(stderr, "shell: a quote is not closed")
		return exitFailed
	}
	if len(words) == 0 {
		words = []string{""}
	}
	if !slices.Contains(reachable, words[0]) {
		fmt.Fprintf(stderr, "shell: %q is not to be had here: %s\n", words[0], strings.Join(reachable, ", "))
		return exitFailed
	}
	switch words[0] {
	case "vernemq", "vmq-admin", "vmq-passwd":
		return run(words, stdin, stdout, stderr)
	case "reboot", "poweroff":
		words = []string{"systemctl", words[0]}
	}
	c := exec.Command(words[0], words[1:]...)
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, stderr
	if err := c.Run(); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", words[0], err)
		return exitFailed
	}
	return exitOK
}

// shellWords splits a command at blanks; single and double quotes hold words together, and mean nothing else.
func shellWords(line string) (words []string, ok bool) {
	word, in, quote := strings.Builder{}, false, rune(0)
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	return words, quote == 0
}
