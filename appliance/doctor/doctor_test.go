package doctor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/appliance/compile"
	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/source"
	"vernemq/schema"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// machine is a host in good order; files override those of /proc and /sys.
func machine(files map[string]string) Host {
	good := map[string]string{
		"/proc/sys/fs/file-max":                       "9223372036854775807",
		"/proc/sys/net/core/somaxconn":                "4096",
		"/proc/sys/net/ipv4/tcp_rmem":                 "4096 131072 6291456",
		"/proc/sys/net/ipv4/tcp_wmem":                 "4096 16384 4194304",
		"/proc/sys/net/ipv4/tcp_mem":                  "90000 120000 180000",
		"/proc/sys/net/ipv4/ip_local_port_range":      "32768\t60999",
		"/proc/sys/net/ipv4/ip_local_reserved_ports":  "\n",
		"/proc/sys/net/ipv4/tcp_migrate_req":          "1",
		"/proc/sys/vm/swappiness":                     "60",
		"/proc/sys/net/ipv4/tcp_max_syn_backlog":      "4096",
		"/proc/sys/net/core/netdev_max_backlog":       "1000",
		"/proc/sys/fs/nr_open":                        "1048576",
		"/proc/meminfo":                               "MemTotal:        8000000 kB\n",
		"/proc/swaps":                                 "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n",
		"/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
		"/proc/sys/net/netfilter/nf_conntrack_max":    "262144",
		"/proc/sys/net/netfilter/nf_conntrack_count":  "5",
		"/proc/42/limits":                             "Limit Soft Hard Units\nMax open files            100000               100000               files\n",
		"/proc/43/limits":                             "Max open files            1024 1024 files\n",
	}
	for name, text := range files {
		good[name] = text
	}
	return Host{
		ReadFile: func(name string) ([]byte, error) {
			text, ok := good[name]
			if !ok || text == "absent" {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		NoFile: func() (uint64, uint64, error) { return 1024, 524288, nil },
		Space:  func(string) (Space, error) { return Space{Total: 8 << 30, Free: 4 << 30, Files: 1000, Left: 900}, nil },
		Sync:   func(string) (Latency, error) { return Latency{time.Millisecond, 3 * time.Millisecond, 32}, nil },
		Clock:  func() (Clock, error) { return Clock{true, time.Millisecond}, nil },
		Listen: func(string, string) error { return nil },
		Access: func(string, int, []int) error { return nil },
	}
}

// input is a machine with a configuration; the data directory and the user vernemq exist.
func input(t *testing.T, host Host, conf string) Input {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	root := hostfs.New(t.TempDir())
	for name, text := range map[string]string{hostfs.DataDir + "/x": "", "/etc/passwd": "vernemq:x:998:997:::\n"} {
		if err := os.MkdirAll(filepath.Dir(root.Path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root.Path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, findings := compile.Compile(compile.Input{Schema: s, FS: source.Texts{hostfs.MainConf: conf}})
	return Input{Root: root, Host: host, Plan: p, Findings: findings, Licence: eula.State{Accepted: true, Configured: true}, Now: now}
}

const plain = "listener.tcp.default = 127.0.0.1:1883\n"

// A machine in good order has nothing to tell, in text, and every subject in JSON.
func TestGoodMachine(t *testing.T) {
	found := Examine(input(t, machine(nil), plain))
	var text, encoded bytes.Buffer
	if err := WriteText(&text, found, false); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.HasPrefix(got, "0 errors, 0 warnings, 0 notes; ") || strings.Count(got, "\n") != 1 {
		t.Errorf("a good machine has findings:\n%s", got)
	}
	if err := WriteJSON(&encoded, found); err != nil {
		t.Fatal(err)
	}
	var out struct {
		OK       bool
		Findings []Finding
	}
	if err := json.Unmarshal(encoded.Bytes(), &out); err != nil || !out.OK {
		t.Fatalf("%v, %+v", err, out)
	}
	seen := map[string]bool{}
	for _, f := range out.Findings {
		seen[f.Subject] = true
	}
	for _, e := range examiners {
		if !seen[e.subject] {
			t.Errorf("nothing is said of %s", e.subject)
		}
	}
}

// Each fault of a machine gives its finding, with what was read and the mend.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		change func(in *Input)
		conf   string
		status Status
		want   []string // parts of the finding's text
	}{
		"few files": {change: func(in *Input) { in.Host.NoFile = func() (uint64, uint64, error) { return 512, 1024, nil } }, status: Warning,
			want: []string{"limits: RLIMIT_NOFILE: 1024", "wanted: 11024", "LimitNOFILE=11024"}},
		"few files of a running broker": {change: func(in *Input) { in.Running = 43 }, status: Warning, want: []string{"RLIMIT_NOFILE: 1024", "wanted: 11024"}},
		"backlog": {files: map[string]string{"/proc/sys/net/core/somaxconn": "128"}, status: Warning,
			want: []string{"net.core.somaxconn: 128; wanted: 4096", "sysctl -w net.core.somaxconn='4096'"}},
		"conntrack": {files: map[string]string{"/proc/sys/net/netfilter/nf_conntrack_max": "4096"}, status: Warning,
			want: []string{"nf_conntrack_max: 4096 (5 in use); wanted: 13524"}},
		"TCP memory": {files: map[string]string{"/proc/sys/net/ipv4/tcp_mem": "100 200 300"}, status: Warning, want: []string{"net.ipv4.tcp_mem: 100 200 300; wanted: 5000 7500 10000"}},
		"a port in the range": {conf: "listener.tcp.default = 127.0.0.1:44444\n", status: Warning,
			want: []string{"ip_local_reserved_ports: ''; wanted: 44444", "sysctl -w net.ipv4.ip_local_reserved_ports='44444'"}},
		"another port in the range": {conf: "listener.tcp.default = 127.0.0.1:44444\n",
			files: map[string]string{"/proc/sys/net/ipv4/ip_local_reserved_ports": "8080,9000-9010\n"}, status: Warning, want: []string{"wanted: 8080,9000-9010,44444"}},
		"few ports":   {files: map[string]string{"/proc/sys/net/ipv4/ip_local_port_range": "32768 33000"}, status: Warning, want: []string{"ip_local_port_range: 32768 33000"}},
		"migrate_req": {files: map[string]string{"/proc/sys/net/ipv4/tcp_migrate_req": "0"}, status: Note, want: []string{"tcp_migrate_req: 0; wanted: 1"}},
		"clock not set": {change: func(in *Input) { in.Now = time.Unix(1000, 0) }, status: Error,
			want: []string{"clock: system clock: 1970-01-01 00:16:40 UTC; wanted", "timedatectl set-ntp true"}},
		"clock not kept": {change: func(in *Input) { in.Host.Clock = func() (Clock, error) { return Clock{}, nil } }, status: Warning, want: []string{"not synchronised"}},
		"disk full": {change: func(in *Input) {
			in.Host.Space = func(string) (Space, error) { return Space{Total: 1 << 30, Free: 1 << 20}, nil }
		}, status: Error,
			want: []string{"1 MiB of 1024 MiB; wanted: 512 MiB"}},
		"disk nearly full": {change: func(in *Input) {
			in.Host.Space = func(string) (Space, error) { return Space{Total: 1 << 30, Free: 100 << 20}, nil }
		},
			status: Warning, want: []string{"100 MiB of 1024 MiB"}},
		"no inodes": {change: func(in *Input) {
			in.Host.Space = func(string) (Space, error) { return Space{Total: 1 << 40, Free: 1 << 39, Files: 1000, Left: 1}, nil }
		}, status: Warning, want: []string{"free inodes", "1 of 1000"}},
		"tmpfs": {change: func(in *Input) {
			in.Host.Space = func(string) (Space, error) { return Space{Total: 1 << 40, Free: 1 << 39, Volatile: true}, nil }
		}, status: Warning, want: []string{"memory (tmpfs)"}},
		"NFS": {change: func(in *Input) {
			in.Host.Space = func(string) (Space, error) { return Space{Total: 1 << 40, Free: 1 << 39, Remote: true}, nil }
		}, status: Warning, want: []string{"another machine's"}},
		"slow disk": {change: func(in *Input) {
			in.Host.Sync = func(string) (Latency, error) { return Latency{45 * time.Millisecond, time.Second, 20}, nil }
		}, status: Warning, want: []string{"45ms in the middle, 1s at worst, of 20; wanted: 20ms in the middle", "profile = sdcard"}},
		"disk that fails": {change: func(in *Input) { in.Host.Sync = func(string) (Latency, error) { return Latency{}, unix.EROFS } }, status: Error,
			want: []string{"read-only file system", "remount,rw"}},
		"disk that is full": {change: func(in *Input) { in.Host.Sync = func(string) (Latency, error) { return Latency{}, unix.ENOSPC } }, status: Error,
			want: []string{"no space left on device", "free some: du -xh /var/lib/vernemq"}},
		"quota that is used up": {change: func(in *Input) { in.Host.Sync = func(string) (Latency, error) { return Latency{}, unix.EDQUOT } }, status: Error,
			want: []string{"quota exceeded", "free some: du -xh /var/lib/vernemq"}},
		"not the service's": {change: func(in *Input) { in.Host.Access = func(string, int, []int) error { return unix.EACCES } }, status: Error,
			want: []string{"the user vernemq cannot write into it", "chown -R vernemq:vernemq /var/lib/vernemq"}},
		"swap": {files: map[string]string{"/proc/swaps": "Filename Type\n/dev/mmcblk0p3 partition\n"}, status: Note, want: []string{"/dev/mmcblk0p3, vm.swappiness 60", "mend: sysctl -w vm.swappiness=1, and a file of your own"}},
		"huge pages for all, with little memory": {
			files:  map[string]string{"/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never", "/proc/meminfo": "MemTotal: 1000000 kB\n"},
			status: Note, want: []string{"memory: /sys/kernel/mm/transparent_hugepage/enabled: always; wanted: madvise", "mend: vernemq tune --apply", "less than 4 GiB"}},
		"everybody waits for huge pages": {
			files: map[string]string{"/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
				"/sys/kernel/mm/transparent_hugepage/defrag": "[always] defer defer+madvise madvise never"},
			status: Note, want: []string{"transparent_hugepage/defrag: always; wanted: madvise", "w /sys/kernel/mm/transparent_hugepage/defrag - - - - madvise"}},
		"port taken": {change: func(in *Input) {
			in.Host.Listen = func(string, string) error { return &os.SyscallError{Syscall: "bind", Err: unix.EADDRINUSE} }
		},
			status: Error, want: []string{"listeners: listener.tcp.default = 127.0.0.1:1883: another program listens there", "sport = :1883", "vernemq.conf:1"}},
		"address of another machine": {change: func(in *Input) { in.Host.Listen = func(string, string) error { return unix.EADDRNOTAVAIL } }, status: Error,
			want: []string{"this machine does not have that address"}},
		"port below 1024": {change: func(in *Input) { in.Host.Listen = func(string, string) error { return unix.EACCES } }, status: Note,
			want: []string{"ports below 1024 need a right", "vernemq.socket", "ListenStream=127.0.0.1:1883"}},
		"licence": {change: func(in *Input) { in.Licence = eula.State{} }, status: Error, want: []string{"not accepted", "vernemq chkconfig"}},
		"changed licence": {change: func(in *Input) { in.Licence = eula.State{Configured: true, Changed: true} }, status: Error,
			want: []string{"an older text is accepted", "vernemq chkconfig --accept-eula"}},
		"configuration": {conf: plain + "queue_type = fifi\n", status: Error, want: []string{"/etc/vernemq/vernemq.conf:2:14", "did you mean fifo?"}},
	} {
		t.Run(name, func(t *testing.T) {
			conf := c.conf
			if conf == "" {
				conf = plain
			}
			in := input(t, machine(c.files), conf)
			if c.change != nil {
				c.change(&in)
			}
			found := Examine(in)
			var text bytes.Buffer
			if err := WriteText(&text, found, false); err != nil {
				t.Fatal(err)
			}
			got := text.String()
			if bad := Count(found, Error) + Count(found, Warning) + Count(found, Note); bad != 1 || Count(found, c.status) != 1 {
				t.Errorf("one %s is wanted, and nothing else:\n%s", c.status, got)
			}
			for _, part := range append(c.want, string(c.status)+": ", "    why:  ", "    mend: ") {
				if !strings.Contains(got, part) {
					t.Errorf("no %q in:\n%s", part, got)
				}
			}
		})
	}
}

// What the machine does not tell is no fault.
func TestSilentMachine(t *testing.T) {
	host := machine(nil)
	fails := errors.New("no")
	host.ReadFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	host.NoFile = func() (uint64, uint64, error) { return 0, 0, fails }
	host.Space = func(string) (Space, error) { return Space{}, fails }
	host.Sync = func(string) (Latency, error) { return Latency{}, fs.ErrPermission }
	host.Clock = func() (Clock, error) { return Clock{}, fails }
	found := Examine(input(t, host, plain))
	for _, f := range found {
		if f.Status != OK && f.Status != Unknown {
			t.Errorf("%+v", f)
		}
	}
	if Count(found, Unknown) == 0 {
		t.Error("nothing is unknown")
	}
}

func TestCertificates(t *testing.T) {
	for name, c := range map[string]struct {
		from, to time.Time
		text     string
		status   Status
		want     string
	}{
		"good":        {now.AddDate(0, -1, 0), now.AddDate(1, 0, 0), "", OK, "valid until 2027-06-01"},
		"ends soon":   {now.AddDate(0, -1, 0), now.AddDate(0, 0, 10), "", Warning, "10 are left"},
		"ended":       {now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1), "", Error, "valid until 2026-05-31"},
		"not yet":     {now.AddDate(0, 0, 1), now.AddDate(1, 0, 0), "", Error, "this one begins 2026-06-02 12:00:00 UTC"},
		"no PEM":      {text: "nothing", status: Error, want: "no certificate in PEM form"},
		"not a cert":  {text: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", status: Error, want: "no certificate in PEM form"},
		"not present": {status: Error, want: "no such file"},
	} {
		in := input(t, machine(nil), plain)
		file := "/etc/ssl/x.pem"
		if c.text != "" || !c.to.IsZero() {
			text := []byte(c.text)
			if c.text == "" {
				text = certificate(t, c.from, c.to)
			}
			if err := os.MkdirAll(in.Root.Path("/etc/ssl"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in.Root.Path(file), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f := in.certificate("listener.ssl.x.certfile", file)
		if f.Status != c.status || !strings.Contains(f.Reading+" "+f.Wanted, c.want) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func certificate(t *testing.T, from, to time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// The readings of the machine the tests run on can be taken, and leave nothing behind.
func TestThisMachine(t *testing.T) {
	h, dir := This(""), t.TempDir()
	if s, err := h.Space(dir); err != nil || s.Total == 0 {
		t.Errorf("space: %+v, %v", s, err)
	}
	if l, err := h.Sync(dir); err != nil || l.Samples == 0 || l.Worst < l.Median {
		t.Errorf("sync: %+v, %v", l, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := h.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Errorf("listen: %v", err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	uid, gid, _ := hostfs.Owner(dir)
	if err := h.Access(dir, uid, []int{gid}); err != nil {
		t.Errorf("the owner cannot write: %v", err)
	}
	if err := h.Access(dir, 1<<20, []int{1 << 20}); !errors.Is(err, unix.EACCES) {
		t.Errorf("a stranger can write: %v", err)
	}
}

func TestOpenFiles(t *testing.T) {
	for text, want := range map[string]struct {
		soft, hard uint64
		ok         bool
	}{
		"Max open files 1024 4096 files\n":     {1024, 4096, true},
		"Max open files unlimited unlimited f": {1 << 63, 1 << 63, true},
		"Max open files 1024\n":                {},
		"Max open files many 5 files\n":        {},
		"Max processes 1 2 processes\n":        {},
		"":                                     {},
	} {
		soft, hard, ok := openFiles(text)
		if soft != want.soft || hard != want.hard || ok != want.ok {
			t.Errorf("%q: %d, %d, %v", text, soft, hard, ok)
		}
	}
}

func TestInPorts(t *testing.T) {
	for _, c := range []struct {
		list string
		port int
		want bool
	}{{"", 1, false}, {"1", 1, true}, {"2,5-7", 6, true}, {"2,5-7", 8, false}, {"x-y,3", 3, true}, {"9-", 9, false}} {
		if got := inPorts(c.list, c.port); got != c.want {
			t.Errorf("%q, %d: %v", c.list, c.port, got)
		}
	}
}

// Who may not know whether the broker runs is not told that another program has its port.
func TestHiddenBroker(t *testing.T) {
	in := input(t, machine(nil), plain)
	in.Hidden = true
	in.Host.Listen = func(string, string) error { return unix.EADDRINUSE }
	var found []Finding
	for _, f := range Examine(in) {
		if strings.HasPrefix(f.Name, "listener.tcp.default") {
			found = append(found, f)
		}
	}
	if len(found) != 1 || found[0].Status != Unknown || !strings.Contains(found[0].Reading, "perhaps the broker") {
		t.Errorf("%+v", found)
	}
}
