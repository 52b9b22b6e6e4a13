package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The script that runs before the packages' files are there keeps a package from a processor that could not run it, and says which one can.
func TestPreinstProcessor(t *testing.T) {
	for _, c := range []struct{ arch, machine, says string }{
		{"arm7", "armv6l", "+armv6"},
		{"arm7", "armv7l", ""},
		{"arm7", "aarch64", ""},
		{"arm6", "armv6l", ""},
		{"arm6", "armv7l", ""},
		{"amd64", "x86_64", ""},
	} {
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "uname"), []byte("#!/bin/sh\necho "+c.machine+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("@ARCH@", c.arch, "@STORE_ELDEST@", "1", "@STORE_VERSION@", "2", "data=/var/lib/vernemq", "data="+bin).Replace(readText(t, "packaging/scripts/preinst"))
		if strings.Contains(text, "@") {
			t.Fatal("a place of preinst is not filled in: .ci/packages and this test have to know it")
		}
		cmd := exec.Command("/bin/sh", "-s", "install")
		cmd.Stdin = strings.NewReader(text)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if refused := err != nil; refused != (c.says != "") || !strings.Contains(string(out), c.says) || !refused && len(out) > 0 {
			t.Errorf("%s on %s: %v\n%s", c.arch, c.machine, err, out)
		}
	}
}

// The same script keeps a package from a store that its program could not read, and lets the others be.
func TestPreinstStore(t *testing.T) {
	for version, refused := range map[string]bool{"1": true, "2": false, "3": false, "4": true, "99": true} {
		data := t.TempDir()
		if err := os.Mkdir(filepath.Join(data, "store"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, "store", "VERSION"), []byte("vernemq-store "+version+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("@ARCH@", "amd64", "@STORE_ELDEST@", "2", "@STORE_VERSION@", "3", "data=/var/lib/vernemq", "data="+data).
			Replace(readText(t, "packaging/scripts/preinst"))
		cmd := exec.Command("/bin/sh", "-s", "upgrade")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		if (err != nil) != refused || refused && !strings.Contains(string(out), "has version "+version+", and this package's broker knows 2 to 3") {
			t.Errorf("a store of version %s: %v\n%s", version, err, out)
		}
	}
}
