package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/broker/config"
)

// connections sums max_connections over the listeners that can be opened; -1: one of them has no limit.
func connections(p *plan.Plan) (sum int64) {
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if !l.Live() {
			continue
		}
		v, _ := l.Option("max_connections")
		n, ok := v.Value.(int64)
		if !ok || n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}

// planned is connections with a figure in place of "no limit".
func planned(p *plan.Plan) uint64 {
	if n := connections(p); n >= 0 {
		return uint64(n)
	}
	return probe.Unlimited
}

// Need returns what the broker asks of the host for a configuration: for the listeners that it can open.
func Need(p *plan.Plan) probe.Need {
	need := probe.Need{Connections: connections(p), Backlog: config.Backlog}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		v, _ := l.Option("buffer_sizes")
		if sizes, ok := v.Value.([]int64); ok && len(sizes) == 3 && l.Live() {
			need.SendBuffer, need.ReceiveBuffer = max(need.SendBuffer, sizes[0]), max(need.ReceiveBuffer, sizes[1])
		}
	}
	return need
}

// limits examines what the broker itself looks at when it starts.
func limits(in *Input) (out []Finding) {
	host := probe.Host{ReadFile: in.Host.ReadFile, NoFile: in.noFile}
	for _, l := range host.Check(Need(in.Plan)) {
		out = append(out, Finding{Status: Warning, Name: l.Name, Reading: l.Reading, Wanted: l.Wanted, Why: l.Why, Mend: l.Mend})
	}
	if len(out) == 0 {
		out = append(out, Finding{Status: OK, Name: "open files, backlog and socket buffers", Reading: "enough"})
	}
	return out
}

// noFile returns the limit of open files that counts: of the broker if it runs, else the hard limit, to which the broker raises its own.
func (in *Input) noFile() (soft, hard uint64, err error) {
	if in.Running > 0 {
		if text, err := in.Host.ReadFile(fmt.Sprintf("/proc/%d/limits", in.Running)); err == nil {
			if soft, hard, ok := openFiles(string(text)); ok {
				return soft, hard, nil
			}
		}
	}
	_, hard, err = in.Host.NoFile()
	return hard, hard, err
}

// openFiles finds the limit of open files in the text of /proc/PID/limits.
func openFiles(text string) (soft, hard uint64, ok bool) {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, "Max open files")
		if !found {
			continue
		}
		words := strings.Fields(rest)
		if len(words) < 2 {
			return 0, 0, false
		}
		var figures [2]uint64
		for i := range figures {
			n, err := strconv.ParseUint(words[i], 10, 64)
			if words[i] == "unlimited" {
				n, err = 1<<63, nil
			}
			if err != nil {
				return 0, 0, false
			}
			figures[i] = n
		}
		return figures[0], figures[1], true
	}
	return 0, 0, false
}

// kernel examines settings that the limits do not cover.
func kernel(in *Input) (out []Finding) {
	for _, examine := range []func(*Input) []Finding{conntrack, portRange, tcpMemory, migrateReq, halfOpen, arriving, openPerProcess} {
		out = append(out, examine(in)...)
	}
	return out
}

// conntrack examines the table of the firewall: when it is full the kernel drops packets of new connections.
func conntrack(in *Input) []Finding {
	const name = "net.netfilter.nf_conntrack_max"
	most := in.Host.sysctl(name)
	if len(most) != 1 {
		return []Finding{{Status: OK, Name: name, Reading: "connections are not tracked"}}
	}
	want := planned(in.Plan) + planned(in.Plan)/4 + 1024
	reading := fmt.Sprint(most[0])
	if used := in.Host.sysctl("net.netfilter.nf_conntrack_count"); len(used) == 1 {
		reading += fmt.Sprintf(" (%d in use)", used[0])
	}
	if most[0] >= want {
		return []Finding{{Status: OK, Name: name, Reading: reading}}
	}
	return []Finding{{Status: Warning, Name: name, Reading: reading, Wanted: fmt.Sprint(want),
		Why: "each connection has an entry; when the table is full the kernel drops packets of clients that connect", Mend: probe.SetSysctl(name, fmt.Sprint(want))}}
}

