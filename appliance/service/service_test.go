package service

import (
	"net"
	"path/filepath"
	"testing"
)

func TestNotify(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	for _, c := range []struct {
		call func(string) error
		arg  string
		want string
	}{
		{Ready, "2 listeners", "READY=1\nSTATUS=2 listeners"},
		{Status, "up\nREADY=0", "STATUS=up READY=0"},
		{Loading, "reading", "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=reading"},
		{Stopping, "", "STOPPING=1"},
	} {
		if err := c.call(c.arg); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1024)
		n, err := l.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(buf[:n]); got != c.want {
			t.Errorf("sent %q, want %q", got, c.want)
		}
	}
}

func TestWithoutManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Ready("x"); err != nil {
		t.Error(err)
	}
	t.Setenv("NOTIFY_SOCKET", "/nonexistent/socket")
	if err := Ready("x"); err == nil {
		t.Error("no error for a socket nobody listens on")
	}
}
