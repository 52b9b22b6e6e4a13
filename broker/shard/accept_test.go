package shard

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A socket that a loop cannot watch stays its owner's, who closes it: closed twice, the descriptor may be somebody else's by then.
func TestListenFails(t *testing.T) {
	g := group(t, true)
	g.Start()
	t.Cleanup(g.Close)
	f, err := os.CreateTemp(t.TempDir(), "no socket") // which cannot be watched
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := NewListener(&Settings{})
	if err := g.Listen(1, int(f.Fd()), l); err == nil {
		t.Fatal("a file is listened on")
	}
	g.Unlisten(l, false)
	if _, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil {
		t.Errorf("the descriptor: %v", err)
	}
}