// portRange finds listeners whose port the kernel may give to an outgoing connection while the broker is down.
func portRange(in *Input) (out []Finding) {
	const name, reserved = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"
	bounds := in.Host.sysctl(name)
	if len(bounds) != 2 {
		return []Finding{{Status: Unknown, Name: name}}
	}
	kept := ""
	if text, err := in.Host.ReadFile("/proc/sys/net/ipv4/ip_local_reserved_ports"); err == nil {
		kept = strings.TrimSpace(string(text))
	}
	var exposed []string
	for i := range in.Plan.Listeners {
		l := &in.Plan.Listeners[i]
		port, ok := portOf(l.Address.Value)
		if ok && l.Live() && uint64(port) >= bounds[0] && uint64(port) <= bounds[1] && !inPorts(kept, port) {
			exposed = append(exposed, strconv.Itoa(port))
		}
	}
	if len(exposed) > 0 {
		list := strings.Join(exposed, ",")
		if kept != "" {
			list = kept + "," + list
		}
		out = append(out, Finding{Status: Warning, Name: reserved, Reading: "'" + kept + "'", Wanted: list,
			Why:  "an outgoing connection of any program may take the port of a listener while the broker is down, and the start fails",
			Mend: probe.SetSysctl(reserved, list)})
	}
	const enough = 10000
	if bounds[1] < bounds[0] || bounds[1]-bounds[0] < enough {
		wide := fmt.Sprintf("%d %d", min(bounds[0], 32768), max(bounds[1], 60999))
		out = append(out, Finding{Status: Warning, Name: name, Reading: fmt.Sprintf("%d %d", bounds[0], bounds[1]), Wanted: wide,
			Why: "bridges and webhooks run out of ports of their own", Mend: probe.SetSysctl(name, wide)})
	}
	if out == nil {
		out = []Finding{{Status: OK, Name: name, Reading: fmt.Sprintf("%d %d", bounds[0], bounds[1])}}
	}
	return out
}

// inPorts reports whether a list such as 8080,9000-9009 holds the port.
func inPorts(list string, port int) bool {
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		from, errFrom := strconv.Atoi(low)
		to, errTo := strconv.Atoi(high)
		if errFrom == nil && errTo == nil && from <= port && port <= to {
			return true
		}
	}
	return false
}

// tcpMemory examines what the kernel spends on socket buffers before it drops.
func tcpMemory(in *Input) []Finding {
	const name, pageSize, each = "net.ipv4.tcp_mem", 4096, 4096 // bytes of a page; bytes a connection holds now and then
	pages := in.Host.sysctl(name)
	if len(pages) != 3 {
		return []Finding{{Status: Unknown, Name: name}}
	}
	reading := fmt.Sprintf("%d %d %d", pages[0], pages[1], pages[2])
	want := planned(in.Plan) * each / pageSize
	if pages[2] >= want {
		return []Finding{{Status: OK, Name: name, Reading: reading}}
	}
	value := fmt.Sprintf("%d %d %d", want/2, want*3/4, want)
	return []Finding{{Status: Warning, Name: name, Reading: reading, Wanted: value,
		Why:  fmt.Sprintf("%d connections with a page each need more; above it the kernel drops packets of all connections", planned(in.Plan)),
		Mend: probe.SetSysctl(name, value)}}
}

// migrateReq examines whether connections survive the closing of one of several sockets on a port.
func migrateReq(in *Input) []Finding {
	const name = "net.ipv4.tcp_migrate_req"
	switch on := in.Host.sysctl(name); {
	case len(on) != 1:
		return []Finding{{Status: Unknown, Name: name}}
	case on[0] != 0:
		return []Finding{{Status: OK, Name: name, Reading: fmt.Sprint(on[0])}}
	}
	return []Finding{{Status: Note, Name: name, Reading: "0", Wanted: "1",
		Why: "when a listener closes, clients that were just connecting are reset instead of being handed to another socket", Mend: probe.SetSysctl(name, "1")}}
}
