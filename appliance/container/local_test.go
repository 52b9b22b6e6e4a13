package container

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/source"
)

func TestLocal(t *testing.T) {
	dir := t.TempDir()
	files := source.Host(hostfs.New(dir))
	environ := []string{"DOCKER_VERNEMQ_ACCEPT_EULA=yes", "DOCKER_VERNEMQ_NODENAME=x", "DOCKER_IP_ADDRESS=10.1.2.3", "ACCEPT_EULA=yes", "A=b"}
	if main, _, kept := Local(files, environ); main != "" || !cmp.Equal(kept, environ) {
		t.Errorf("without the file: %q, %q", main, kept)
	}
	path := filepath.Join(dir, LocalConf)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("a = ###IPADDRESS###:1\nb = ###IPADDRESS###:2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	main, files, kept := Local(files, environ)
	if diff := cmp.Diff([]string{"DOCKER_VERNEMQ_ACCEPT_EULA=yes", "DOCKER_IP_ADDRESS=10.1.2.3", "ACCEPT_EULA=yes", "A=b"}, kept); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	text, err := files.ReadFile(main, 1000)
	if err != nil || string(text) != "a = 10.1.2.3:1\nb = 10.1.2.3:2\n" {
		t.Errorf("%q, %v", text, err)
	}
	if mode, ok := source.Mode(files, main); !ok || mode != fs.FileMode(0o644) {
		t.Errorf("mode %v, %v", mode, ok)
	}
	if way, ok := source.Way(files, main); !ok || len(way) == 0 {
		t.Errorf("way %v, %v", way, ok)
	}
}

func TestAddress(t *testing.T) {
	list := func() []netInterface {
		return []netInterface{
			{"lo", true, []net.IP{net.IPv4(127, 0, 0, 1)}},
			{"six", false, []net.IP{net.ParseIP("fd00::1")}},
			{"eth0", false, []net.IP{net.ParseIP("fd00::2"), net.IPv4(10, 0, 0, 2)}},
			{"eth1", false, []net.IP{net.IPv4(10, 0, 1, 2)}},
		}
	}
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"the first":    {nil, "10.0.0.2"},
		"named":        {[]string{"DOCKER_NET_INTERFACE=eth1"}, "10.0.1.2"},
		"loopback":     {[]string{"DOCKER_NET_INTERFACE=lo"}, "127.0.0.1"},
		"no IPv4":      {[]string{"DOCKER_NET_INTERFACE=six"}, ""},
		"not there":    {[]string{"DOCKER_NET_INTERFACE=eth9"}, ""},
		"given":        {[]string{"DOCKER_NET_INTERFACE=eth1", "DOCKER_IP_ADDRESS=10.9.9.9"}, "10.9.9.9"},
		"empty, unset": {[]string{"DOCKER_NET_INTERFACE=", "DOCKER_IP_ADDRESS="}, "10.0.0.2"},
	} {
		if got := address(c.environ, list); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, i := range interfaces() {
		if i.name == "" {
			t.Error("an interface without a name")
		}
	}
}

func TestIdle(t *testing.T) {
	environ := []string{"DOCKER_VERNEMQ_SWARM=1", "DOCKER_VERNEMQ_DISCOVERY_NODE=10.0.0.1", "DOCKER_VERNEMQ_ALLOW_ANONYMOUS=on", "DOCKER_IP_ADDRESS=1",
		"API_KEY=secret", "PATH=/bin"}
	want := []string{
		"API_KEY has no effect: there is no HTTP interface to protect yet",
		"DOCKER_IP_ADDRESS has no effect: set DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT=ADDRESS:1883 to listen on one address only",
		"DOCKER_VERNEMQ_DISCOVERY_NODE has no effect: this broker runs alone: it does not join others yet",
		"DOCKER_VERNEMQ_SWARM has no effect: this broker runs alone: it does not join others yet",
	}
	if diff := cmp.Diff(want, Idle(environ, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Idle([]string{"DOCKER_IP_ADDRESS=1", "DOCKER_NET_INTERFACE=eth0"}, true); got != nil {
		t.Errorf("with a file of its own: %q", got)
	}
}
