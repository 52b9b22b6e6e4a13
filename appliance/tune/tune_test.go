package tune

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vernemq/appliance/hostfs"
)

// The kernel's choices of huge pages.
const (
	pages  = "/sys/kernel/mm/transparent_hugepage/enabled"
	defrag = "/sys/kernel/mm/transparent_hugepage/defrag"
)

// No figure gets lower; a range of ports may begin lower.
func TestRaise(t *testing.T) {
	for _, c := range []struct{ name, before, wanted, want string }{
		{"net.core.somaxconn", "128", "4096", "4096"},
		{"net.core.somaxconn", "65535", "4096", "65535"},
		{"net.ipv4.tcp_rmem", "8192 131072 32768", "4096 16384 65536", "8192 131072 65536"},
		{"net.ipv4.ip_local_port_range", "40000 65000", "32768 60999", "32768 65000"},
		{"net.ipv4.ip_local_reserved_ports", "8080", "8080,40000", "8080,40000"},
		{pages, "always", "madvise", "madvise"},
	} {
		if got := raise(c.name, c.before, c.wanted); got != c.want {
			t.Errorf("raise(%s, %q, %q) = %q, want %q", c.name, c.before, c.wanted, got, c.want)
		}
	}
}

// The limit of the service is that of its unit and of the drop-ins behind it.
func TestUnitLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		limit uint64
		known bool
	}{
		"no service": {nil, 0, false},
		"none set":   {map[string]string{units[2]: "[Service]\nUser=vernemq\n"}, 0, true},
		"unit":       {map[string]string{units[2]: "[Service]\nLimitNOFILE=1048576\n"}, 1048576, true},
		"two limits": {map[string]string{units[2]: "LimitNOFILE=1024:4096\n"}, 4096, true},
		"infinity":   {map[string]string{units[2]: "LimitNOFILE=infinity\n"}, 1 << 30, true},
		"drop-in":    {map[string]string{units[2]: "LimitNOFILE=1024\n", dropIns[2] + "/a.conf": "LimitNOFILE=9\n", dropIns[2] + "/b.conf": "LimitNOFILE=7\n"}, 7, true},
		"own unit":   {map[string]string{units[2]: "LimitNOFILE=1024\n", units[0]: "LimitNOFILE=8\n"}, 8, true},
	} {
		m := Machine{Root: hostfs.New(t.TempDir())}
		for file, text := range c.files {
			host := m.Root.Path(file)
			if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(host, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if limit, known := m.unitLimit(); limit != c.limit || known != c.known {
			t.Errorf("%s: %d, %t, want %d, %t", name, limit, known, c.limit, c.known)
		}
	}
}

// Whatever Apply has written down, Revert takes back, names with a hyphen too.
func TestRevertEveryName(t *testing.T) {
	m := Machine{Root: hostfs.New(t.TempDir())}
	names := []string{defrag, pages, "fs.file-max", "fs.nr_open", "net.ipv4.tcp_migrate_req"}
	var list []Setting
	for _, name := range names {
		list = append(list, Setting{Name: name, Before: "1", After: "2"})
	}
	if err := m.Apply(list); err != nil {
		t.Fatal(err)
	}
	back, err := m.Revert()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range back {
		if i >= len(names) || s.Name != names[i] || s.After != "1" {
			t.Errorf("%d: %+v", i, s)
		}
	}
	if len(back) != len(names) {
		t.Errorf("%d of %d are taken back", len(back), len(names))
	}
	for _, name := range []string{hostfs.TuneSysctl, hostfs.TunePages, hostfs.TuneRecord} {
		if _, err := os.Stat(m.Root.Path(name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

// Where huge pages cannot be chosen, that is said, and nothing is written for them; all else goes on.
func TestHugePagesOfAnother(t *testing.T) {
	m := Machine{Root: hostfs.New(t.TempDir()), Proc: t.TempDir(), Live: true}
	if err := os.MkdirAll(m.path(pages), 0o755); err != nil { // cannot be written, not even by root
		t.Fatal(err)
	}
	list := []Setting{{Name: pages, Before: "always", After: "madvise"}}
	if err := m.Apply(list); err != nil {
		t.Fatal(err)
	}
	if s := list[0]; !s.Failed || !strings.Contains(s.Applied, "not here: is a directory") || !strings.Contains(s.Applied, "only its host") {
		t.Errorf("%+v", s)
	}
	if _, err := m.Revert(); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing was changed, but Revert says %v", err)
	}

	const other = "fs.file-max"
	if err := os.MkdirAll(filepath.Dir(m.path(other)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(other), []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list = append(list, Setting{Name: other, Before: "1", After: "2"})
	list[0].Failed, list[0].Applied = false, ""
	if err := m.Apply(list); err != nil || !list[0].Failed || list[1].Failed {
		t.Errorf("%v, %+v", err, list)
	}
	if _, err := os.Stat(m.Root.Path(hostfs.TunePages)); err == nil {
		t.Errorf("%s is written", hostfs.TunePages)
	}
	if back, err := m.Revert(); err != nil || len(back) != 1 || back[0].Name != other {
		t.Errorf("%v, %+v", err, back)
	}
}

// A record that somebody has written leads to no other file and to no other place of /proc.
func TestForgedRecord(t *testing.T) {
	for _, text := range []string{
		`{"files":{"/etc/passwd":"x"}}`, `{"sysctls":{"..":{"before":"1","after":"2"}}}`, `{"sysctls":{"kernel/../core":{}}}`, `{`,
		`{"pages":{"/sys/power/state":{"before":"mem","after":"madvise"}}}`, `{"sysctls":{"` + pages + `":{}}}`,
	} {
		m := Machine{Root: hostfs.New(t.TempDir()), Live: true}
		if err := m.put(hostfs.TuneRecord, text); err != nil {
			t.Fatal(err)
		}
		if list, err := m.Revert(); err == nil {
			t.Errorf("%s: %v", text, list)
		}
	}
}
