package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/source"
)

// Started by root for somebody else, the broker runs as that user with its directories, and cannot become root again. Somebody who is not root is told.
func TestUser(t *testing.T) {
	const name = "nobody"
	u, ok := source.Account(source.Host(hostfs.New("")), name)
	if !ok {
		t.Fatalf("this machine has no user %s", name)
	}
	root := t.TempDir()
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil { // the user has to get there
		t.Fatal(err)
	}
	vernemq := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "vernemq", append([]string{"--root", root}, args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	start := []string{"start", "--user", name, "--accept-eula", "--set", "listener.tcp.default=127.0.0.1:0"}
	if os.Geteuid() != 0 {
		if out, err := vernemq(start...); err == nil || !strings.Contains(out, "only root can start the broker as somebody else") {
			t.Errorf("%v, %s", err, out)
		}
		return
	}
	if out, err := vernemq("start", "--user", "nobody-of-that-name"); err == nil || !strings.Contains(out, "there is no user nobody-of-that-name") {
		t.Errorf("a user that does not exist: %v, %s", err, out)
	}
	if out, err := vernemq(start...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _, _ = vernemq("stop") })
	pid, err := vernemq("getpid")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%s/status", strings.TrimSpace(pid)))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		fields[key] = strings.Join(strings.Fields(value), " ")
	}
	id, gid := fmt.Sprint(u.UID), fmt.Sprint(u.GIDs[0])
	if want := strings.Join([]string{id, id, id, id}, " "); fields["Uid"] != want {
		t.Errorf("Uid: %s, want %s", fields["Uid"], want)
	}
	if want := strings.Join([]string{gid, gid, gid, gid}, " "); fields["Gid"] != want {
		t.Errorf("Gid: %s, want %s", fields["Gid"], want)
	}
	const lowPorts = "0000000000000400" // CAP_NET_BIND_SERVICE and nothing else
	if got := fields["CapEff"]; got != lowPorts && got != "0000000000000000" {
		t.Errorf("capabilities %s", got)
	}
	for _, name := range []string{hostfs.DataDir, hostfs.DataDir + "/store", hostfs.CompiledDir, hostfs.LogDir, consoleLog, hostfs.RunDir, hostfs.PIDFile, hostfs.AdminSocket} {
		if uid, _, ok := hostfs.Owner(filepath.Join(root, name)); !ok || uid != u.UID {
			t.Errorf("%s belongs to %d (%t), want %d", name, uid, ok, u.UID)
		}
	}
	if out, err := vernemq("reload", "--wait"); err != nil {
		t.Errorf("reload by root: %v\n%s", err, out)
	}
	if out, err := vernemq("restart", "--user", name, "--accept-eula", "--set", "listener.tcp.default=127.0.0.1:0"); err != nil {
		t.Errorf("restart: %v\n%s", err, out)
	}
	if out, err := vernemq("stop"); err != nil {
		t.Errorf("stop: %v\n%s", err, out)
	}
}

// What a broker of root has left behind is named, not given away.
func TestHandOverNamesWhatIsRoots(t *testing.T) {
	root := hostfs.New(t.TempDir())
	if err := os.MkdirAll(root.Path(hostfs.DataDir+"/store"), 0o750); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	p := &program{root: root, stderr: &errs}
	err := p.handOver(source.User{Name: "x", UID: os.Geteuid(), GIDs: []int{os.Getegid()}})
	if os.Geteuid() != 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "store of "+root.Path(hostfs.DataDir)+" belongs to root: chown -R x: ") {
		t.Errorf("%v", err)
	}
}
