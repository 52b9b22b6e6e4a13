package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// host is one whose readings are given: sysctls by name, and the limits of open files.
func host(soft, hard uint64, sysctls map[string]string) Host {
	return Host{
		ReadFile: func(name string) ([]byte, error) {
			text, ok := sysctls[strings.ReplaceAll(strings.TrimPrefix(name, "/proc/sys/"), "/", ".")]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text + "\n"), nil
		},
		NoFile: func() (uint64, uint64, error) { return soft, hard, nil },
		Memory: func() (uint64, uint64, error) { return 4 << 30, 3 << 30, nil },
		Cores:  func() int { return 4 },
	}
}

var generous = map[string]string{
	"fs.file-max": "9223372036854775807", "net.core.somaxconn": "4096", "net.ipv4.tcp_rmem": "4096\t131072\t6291456",
	"net.ipv4.tcp_wmem": "4096\t16384\t4194304", "net.core.rmem_max": "212992", "net.core.wmem_max": "212992",
}

func with(name, value string) map[string]string {
	out := map[string]string{}
	for k, v := range generous {
		out[k] = v
	}
	out[name] = value
	return out
}

func TestCheck(t *testing.T) {
	need := Need{Connections: 10000, Backlog: 4096}
	for name, c := range map[string]struct {
		host Host
		need Need
		want []string // name, reading, wanted
	}{
		"enough":             {host(1<<20, 1<<20, generous), need, nil},
		"exactly enough":     {host(11024, 11024, generous), need, nil},
		"files":              {host(1024, 4096, generous), need, []string{"RLIMIT_NOFILE", "1024 (hard limit 4096)", "11024"}},
		"no limit asked":     {host(65536, 65536, generous), Need{Connections: -1}, []string{"RLIMIT_NOFILE", "65536 (hard limit 65536)", "66560"}},
		"somaxconn":          {host(1<<20, 1<<20, with("net.core.somaxconn", "128")), need, []string{"net.core.somaxconn", "128", "4096"}},
		"no backlog asked":   {host(1<<20, 1<<20, with("net.core.somaxconn", "128")), Need{Connections: 1}, nil},
		"tcp_rmem":           {host(1<<20, 1<<20, with("net.ipv4.tcp_rmem", "4096 16384 32768")), need, []string{"net.ipv4.tcp_rmem", "4096 16384 32768", "4096 16384 65536"}},
		"tcp_wmem":           {host(1<<20, 1<<20, with("net.ipv4.tcp_wmem", "4096 16384 16384")), need, []string{"net.ipv4.tcp_wmem", "4096 16384 16384", "4096 16384 65536"}},
		"file-max":           {host(1<<20, 1<<20, with("fs.file-max", "8192")), need, []string{"fs.file-max", "8192", "13780"}},
		"receive buffer":     {host(1<<20, 1<<20, generous), Need{ReceiveBuffer: 1 << 20}, []string{"net.core.rmem_max", "212992", "1048576"}},
		"send buffer":        {host(1<<20, 1<<20, generous), Need{SendBuffer: 1 << 20}, []string{"net.core.wmem_max", "212992", "1048576"}},
		"no such sysctl":     {host(1<<20, 1<<20, nil), need, nil},
		"unreadable sysctl":  {host(1<<20, 1<<20, with("net.core.somaxconn", "many")), need, nil},
		"fewer figures":      {host(1<<20, 1<<20, with("net.ipv4.tcp_rmem", "4096")), need, nil},
		"huge configuration": {host(1<<20, 1<<20, generous), Need{Connections: 1 << 33}, []string{"RLIMIT_NOFILE", "1048576 (hard limit 1048576)", "8589935616"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, l := range c.host.Check(c.need) {
				got = append(got, l.Name, l.Reading, l.Wanted)
				if l.Why == "" || !strings.Contains(l.Mend, strings.Fields(l.Wanted)[0]) || !strings.Contains(l.String(), l.Mend) {
					t.Errorf("no reason or remedy: %+v", l)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckWithoutReadings(t *testing.T) {
	h := host(0, 0, nil)
	h.NoFile = func() (uint64, uint64, error) { return 0, 0, errors.New("not here") }
	h.Memory = func() (uint64, uint64, error) { return 0, 0, errors.New("not here") }
	if got := h.Check(Need{Connections: 10}); got != nil {
		t.Errorf("findings without readings: %v", got)
	}
	if f := h.Facts(); f != (Facts{Cores: 4}) {
		t.Errorf("facts %+v", f)
	}
}

// The real host gives readings that hang together.
func TestThis(t *testing.T) {
	f := This().Facts()
	if f.Cores != runtime.GOMAXPROCS(0) || f.MemoryTotal == 0 || f.MemoryAvailable > f.MemoryTotal {
		t.Errorf("facts %+v", f)
	}
	soft, hard, err := RaiseNoFile()
	if err != nil || soft != hard || soft == 0 {
		t.Errorf("open files %d of %d: %v", soft, hard, err)
	}
	if again, _, err := This().NoFile(); err != nil || again != soft {
		t.Errorf("the limit reads %d after raising it to %d: %v", again, soft, err)
	}
	for _, l := range This().Check(Need{Connections: 1}) {
		if l.Name == "RLIMIT_NOFILE" && soft > 2048 {
			t.Error(fmt.Sprint("one connection does not fit: ", l))
		}
	}
}
