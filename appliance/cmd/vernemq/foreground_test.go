package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The foreground says where it listens, where its files are and who is let in, tells the service manager, and ends with 0 on a signal.
func TestForeground(t *testing.T) {
	dir := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	told := make(chan string, 8)
	go func() {
		defer close(told)
		buf := make([]byte, 4096)
		for {
			n, err := manager.Read(buf)
			if err != nil {
				return
			}
			told <- string(buf[:n])
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cmd := exec.CommandContext(ctx, "vernemq", "--root", dir, "foreground", "--accept-eula", "--set", "allow_anonymous=on",
		"--set", "listener.tcp.default=127.0.0.1:0")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			text.WriteString(s.Text() + "\n")
		}
		manager.SetReadDeadline(time.Unix(1, 0)) // a broker that has died tells nothing any more
	}()
	if kept := <-told; kept != "FDSTORE=1\nFDNAME=listener.tcp.default" {
		t.Errorf("the manager was told %q", kept)
	}
	if ready := <-told; !strings.HasPrefix(ready, "READY=1") {
		t.Errorf("the manager was told %q", ready)
	}
	pid, _, err := runningPID(filepath.Join(dir, "run/vernemq/vernemq.pid"))
	if err != nil || pid != cmd.Process.Pid {
		t.Errorf("running pid %d, %v; want %d", pid, err, cmd.Process.Pid)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	stopping := <-told
	<-ended
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, errs.String())
	}
	for _, want := range []string{"node VerneMQ@127.0.0.1\n", "  listening ", "  compiled       " + dir, "  anonymous      let in (allow_anonymous = on)",
		"configuration  built in", "stopping: interrupt\n", "stopped\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the output has no %q:\n%s", want, text.String())
		}
	}
	if !strings.HasPrefix(stopping, "STOPPING=1") {
		t.Errorf("the manager was told %q", stopping)
	}
}

func TestDrain(t *testing.T) {
	for name, c := range map[string]struct {
		stop    func(context.Context) error
		signals int
		code    int
		says    string
	}{
		"done":          {func(context.Context) error { return nil }, 0, exitOK, "stopped\n"},
		"not all":       {func(context.Context) error { return errors.New("3 wills left") }, 0, exitFailed, "3 wills left"},
		"second signal": {func(ctx context.Context) error { <-ctx.Done(); return nil }, 1, exitFailed, "stopping at once"},
	} {
		var out bytes.Buffer
		p := &program{stdout: &out, stderr: &out}
		signals := make(chan os.Signal, 2)
		for range c.signals {
			signals <- syscall.SIGTERM
		}
		if code := p.drain(c.stop, signals); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d, %q", name, code, out.String())
		}
	}
}

// What a broker wrote is shown when its start fails, of much only the end, and nothing of earlier starts.
func TestShowLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log", "console.log")
	log, offset, err := openLog(name)
	if err != nil || offset != 0 {
		t.Fatal(offset, err)
	}
	fmt.Fprintln(log, "of an earlier start")
	log.Close()
	if log, offset, err = openLog(name); err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	fmt.Fprintln(log, "the reason")
	var errs bytes.Buffer
	p := &program{stderr: &errs}
	p.showLog(log, offset)
	if errs.String() != "the reason\n" {
		t.Errorf("shown: %q", errs.String())
	}
	fmt.Fprint(log, strings.Repeat("x", 2*logTail), "end")
	errs.Reset()
	p.showLog(log, offset)
	if errs.Len() != logTail || !strings.HasSuffix(errs.String(), "end") {
		t.Errorf("%d bytes shown", errs.Len())
	}
}
