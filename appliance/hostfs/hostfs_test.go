package hostfs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRoot(t *testing.T) {
	for _, c := range []struct{ root, path, want string }{
		{"", "/etc/vernemq", "/etc/vernemq"},
		{"/", "/etc/vernemq", "/etc/vernemq"},
		{"/r", "/etc/vernemq", "/r/etc/vernemq"},
		{"/r", "/../../etc", "/r/etc"},
		{"/r", "relative", "relative"},
	} {
		if got := New(c.root).Path(c.path); got != c.want {
			t.Errorf("New(%q).Path(%q) = %q, want %q", c.root, c.path, got, c.want)
		}
	}
	r := New("/r")
	for host, want := range map[string]string{"/r/etc/x": "/etc/x", "/r": "/", "/root/x": "/root/x"} {
		if got := r.Inside(host); got != want {
			t.Errorf("Inside(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("new"), 0o640, -1, -1); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("target holds %q", got)
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the symlink was replaced")
	}
	if info, _ := os.Stat(target); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("temporary files stay: %v", left)
	}
	if err := WriteFile(filepath.Join(dir, "none", "x"), nil, 0o600, -1, -1); err == nil {
		t.Error("no error for a missing directory")
	}
}
