package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"vernemq/appliance/hostfs"
	"vernemq/broker/auth/passwd"
)

const passwdUsage = `Usage: vmq-passwd [-c | -cf | -D] passwordfile username
       vmq-passwd [-c | -cf] -b passwordfile username password
       vmq-passwd -U passwordfile

  Changes a password file. Without an option it adds the user or sets the user's
  password, which is asked for twice; without a terminal it is read from two lines
  of standard input.

  -c   Creates the file with this one user. An existing file is not touched.
  -cf  Creates the file with this one user, in place of an existing one.
  -b   Takes the password from the command line, for scripts. Other users of the
       machine can see it while the command runs.
  -D   Deletes the user.
  -U   Hashes the passwords of a file with lines of the form user:password. Lines
       that are hashed already stay as they are.
`

// passwdMessage is an error whose wording scripts know.
type passwdMessage string

func (m passwdMessage) Error() string { return string(m) }

// runPasswd is vmq-passwd: args are the words behind the program's name (and --root). It returns the exit code: 0 done, 1 not done.
func runPasswd(root hostfs.Root, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c, ok := parsePasswd(args)
	if !ok {
		fmt.Fprint(stdout, passwdUsage)
		if c.help {
			return 0
		}
		return 1
	}
	c.path = root.Path(c.file)
	if err := c.run(stdin, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "Error: %v\n", err)
		return 1
	}
	return 0
}

// passwdCommand is the command line of vmq-passwd.
type passwdCommand struct {
	create, force, batch, remove, hash, help bool

	file, user, password string

	path string // of the file, on the host
}

// parsePasswd reads a command line: options first, in one word or in several.
func parsePasswd(args []string) (c passwdCommand, ok bool) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		option := args[0]
		args = args[1:]
		if option == "--" {
			break
		}
		if option == "-h" || option == "--help" {
			c.help = true
			return c, false
		}
		for _, letter := range option[1:] {
			switch letter {
			case 'c':
				c.create = true
			case 'f':
				c.force = true
			case 'b':
				c.batch = true
			case 'D':
				c.remove = true
			case 'U':
				c.hash = true
			default:
				return c, false
			}
		}
	}
	want := 2
	switch {
	case c.remove && (c.hash || c.create || c.batch), c.hash && (c.create || c.batch), c.force && !c.create:
		return c, false
	case c.hash:
		want = 1
	case c.batch:
		want = 3
	}
	if len(args) != want || args[0] == "" {
		return c, false
	}
	c.file = args[0]
	if want > 1 {
		c.user = args[1]
	}
	if want > 2 {
		c.password = args[2]
	}
	return c, true
}

func (c *passwdCommand) run(stdin io.Reader, stdout, stderr io.Writer) error {
	if !c.hash && !c.remove {
		if err := passwd.CheckUsername(c.user); err != nil {
			return err
		}
	}
	// Say what is wrong with the file before anybody types a password.
	if _, err := c.load(io.Discard); err != nil {
		return err
	}
	var password []byte
	switch {
	case c.batch:
		password = []byte(c.password)
	case !c.hash && !c.remove:
		var err error
		if password, err = askPassword(stdin, stdout); err != nil {
			return err
		}
	}
	if err := checkPassword(password); err != nil && !c.hash && !c.remove {
		return err
	}
	return c.change(password, stderr)
}

// change loads the file, changes it and writes it back. Who else changes it meanwhile waits.
func (c *passwdCommand) change(password []byte, stderr io.Writer) error {
	if c.create && filepath.Dir(c.file) == hostfs.EtcDir { // under a fresh root; other directories may be misspelt
		if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
			return c.explain(err)
		}
	}
	unlock, err := hostfs.Lock(c.path)
	if err != nil {
		return c.explain(err)
	}
	defer unlock()
	f, err := c.load(stderr)
	if err != nil {
		return err
	}
	switch {
	case c.remove:
		if !f.Delete(c.user) {
			fmt.Fprintf(stderr, "Warning: User %s not found in password file.\n", c.user)
			return nil
		}
	case c.hash:
		n, bad := f.HashPlain()
		if n > 0 {
			if err := c.save(f); err != nil {
				return err
			}
		}
		for _, e := range bad {
			fmt.Fprintf(stderr, "Warning: %s:%d: %v\n", c.file, e.Line, e.Err)
		}
		if len(bad) > 0 {
			return fmt.Errorf("%d line(s) of %s left as they were", len(bad), c.file)
		}
		return nil
	default:
		if err := f.Set(c.user, passwd.New(password)); err != nil {
			return err
		}
	}
	return c.save(f)
}

