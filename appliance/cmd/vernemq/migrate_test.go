package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"vernemq/appliance/hostfs"
)

// What root migrates into /etc/vernemq can be read by the service, whose group that directory has.
func TestMigrateGroup(t *testing.T) {
	root := t.TempDir()
	etc := filepath.Join(root, hostfs.EtcDir)
	if err := os.MkdirAll(etc, 0o750); err != nil {
		t.Fatal(err)
	}
	gid := os.Getegid()
	if os.Geteuid() == 0 {
		gid = 65534
		if err := os.Chown(etc, -1, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(etc, "old.conf"), []byte("allow_anonymous = on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"vernemq", "--root", root, "config", "migrate", "--from=vernemq", "--output=/etc/vernemq/new.conf", "/etc/vernemq/old.conf"},
		nil, &out, &errs); code != exitOK {
		t.Fatalf("exit %d\n%s", code, errs.String())
	}
	name := filepath.Join(etc, "new.conf")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, got, ok := hostfs.Owner(name); !ok || got != gid || info.Mode().Perm() != 0o640 {
		t.Errorf("group %d and mode %o, want %d and 640", got, info.Mode().Perm(), gid)
	}
}
