package probe

import (
	"fmt"
	"path"
	"strings"

	"vernemq/appliance/hostfs"
)

// Need is what the configuration asks of the host.
type Need struct {
	Connections   int64 // sum of max_connections over the listeners; -1: no limit
	Backlog       int64 // connections that may wait to be accepted, per socket
	SendBuffer    int64 // largest kernel send buffer asked for with buffer_sizes, bytes; 0: none
	ReceiveBuffer int64 // likewise for receiving
}

// Limit is one limit that is too low.
type Limit struct {
	Name    string // as the system calls it
	Reading string // what it is
	Wanted  string // what it should be at least
	Why     string // what happens otherwise
	Mend    string // the command, or file and line, that mends it
}

// NoFileLimit is the Name of the limit of open files of a process.
const NoFileLimit = "RLIMIT_NOFILE"

// String returns the limit in one line and its remedy in a second.
func (l Limit) String() string {
	return fmt.Sprintf("%s is %s, wanted %s: %s\n    %s", l.Name, l.Reading, l.Wanted, l.Why, l.Mend)
}

const (
	// Reserve is how many descriptors are needed beside those of clients: listeners, store, logs, event loops, outgoing connections.
	Reserve = 1024
	// Unlimited is how many connections are planned for where the configuration sets no limit.
	Unlimited = 65536
	// window is the largest TCP buffer of a connection, in bytes, below which one fast client is held up: 64 KiB in flight are 26 Mbit/s at a
	// round trip of 20 ms.
	window = 64 << 10
	// unbounded is from where on a limit counts as none: 2^30, what "infinity" becomes on many systems.
	unbounded = 1 << 30
)

// SetSysctl is the command that sets a sysctl now and at every boot.
func SetSysctl(name, value string) string {
	return fmt.Sprintf("vernemq tune --apply; or echo '%s = %s' >> %s && sysctl -w %s='%s'", name, value, hostfs.TuneSysctl, name, value)
}

// Check compares the host with what is needed and returns the limits that are too low. What the host does not tell is not checked.
func (h Host) Check(need Need) []Limit {
	var out []Limit
	connections := need.Connections
	if connections < 0 {
		connections = Unlimited
	}
	files := uint64(connections) + Reserve
	if soft, hard, err := h.NoFile(); err == nil && soft < files {
		out = append(out, Limit{
			Name: NoFileLimit, Reading: fmt.Sprintf("%d (hard limit %d)", soft, hard), Wanted: fmt.Sprint(files),
			Why: fmt.Sprintf("%d connections are allowed by max_connections; above the limit new ones are refused", connections),
			Mend: fmt.Sprintf(`vernemq tune --apply; or mkdir -p %s && printf '[Service]\nLimitNOFILE=%d\n' `+
				`> %s && systemctl daemon-reload (in a container: --ulimit nofile=%d)`, path.Dir(hostfs.TuneLimits), files, hostfs.TuneLimits, files),
		})
	}
	sysctl := func(name string, at int, want uint64, why string) {
		values := h.Sysctl(name)
		if len(values) <= at || values[at] >= want {
			return
		}
		mended := make([]string, len(values))
		for i, v := range values {
			if i == at || i > at && v < want {
				v = want
			}
			mended[i] = fmt.Sprint(v)
		}
		value := strings.Join(mended, " ")
		out = append(out, Limit{
			Name: name, Reading: join(values), Wanted: value, Why: why,
			Mend: SetSysctl(name, value),
		})
	}
	sysctl("fs.file-max", 0, min(files+files/4, unbounded), "the whole machine runs out of open files before the broker reaches max_connections")
	if need.Backlog > 0 {
		sysctl("net.core.somaxconn", 0, uint64(need.Backlog),
			"the kernel cuts the accept queue to this; when many clients come back at once some are refused")
	}
	sysctl("net.ipv4.tcp_rmem", 2, window, "the receive window cannot grow: one fast publisher is held up by the network's round trips")
	sysctl("net.ipv4.tcp_wmem", 2, window, "the send buffer cannot grow: one fast subscriber is held up by the network's round trips")
	if need.ReceiveBuffer > 0 {
		sysctl("net.core.rmem_max", 0, uint64(need.ReceiveBuffer), "the kernel cuts the receive buffer of buffer_sizes to this")
	}
	if need.SendBuffer > 0 {
		sysctl("net.core.wmem_max", 0, uint64(need.SendBuffer), "the kernel cuts the send buffer of buffer_sizes to this")
	}
	return out
}

func join(values []uint64) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, " ")
}
