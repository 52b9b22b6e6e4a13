package shard

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A connection that the broker has ended is closed when the peer has closed its side, too: whether that is learned together with the peer's last words,
// behind them or without any. What is not noticed holds up the end of the broker until the time for lingering is over.
func TestDiscard(t *testing.T) {
	for name, c := range map[string]struct {
		rest string
		end  bool
		want bool
	}{
		"words and end at once": {"DISCONNECT", true, true},
		"the end alone":         {"", true, true},
		"words alone":           {"PUBLISH", false, false},
		"nothing yet":           {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) }()
			if _, err := unix.Write(fds[1], []byte(c.rest)); err != nil {
				t.Fatal(err)
			}
			if c.end {
				if err := unix.Shutdown(fds[1], unix.SHUT_WR); err != nil {
					t.Fatal(err)
				}
			}
			s := &Shard{rbuf: make([]byte, 64)}
			conn := &conn{fd: int32(fds[0]), closing: true, lingering: true, readable: true, hup: c.end}
			s.discard(conn)
			if conn.doomed != c.want {
				t.Errorf("doomed is %v, want %v", conn.doomed, c.want)
			}
		})
	}
}
