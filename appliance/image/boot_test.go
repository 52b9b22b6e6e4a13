package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/hostfs"
)

const goodConf = "accept_eula = yes\nlistener.tcp.default = 0.0.0.0:1884\nallow_anonymous = off\n"

func TestConfigurationIsAppliedOrKept(t *testing.T) {
	b := newBox(t)
	if s := b.boot(); s.Licence || s.Configuration != ConfApplied || !strings.Contains(b.console.String(), "NOT ACCEPTED") {
		t.Errorf("an empty partition: %+v\n%s", s, b.console.String())
	}
	b.write("vernemq.conf", goodConf+"include conf.d/*.conf\n")
	b.write("conf.d/10-size.conf", "max_message_size = 1000\n")
	b.write("conf.d/._10-size.conf", "\x00\x05")
	b.write("certificates/server.pem", "a certificate")
	b.write("hostname", "Gateway-7\r\n")
	b.write("network.conf", "address = 10.0.0.2/24\ngateway = 10.0.0.1\nntp = time.example 10.0.0.3\n")
	b.write("authorized_keys", "# mine\nssh-ed25519 AAAAC3 me\n")
	b.write("vmq.acl", "topic #\n")
	if s := b.boot(); s.Configuration != ConfApplied || !s.Licence || s.Report != "" {
		t.Errorf("a good one: %+v\n%s", s, b.console.String())
	}
	check := func() {
		t.Helper()
		for name, want := range map[string]string{
			hostfs.ImageConf:                           goodConf + "include conf.d/*.conf\n",
			hostfs.ImageConfs + "/10-size.conf":        "max_message_size = 1000\n",
			"/etc/vernemq/certificates/server.pem":     "a certificate",
			"/etc/hostname":                            "gateway-7\n",
			sshHome + "/.ssh/authorized_keys":          "# mine\nssh-ed25519 AAAAC3 me\n",
			"/etc/vernemq/vmq.acl":                     "topic #\n",
			ntpFile:                                    "[Time]\nNTP=time.example 10.0.0.3\n",
			"/etc/systemd/network/10-image.network":    "[Match]\nName=en* eth* end*\n\n[Network]\nAddress=10.0.0.2/24\nIPv6AcceptRA=yes\nLinkLocalAddressing=ipv6\nGateway=10.0.0.1\n",
			hostfs.ImageConfs + "/._10-size.conf":      "",
			"/etc/vernemq/certificates/old-server.pem": "",
		} {
			if d := cmp.Diff(want, b.read(name)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		if b.hostname != "gateway-7" {
			t.Errorf("host name %q", b.hostname)
		}
	}
	check()
	if text := b.on("status.txt"); !strings.Contains(text, "applied\r\n") {
		t.Errorf("status.txt: %q", text)
	}

	b.write("vernemq.conf", "accept_eula = yes\nlistener.tcp.default = 0.0.0.0\n")
	b.write("certificates/old-server.pem", "another")
	b.write("network.conf", "adr = 10.0.0.9/24\n")
	b.write("hostname", "not a name\n")
	b.write("authorized_keys", "command=\"sh\" ssh-ed25519 AAAA\n")
	s := b.boot()
	if s.Configuration != ConfKept || !s.Licence {
		t.Errorf("a bad one: %+v", s)
	}
	for _, want := range []string{"vernemq.conf:2:24: error: listener.tcp.default", "network.conf:1:1: error: unknown key adr", "hostname: error",
		"authorized_keys:1: error", "4 errors"} {
		if !strings.Contains(s.Report, want) || !strings.Contains(b.on("status.txt"), want) || !strings.Contains(b.console.String(), want) {
			t.Errorf("not told: %s\n%s", want, s.Report)
		}
	}
	check()

	b.write("vernemq.conf", "accept_eula = no\n")
	for _, name := range []string{"network.conf", "hostname", "authorized_keys"} {
		if err := os.Remove(filepath.Join(b.dir, PartConfig, name)); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.boot(); s.Configuration != ConfApplied || s.Licence {
		t.Errorf("the licence is taken back: %+v", s)
	}
	if b.read("/etc/systemd/network/10-image.network")+b.read(sshHome+"/.ssh/authorized_keys") != "" {
		t.Error("what was taken off the partition stays")
	}
}

func TestErrorsWithoutAnythingGood(t *testing.T) {
	b := newBox(t)
	b.write("vernemq.conf", "accept_eula = yes\nnonsense\n")
	if s := b.boot(); s.Configuration != ConfDefaults || s.Licence || b.read(hostfs.ImageConf) != "" {
		t.Errorf("%+v", s)
	}
}

func TestPartitionThatCannotBeRead(t *testing.T) {
	b := newBox(t)
	b.write("vernemq.conf", goodConf)
	b.boot()
	b.broken = true
	if s := b.boot(); s.Configuration != ConfNone || !s.Licence || b.read(hostfs.ImageConf) != goodConf {
		t.Errorf("%+v", s)
	}
}

func TestTooMuchOnThePartition(t *testing.T) {
	b := newBox(t)
	b.write("vernemq.conf", goodConf)
	b.boot()
	b.write("conf.d/big.conf", strings.Repeat("# much\n", maxBundle/7+1))
	b.console.Reset()
	if err := b.Boot(); err == nil || !strings.Contains(err.Error(), "more than 8 MB") {
		t.Errorf("%v", err)
	}
	if b.read(hostfs.ImageConf) != goodConf {
		t.Error("the last good configuration is gone")
	}
}

func TestDebugShell(t *testing.T) {
	b := newBox(t)
	if s := b.boot(); s.DebugShell || b.exists(DebugShell) {
		t.Error("a shell without being asked for")
	}
	b.write("debug-shell", "")
	if s := b.boot(); !s.DebugShell || !b.exists(DebugShell) || !strings.Contains(b.console.String(), "DEBUG SHELL") {
		t.Errorf("%+v\n%s", s, b.console.String())
	}
}

func TestFactoryReset(t *testing.T) {
	fill := func(b *box) {
		b.t.Helper()
		for _, name := range []string{"/data/var/lib/vernemq/x", "/data/image/last-good.json", "/data/machine-id", "/data/ssh/key"} {
			if err := put(b.Root, name, []byte("x"), 0o600, -1); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	empty := func(b *box, what string) {
		b.t.Helper()
		if left := b.read("/data/var/lib/vernemq/x") + b.read("/data/image/last-good.json") + b.read("/data/machine-id") + b.read("/data/ssh/key"); left != "" {
			b.t.Errorf("%s: something is left", what)
		}
		if info, err := os.Stat(b.Root.Path("/data/var")); err != nil || !info.IsDir() {
			b.t.Errorf("%s: the directory that is mounted elsewhere is gone", what)
		}
	}
	t.Run("file", func(t *testing.T) {
		b := newBox(t)
		b.write("factory-reset", "")
		fill(b)
		b.boot()
		empty(b, "file")
		if b.reboots != 1 {
			t.Errorf("%d restarts", b.reboots)
		}
		fill(b)
		if b.boot(); b.reboots != 1 || b.read("/data/ssh/key") == "" {
			t.Error("one request, two resets")
		}
	})
	t.Run("partition that cannot be written", func(t *testing.T) {
		b := newBox(t)
		b.write("factory-reset", "")
		b.locked = true
		fill(b)
		b.boot()
		empty(b, "locked")
		fill(b)
		if b.boot(); b.reboots != 1 || b.read("/data/ssh/key") == "" {
			t.Errorf("%d restarts: one request, two resets", b.reboots)
		}
	})
	t.Run("command", func(t *testing.T) {
		b := newBox(t)
		fill(b)
		if err := b.RequestReset(); err != nil {
			t.Fatal(err)
		}
		b.boot()
		empty(b, "command")
		if b.reboots != 1 || b.exists(resetFile) {
			t.Error("the request stays")
		}
	})
	t.Run("data partition that cannot be used", func(t *testing.T) {
		b := newBox(t)
		b.write("factory-reset", "")
		if err := put(b.Root, NoData, []byte("/dev/vda5\n"), 0o600, -1); err != nil {
			t.Fatal(err)
		}
		b.boot()
		if d := cmp.Diff([]string{"/dev/vda5"}, b.made); d != "" || b.reboots != 1 {
			t.Errorf("%d restarts, %s", b.reboots, d)
		}
	})
	t.Run("neither partition can be used", func(t *testing.T) {
		b := newBox(t)
		b.write("factory-reset", "")
		b.locked = true
		if err := put(b.Root, NoData, []byte("/dev/vda5\n"), 0o600, -1); err != nil {
			t.Fatal(err)
		}
		if b.boot(); b.reboots != 1 || len(b.made) != 1 {
			t.Errorf("%d restarts, made anew: %v", b.reboots, b.made)
		}
	})
}

func TestParseBooted(t *testing.T) {
	for line, want := range map[string]Booted{
		"quiet vernemq.slot=b vernemq.trial\n": {SlotB, true},
		"vernemq.slot=a":                       {SlotA, false},
	} {
		if got, ok := ParseBooted(line); !ok || got != want {
			t.Errorf("%q: %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "quiet", "vernemq.slot=", "vernemq.slot=c"} {
		if _, ok := ParseBooted(line); ok {
			t.Errorf("%q is an appliance's", line)
		}
	}
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"address = 10.0.0.2\n":        "network.conf:1:11: error: address",
		"address = 10.0.0.2/33\n":     "error: address",
		"gateway = 10.0.0.1\n":        "a gateway without an address",
		"dns = 10.0.0.1, 10.0.0.2\n":  "error: dns",
		"interface = eth0;rm\n":       "error: interface",
		"mtu = 9217\n":                "error: mtu",
		"ipv6 = no\n":                 "error: ipv6",
		"ntp = a..b\n":                "error: ntp",
		"domain = -x\n":               "error: domain",
		"[Network]\n":                 "error",
		"address = 'x\n[Match]\n'\n":  "error",
		"address = fe80::1%eth0/64\n": "error: address",
	} {
		_, r := parseNetwork([]byte(text))
		var out strings.Builder
		if err := r.WriteText(&out, 0); err != nil {
			t.Fatal(err)
		}
		if !r.Fatal(false) || !strings.Contains(out.String(), want) {
			t.Errorf("%q: %s", text, out.String())
		}
	}
	n, r := parseNetwork([]byte("interface = eth1\nipv6 = off\nmtu = 1400\ndns = 10.0.0.1 fd00::1\ndomain = a.example\n"))
	want := "[Match]\nName=eth1\n\n[Link]\nMTUBytes=1400\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\nDNS=10.0.0.1\nDNS=fd00::1\nDomains=a.example\n" +
		"\n[DHCPv4]\nUseDomains=yes\nClientIdentifier=mac\n"
	if d := cmp.Diff(want, n.unit()); d != "" || r.Fatal(true) {
		t.Errorf("%s\n%+v", d, r)
	}
}
