package node

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"vernemq/broker/exchange"
)

// How the guard looks and waits.
const (
	guardCalm    = 2 * time.Second        // between two looks at most: looking ten times a second costs an idle broker 1.5 ms of processor time
	guardBusy    = 20 * time.Millisecond  // and at least, near or above the mark
	guardSpeed   = 256 << 20              // bytes by which the heap may grow in a second: the next look is before it can come near the mark
	collectLeast = 200 * time.Millisecond // between two collections that the guard asks for
	collectShare = 20                     // and so many times as long as the last one took: a twentieth of the time at most
	collectSoon  = 20 * time.Millisecond  // the same while the heap grows towards a worse stage: what comes in now is what has to be held later
	riseShare    = 4
	calmAfter    = 500 * time.Millisecond // a stage lasts so long at least
	patience     = 5 * time.Second        // how long publishers are paused before consumers are closed for which most waits
	again        = time.Second            // between two rounds of closing them, and the patience with a shortage that comes back
	recently     = 30 * time.Second       // within so long of the last round
)

// reading is what the guard knows of the process's memory, in bytes.
type reading struct {
	live   uint64 // what the last collection found in use
	heap   uint64 // in use now, and garbage: live is stale, it may have grown up to this
	cycles uint64 // collections so far
}

// guard keeps the live memory about a mark: see exchange.Pressure for what each stage does. Memory is measured, not counted: whatever holds it,
// queues, buffers, sessions, retained messages, it is in the heap, and the collector knows how much of it lives. What it knows is as old as its
// last run. Where it matters, that is while the heap is above a threshold and its live part was not when last looked, or the other way round
// while a stage is on, the guard has the collector look again, for a bounded share of the time.
type guard struct {
	mark  uint64
	log   *slog.Logger
	read  func() reading
	gc    func()                               // collects, and returns when it is done
	press func(exchange.Pressure)              // puts a stage in force
	close func(excess uint64) (n int, b int64) // closes consumers for which most waits

	stage     exchange.Pressure
	since     time.Time // when the stage began
	began     time.Time // of the whole shortage
	worst     uint64
	told      exchange.Pressure // the worst stage of this shortage that was logged
	collected time.Time         // the end of the last collection that the guard asked for
	took      time.Duration
	cycles    uint64 // collections at the last look
	looked    time.Time
	closed    time.Time // the last round
	sum       int       // connections closed in this shortage
}

// threshold is where a stage begins: the mark, a sixteenth above it, an eighth above it.
func (g *guard) threshold(p exchange.Pressure) uint64 {
	return g.mark + g.mark/16*uint64(p-exchange.Shed)
}

// floor is where a stage ends: three sixteenths of the mark below its begin, so that what was stopped does not come back at once.
func (g *guard) floor(p exchange.Pressure) uint64 { return g.threshold(p) - g.mark/16*3 }

// look measures and goes from stage to stage: up as far as it is bad, down one at a time. It returns when to look again.
func (g *guard) look(now time.Time) time.Duration {
	r := g.read()
	if g.doubt(&r, now) {
		begin := time.Now()
		g.gc()
		g.took = time.Since(begin)
		g.collected = now.Add(g.took)
		r = g.read()
	}
	if r.cycles != g.cycles {
		g.cycles, g.looked = r.cycles, now
	}
	g.worst = max(g.worst, r.live)
	to := g.stage
	for to < exchange.Refuse && r.live >= g.threshold(to+1) {
		to++
	}
	if to == g.stage && to > exchange.Easy && r.live < g.floor(to) && now.Sub(g.since) >= calmAfter {
		to--
	}
	if to != g.stage {
		g.enter(to, r.live, now)
	}
	wait := patience
	if now.Sub(g.closed) < recently { // it is the same that goes on
		wait = again
	}
	if g.stage >= exchange.Pause && now.Sub(g.since) >= wait && now.Sub(g.closed) >= again {
		g.closed = now
		if n, bytes := g.close(r.live - min(r.live, g.floor(exchange.Shed))); n > 0 {
			if g.sum == 0 {
				g.log.Warn("memory does not get free: connections are closed for which most waits", "connections", n, "bytes", bytes)
			}
			g.sum += n
		}
	}
	if near := g.mark / 4 * 3; g.stage == exchange.Easy && r.heap < near {
		return min(max(time.Duration((near-r.heap)*1000/guardSpeed)*time.Millisecond, guardBusy), guardCalm)
	}
	return guardBusy
}

// doubt reports whether only a collection can tell what to do, and one may be made.
func (g *guard) doubt(r *reading, now time.Time) bool {
	rise := g.stage < exchange.Refuse && r.heap >= g.threshold(g.stage+1) && r.live < g.threshold(g.stage+1)
	fall := g.stage > exchange.Easy && r.cycles == g.cycles && now.Sub(g.looked) >= collectLeast
	least := max(collectLeast, collectShare*g.took)
	if rise {
		least = max(collectSoon, riseShare*g.took)
	}
	return (rise || fall) && now.Sub(g.collected) >= least
}

// enter puts a stage in force and says so: each once on the way up, and the end.
func (g *guard) enter(to exchange.Pressure, live uint64, now time.Time) {
	from := g.stage
	g.stage, g.since = to, now
	if from == exchange.Easy {
		g.began, g.worst, g.sum, g.told = now, live, 0, exchange.Easy
	}
	g.press(to)
	size := func(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
	switch {
	case to == exchange.Easy:
		g.log.Info("there is enough memory again", "used", size(live), "memory_high_water", size(g.mark), "lasted", now.Sub(g.began).Round(time.Millisecond),
			"most", size(g.worst), "connections_closed", g.sum)
	case to > g.told:
		g.told = to
		what := [...]string{exchange.Shed: "QoS 0 messages are dropped for consumers that do not keep up", exchange.Pause: "publishers are paused, too",
			exchange.Refuse: "publishers are paused and new clients refused"}[to]
		g.log.Warn("memory is short: "+what, "used", size(live), "memory_high_water", size(g.mark), "stage", int(to))
	}
}

// readMemory asks the runtime; it costs some microseconds and stops nothing.
func readMemory() reading {
	s := [3]metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s[:])
	return reading{live: s[0].Value.Uint64(), heap: s[1].Value.Uint64(), cycles: s[2].Value.Uint64()}
}

// highWater is the mark for the options; 0: none. An operator who set GOMEMLIMIT in the environment means that limit.
func highWater(configured int64) uint64 {
	if configured <= 0 {
		return 0
	}
	limit := debug.SetMemoryLimit(-1)
	return uint64(min(configured, limit-limit/8))
}

// guardMemory watches over the memory of a broker until the returned function is called. A mark of 0 watches nothing.
func (n *Node) guardMemory(mark uint64) (stop func()) {
	if mark == 0 {
		return func() {}
	}
	g := &guard{mark: mark, log: n.params.Log, read: readMemory, gc: runtime.GC, press: n.group.Press, close: n.closeHolders}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-timer.C:
				timer.Reset(g.look(now))
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
