package doctor

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
)

// Tunable returns what the kernel's settings lack for the configuration: findings whose Name is a sysctl, or a setting of huge pages, and whose Wanted
// is the exact value. No figure is lower than the one that is read, but for the first of a range of ports.
func Tunable(in Input) (out []Finding) {
	for _, f := range slices.Concat(limits(&in), kernel(&in), hugePages(&in)) {
		if f.Wanted != "" && f.Status != OK && (strings.Contains(f.Name, ".") || probe.IsHugePage(f.Name)) {
			out = append(out, f)
		}
	}
	return out
}

// Kept returns what is the operator's choice and costs or gives the broker something, with that as Why: huge pages.
func Kept(in Input) (out []Finding) {
	for _, f := range hugePages(&in) {
		if f.Status == OK && f.Why != "" {
			out = append(out, f)
		}
	}
	return out
}

// Advice returns what is better decided by the operator: memory management.
func Advice(in Input) (out []Finding) {
	for _, f := range append([]Finding{swap(&in)}, overcommit(&in)...) {
		if f.Status == Note || f.Status == Warning {
			out = append(out, f)
		}
	}
	return out
}

// OpenFiles returns how many files the broker may have to open for the connections of its listeners.
func OpenFiles(p *plan.Plan) uint64 { return planned(p) + probe.Reserve }

// atLeast examines a sysctl of one figure, which not every kernel has.
func atLeast(in *Input, name string, want uint64, why string) []Finding {
	is := in.Host.sysctl(name)
	if len(is) != 1 {
		return []Finding{{Status: Unknown, Name: name}}
	}
	if is[0] >= want {
		return []Finding{{Status: OK, Name: name, Reading: fmt.Sprint(is[0])}}
	}
	return []Finding{{Status: Note, Name: name, Reading: fmt.Sprint(is[0]), Wanted: fmt.Sprint(want), Why: why, Mend: probe.SetSysctl(name, fmt.Sprint(want))}}
}

// halfOpen examines how many connections may be half open: a quarter of all when they come back at once.
func halfOpen(in *Input) []Finding {
	return atLeast(in, "net.ipv4.tcp_max_syn_backlog", min(max(planned(in.Plan)/4, 1024), 65536),
		"when all clients come back at once, the kernel falls back to cookies, without the options of their connections")
}

// arriving examines how many packets may wait for a processor.
func arriving(in *Input) []Finding {
	want := uint64(1000)
	if planned(in.Plan) > 20000 {
		want = 5000
	}
	return atLeast(in, "net.core.netdev_max_backlog", want, "bursts of many clients are dropped before the kernel looks at them")
}

// openPerProcess examines the bound of the limit of open files.
func openPerProcess(in *Input) []Finding {
	return atLeast(in, "fs.nr_open", OpenFiles(in.Plan), "no service can be given as many open files as max_connections needs")
}

// overcommit finds a kernel that counts reserved memory as used: the broker reserves address space in large pieces.
func overcommit(in *Input) []Finding {
	const name, strict = "vm.overcommit_memory", 2
	if is := in.Host.sysctl(name); len(is) != 1 || is[0] != strict {
		return nil
	}
	return []Finding{{Status: Note, Name: name, Reading: "2", Wanted: "0", Why: "address space that is reserved and not used counts: the broker may not start, or end",
		Mend: byHand(name, "0")}}
}

// byHand is the command for a sysctl that vernemq tune leaves to the operator.
func byHand(name, value string) string {
	return "sysctl -w " + name + "=" + value + ", and a file of your own under " + path.Dir(hostfs.TuneSysctl)
}