// load reads the file, or begins a new one where -c allows. Lines that the broker will not understand are reported to stderr and kept.
func (c *passwdCommand) load(stderr io.Writer) (*passwd.File, error) {
	if c.create {
		_, err := os.Lstat(c.path)
		if err == nil && !c.force {
			return nil, fmt.Errorf("%s exists already: leave out -c to change it, or use -cf to replace it", c.file)
		}
		return &passwd.File{}, nil
	}
	in, err := os.Open(c.path)
	if err != nil {
		return nil, c.explain(err)
	}
	defer in.Close()
	if info, err := in.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", c.file)
	}
	f, bad, err := passwd.Parse(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.file, err)
	}
	for _, e := range bad {
		if !c.hash { // which deals with them
			fmt.Fprintf(stderr, "Warning: %s:%d: %v\n", c.file, e.Line, e.Err)
		}
	}
	return f, nil
}

// save replaces the file.
func (c *passwdCommand) save(f *passwd.File) error {
	if err := hostfs.WritePrivate(c.path, f.Bytes()); err != nil {
		return c.explain(err)
	}
	return nil
}

// explain says in the words of the command line why the file cannot be used.
func (c *passwdCommand) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && !c.create:
		return fmt.Errorf("unable to open password file %s: it does not exist; create it with -c", c.file)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("unable to create password file %s: its directory does not exist", c.file)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("unable to open password file %s: permission denied", c.file)
	}
	return fmt.Errorf("unable to open password file %s: %w", c.file, err)
}

// checkPassword refuses passwords with which no client can log in.
func checkPassword(password []byte) error {
	err := passwd.CheckPassword(password)
	if errors.Is(err, passwd.ErrNoPassword) {
		return passwdMessage("Empty password.")
	}
	return err
}

// askPassword asks for a password twice: on a terminal without echo, else as two lines of stdin.
func askPassword(stdin io.Reader, stdout io.Writer) ([]byte, error) {
	read := lineReader(stdin)
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		defer withoutEcho(int(f.Fd()))()
		read = func(prompt string) ([]byte, error) {
			fmt.Fprint(stdout, prompt)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprint(stdout, "\n")
			return b, err
		}
	}
	first, err := read("Password: ")
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	if err := checkPassword(first); err != nil {
		return nil, err
	}
	second, err := read("Reenter password: ")
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	if !bytes.Equal(first, second) {
		return nil, passwdMessage("Passwords do not match.")
	}
	return first, nil
}

// lineReader returns a function that reads one line after another; the end of stdin ends a line.
func lineReader(stdin io.Reader) func(prompt string) ([]byte, error) {
	// Two passwords with their line ends: what is longer is refused later.
	r := bufio.NewReader(io.LimitReader(stdin, 2*(passwd.MaxPassword+3)))
	return func(string) ([]byte, error) {
		text, err := r.ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		return []byte(strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")), err
	}
}

// withoutEcho switches the terminal's echo off until restore is called, or until an interrupt ends the process. That happens before the
// prompt, so that nothing of a password typed ahead is shown.
func withoutEcho(fd int) (restore func()) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	set := func(attr *unix.Termios) { _ = unix.IoctlSetTermios(fd, unix.TCSETS, attr) } // a terminal that is gone shows nothing
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-signals:
			set(before)
			fmt.Fprintln(os.Stderr)
			os.Exit(1)
		case <-done:
		}
	}()
	set(&silent)
	return func() {
		signal.Stop(signals)
		close(done)
		set(before)
	}
}
