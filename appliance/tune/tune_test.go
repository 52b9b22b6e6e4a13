package tune

import (
	"os"
	"path/filepath"
	"testing"

	"vernemq/appliance/hostfs"
)

// No figure gets lower; a range of ports may begin lower.
func TestRaise(t *testing.T) {
	for _, c := range []struct{ name, before, wanted, want string }{
		{"net.core.somaxconn", "128", "4096", "4096"},
		{"net.core.somaxconn", "65535", "4096", "65535"},
		{"net.ipv4.tcp_rmem", "8192 131072 32768", "4096 16384 65536", "8192 131072 65536"},
		{"net.ipv4.ip_local_port_range", "40000 65000", "32768 60999", "32768 65000"},
		{"net.ipv4.ip_local_reserved_ports", "8080", "8080,40000", "8080,40000"},
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
	names := []string{"fs.file-max", "fs.nr_open", "net.ipv4.tcp_migrate_req"}
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
	if _, err := os.Stat(m.Root.Path(hostfs.TuneSysctl)); err == nil {
		t.Errorf("%s is still there", hostfs.TuneSysctl)
	}
}

// A record that somebody has written leads to no other file and to no other place of /proc.
func TestForgedRecord(t *testing.T) {
	for _, text := range []string{
		`{"files":{"/etc/passwd":"x"}}`, `{"sysctls":{"..":{"before":"1","after":"2"}}}`, `{"sysctls":{"kernel/../core":{}}}`, `{`,
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
