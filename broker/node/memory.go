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
	// loadPercent is GOGC while the store is loaded. What that leaves behind would else be as much as what stays, on a machine that may have no
	// room for both.
	loadPercent = 25
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

// keepMemory applies the policy until stop is called, for a broker that is loading its store and says by loaded when that is done. An operator
// who set GOGC decides himself.
func keepMemory() (loaded, stop func()) {
	users.Lock()
	defer users.Unlock()
	if users.n == 0 {
		if before := debug.SetGCPercent(loadPercent); before != 100 {
			debug.SetGCPercent(before)
			return func() {}, func() {}
		}
	}
	users.n++
	return startKeeper, sync.OnceFunc(func() {
		users.Lock()
		defer users.Unlock()
		if users.n--; users.n > 0 {
			return
		}
		if users.keeper != nil {
			close(users.keeper.stop)
			users.keeper.done.Wait()
			users.keeper = nil
		}
		debug.SetGCPercent(100)
	})
}

func startKeeper() {
	users.Lock()
	defer users.Unlock()
	if users.keeper == nil {
		debug.SetGCPercent(100)
		users.keeper = &keeper{stop: make(chan struct{})}
		users.keeper.done.Go(users.keeper.run)
	}
}

func (k *keeper) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last runtime.MemStats
	runtime.ReadMemStats(&last) // what the start has left is returned at once
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
