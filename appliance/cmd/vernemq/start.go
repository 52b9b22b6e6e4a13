package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"vernemq/appliance/hostfs"
)

const (
	readyEnv  = "VERNEMQ_READY_FD" // names the descriptor on which foreground tells its parent that it is up
	readyWord = "ready\n"
	waitEnv   = "WAIT_FOR_ERLANG" // seconds to wait for the start, the name VerneMQ's users know
	waitStart = 60 * time.Second
	logTail   = 64 << 10 // bytes of the log shown when a start fails
)

// consoleLog is where a broker started in the background writes, inside the root.
const consoleLog = hostfs.LogDir + "/console.log"

// start runs foreground in a session of its own and waits until it is up. If it fails, what it wrote is printed.
func (p *program) start(args []string) int {
	var layers layerFlags
	if !p.parse("start", args, layers.addStart) {
		return exitCannot
	}
	pid, _, err := runningPID(p.root.Path(hostfs.PIDFile))
	if err != nil {
		return p.cannot("start", err)
	}
	if pid != 0 {
		fmt.Fprintln(p.stderr, "Node is already running!")
		return exitFailed
	}
	u, other, err := p.account(layers.user)
	if err == nil && other {
		err = p.handOver(u)
	}
	if err != nil {
		return p.cannot("start", err)
	}
	log, offset, err := openLog(p.root.Path(consoleLog))
	if err != nil {
		return p.cannot("start", err)
	}
	defer log.Close()
	if other {
		if err := log.Chown(u.UID, u.GIDs[0]); err != nil {
			return p.cannot("start", err)
		}
	}
	child, ready, err := p.spawn(args, log)
	if err != nil {
		return p.cannot("start", err)
	}
	defer ready.Close()
	limit := waitStart
	if n, err := strconv.Atoi(os.Getenv(waitEnv)); err == nil && n > 0 {
		limit = time.Duration(n) * time.Second
	}
	_ = ready.SetReadDeadline(time.Now().Add(limit))
	word, err := io.ReadAll(io.LimitReader(ready, int64(len(readyWord))))
	switch {
	case string(word) == readyWord:
		_ = child.Process.Release()
		return exitOK
	case errors.Is(err, os.ErrDeadlineExceeded):
		fmt.Fprintf(p.stderr, "vernemq failed to start within %d seconds, see the output of 'vernemq foreground', or %s.\n"+
			"If you want to wait longer, set the environment variable %s to the number of seconds to wait.\n",
			int(limit.Seconds()), p.root.Path(consoleLog), waitEnv)
		_ = child.Process.Release()
		return exitFailed
	}
	err = child.Wait() // the pipe is closed: it has ended, or is about to
	p.showLog(log, offset)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	fmt.Fprintf(p.stderr, "vernemq start: the broker ended before it was up: %v\n", child.ProcessState)
	return exitFailed
}

// spawn starts foreground with args, detached, with its output in log. ready gets readyWord when it is up, and ends when it ends.
func (p *program) spawn(args []string, log *os.File) (child *exec.Cmd, ready *os.File, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	ready, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	child = exec.Command(self, append([]string{"--root", p.root.Dir(), "foreground"}, args...)...)
	child.Args[0] = "vernemq" // the name decides what the binary is
	child.Dir = "/"
	child.Stdout, child.Stderr = log, log
	child.ExtraFiles = []*os.File{theirs}
	child.Env = append(os.Environ(), readyEnv+"=3")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		ready.Close()
		return nil, nil, err
	}
	return child, ready, nil
}

// openLog opens the log for appending and returns where it ends.
func openLog(name string) (f *os.File, offset int64, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return nil, 0, err
	}
	if f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o640); err != nil {
		return nil, 0, err
	}
	if offset, err = f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, offset, nil
}

// showLog prints what was written to the log from offset on, of much only the end.
func (p *program) showLog(log *os.File, offset int64) {
	end, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return
	}
	if end-offset > logTail {
		offset = end - logTail
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, io.NewSectionReader(log, offset, end-offset)); err == nil {
		_, _ = p.stderr.Write(text.Bytes())
	}
}

// tellParent tells a waiting vernemq start that the broker is up.
func tellParent() {
	fd, err := strconv.Atoi(os.Getenv(readyEnv))
	if err != nil || fd < 3 {
		return
	}
	_ = os.Unsetenv(readyEnv)
	if f := os.NewFile(uintptr(fd), "ready"); f != nil {
		_, _ = io.WriteString(f, readyWord) // the parent may have given up waiting
		_ = f.Close()
	}
}
