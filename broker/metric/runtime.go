package metric

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"
)

// process reads what the operating system and the Go runtime tell of the broker's process.
type process struct {
	started time.Time
	mu      sync.Mutex
	samples []metrics.Sample
	use     utilization
}

// Names of the runtime's own metrics, in the order of process.samples.
var runtimeNames = [...]string{
	"/gc/cycles/total:gc-cycles",
	"/gc/heap/frees:bytes",
	"/sched/goroutines/runnable:goroutines",
	"/sched/goroutines:goroutines",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/released:bytes",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/unused:bytes",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/stacks:bytes",
	"/memory/classes/os-stacks:bytes",
}

func (p *process) start() {
	p.started = time.Now()
	p.samples = make([]metrics.Sample, len(runtimeNames))
	for i, n := range runtimeNames {
		p.samples[i].Name = n
	}
	cpu, _ := usage()
	p.use = utilization{wall: p.started, cpu: cpu}
}

// read fills in the samples of the process.
func (p *process) read(values *[NumIDs]uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	metrics.Read(p.samples)
	get := func(i int) uint64 {
		if p.samples[i].Value.Kind() != metrics.KindUint64 {
			return 0 // not known to this runtime
		}
		return p.samples[i].Value.Uint64()
	}
	total, objects, stacks := get(4)-get(5), get(6), get(9)+get(10)
	set := objects + get(7) + get(8) + stacks // objects, unused parts of their spans, free spans, stacks
	values[systemGcCount] = get(0)
	values[systemWordsReclaimedByGc] = get(1) / 8
	values[systemRunQueue] = get(2)
	values[systemProcessCount] = get(3)
	values[vmMemoryTotal] = total
	values[vmMemoryProcesses] = set
	values[vmMemoryProcessesUsed] = objects + stacks
	values[vmMemorySystem] = total - min(set, total)

	now := time.Now()
	cpu, switches := usage()
	values[systemContextSwitches] = switches
	values[systemRuntime] = uint64(cpu.Milliseconds())
	values[systemWallclock] = uint64(now.Sub(p.started).Milliseconds())
	values[systemUtilization] = p.use.percent(now, cpu, runtime.GOMAXPROCS(0), runtime.NumCPU())
}

// usage returns the processor time and the context switches of the process so far.
func usage() (cpu time.Duration, switches uint64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), uint64(u.Nvcsw) + uint64(u.Nivcsw)
}

// utilization turns readings of processor time into percent of use. Several readers share it, so readings less than a second after the last
// change nothing and repeat the figure: a second reader must not shrink the interval of the first to noise.
type utilization struct {
	wall time.Time
	cpu  time.Duration
	last uint64
}

func (u *utilization) percent(now time.Time, cpu time.Duration, procs, cpus int) uint64 {
	wall := now.Sub(u.wall)
	if wall < time.Second {
		return u.last
	}
	// GOMAXPROCS is above the number of processors by design: more than there are cannot be used.
	u.last = uint64(min(100, max(0, 100*(cpu-u.cpu)/(wall*time.Duration(max(1, min(procs, cpus)))))))
	u.wall, u.cpu = now, cpu
	return u.last
}
