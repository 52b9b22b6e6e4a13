package admin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
)

// dialVar makes the test binary a client of the socket it names: see TestPeers.
const dialVar = "ADMIN_TEST_DIAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(dialVar); path != "" {
		c, err := admin.Dial(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		exit, err := c.Run(context.Background(), []string{"node", "status"}, admin.Options{}, os.Stdout, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(exit)
	}
	goleak.VerifyTestMain(m)
}

// TestPeers asks as other users, as far as the test may become them. The socket's mode, which would stop them first, is opened here.
func TestPeers(t *testing.T) {
	dir, err := os.MkdirTemp("", "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const group = 4711
	path := filepath.Join(dir, "s")
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	l.SetGroup(group)
	go func() { done <- admin.Serve(ctx, l, admin.NewTree(admintest.New())) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		cred   *syscall.Credential // nil: as ourselves
		served bool
	}{
		{"ourselves", nil, true},
		{"a member", &syscall.Credential{Uid: 65001, Gid: 65001, Groups: []uint32{65002, group}}, true},
		{"whose group it is", &syscall.Credential{Uid: 65001, Gid: group}, true},
		{"a stranger", &syscall.Credential{Uid: 65001, Gid: 65001, Groups: []uint32{65002}}, false},
		{"one of many groups", &syscall.Credential{Uid: 65001, Gid: 65001, Groups: append(many(200), group)}, true},
	}
	for _, tt := range tests {
		if tt.cred != nil && os.Geteuid() != 0 {
			continue // only root can become somebody else
		}
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), dialVar+"="+path)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: tt.cred}
			out, err := cmd.CombinedOutput()
			if served := err == nil; served != tt.served {
				t.Fatalf("served: %v, want %v (%v)\n%s", served, tt.served, err, out)
			}
			if !tt.served && !strings.Contains(string(out), "user 65001 may not administer this broker: be root, or a member of group 4711") {
				t.Errorf("the answer does not say why: %s", out)
			}
		})
	}
}

// many returns n group numbers.
func many(n int) (groups []uint32) {
	for i := range n {
		groups = append(groups, uint32(70000+i))
	}
	return groups
}
