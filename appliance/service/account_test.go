package service

import (
	"os"
	"path/filepath"
	"testing"

	"vernemq/appliance/hostfs"
)

func TestFindAccount(t *testing.T) {
	for name, c := range map[string]struct {
		passwd string
		want   Account
		ok     bool
	}{
		"found":             {"root:x:0:0::/root:/bin/sh\nvernemq:x:998:997:VerneMQ broker:/var/lib/vernemq:/bin/bash\n", Account{998, 997}, true},
		"no line end":       {"vernemq:x:1:2", Account{1, 2}, true},
		"a longer name":     {"vernemq2:x:1:2::/:/bin/sh\n", Account{}, false},
		"too few fields":    {"vernemq:x:1\n", Account{}, false},
		"not a number":      {"vernemq:x:me:2::/:/bin/sh\n", Account{}, false},
		"negative":          {"vernemq:x:-1:2::/:/bin/sh\n", Account{}, false},
		"the first counts":  {"vernemq:x:5:6:::\nvernemq:x:7:8:::\n", Account{5, 6}, true},
		"nobody else there": {"", Account{}, false},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "etc", "passwd"), []byte(c.passwd), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, ok := FindAccount(hostfs.New(dir), User); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v, want %v, %v", name, got, ok, c.want, c.ok)
		}
	}
	if _, ok := FindAccount(hostfs.New(t.TempDir()), User); ok {
		t.Error("an account without a list of accounts")
	}
}
