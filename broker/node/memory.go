package node

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// The memory policy, in bytes.
const (
	// heapFloor is the garbage below which a collection is not worth its cost: a broker with little live data and much traffic would
	// otherwise collect every few megabytes. Above it the policy is Go's own: a collection when the heap has doubled.
	heapFloor = 16 << 20
	// A broker that allocates less than quiet in a second, and holds more memory than trim and an eighth of what lives without need, as garbage
	// or as pages the collector keeps for itself, returns it to the system: after a storm of connections an edge machine has better use for it.
	quiet = 256 << 10
	trim  = 2 << 20
)

// keeper applies the memory policy of a running broker.
type keeper struct {
	stop chan struct{}
	done sync.WaitGroup
}

// users counts the brokers of this process: the policy is the process's.
var users struct {
	sync.Mutex
	n      int
	keeper *keeper
}

// keepMemory applies the policy until the returned function is called. An operator who set GOGC decides himself.
func keepMemory() (stop func()) {
	users.Lock()
	defer users.Unlock()
	if users.n == 0 {
		if before := debug.SetGCPercent(100); before != 100 {
			debug.SetGCPercent(before)
			return func() {}
		}
		users.keeper = &keeper{stop: make(chan struct{})}
		users.keeper.done.Add(1)
		go users.keeper.run()
	}
	users.n++
	return func() {
		users.Lock()
		defer users.Unlock()
		if users.n--; users.n == 0 {
			close(users.keeper.stop)
			users.keeper.done.Wait()
			debug.SetGCPercent(100)
		}
	}
}

func (k *keeper) run() {
	defer k.done.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last runtime.MemStats
	percent := 100
	for {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		live := max(now.NextGC*100/uint64(100+percent), 1<<20)
		spare := now.HeapAlloc - min(live, now.HeapAlloc) + now.HeapIdle - now.HeapReleased
		if now.TotalAlloc-last.TotalAlloc < quiet && spare > live/8+trim {
			debug.FreeOSMemory()
			runtime.ReadMemStats(&now)
			live = max(now.NextGC*100/uint64(100+percent), 1<<20)
		}
		if want := gcPercent(live); want > percent+percent/4 || want < percent-percent/4 {
			percent = want
			debug.SetGCPercent(want)
		}
		last = now
		select {
		case <-k.stop:
			return
		case <-tick.C:
		}
	}
}

// gcPercent is the GOGC that lets a heap of live bytes grow to its double, but by heapFloor at least.
func gcPercent(live uint64) int { return int(min(max(100, heapFloor*100/live), math.MaxInt32)) }
