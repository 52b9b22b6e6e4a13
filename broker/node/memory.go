package node

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The memory policy, in bytes.
const (
	// heapFloor is the garbage below which a collection is not worth its cost: a broker with little live data and much traffic would
	// otherwise collect every few megabytes.
	heapFloor = 16 << 20
	// heapShare is the share of the live bytes, in percent, that may be garbage above it: half of what Go's own policy allows, since what is
	// published on the way of most messages leaves no garbage, and memory is what an edge machine has least of.
	heapShare = 50
	// A broker that allocates less than quiet in a second, and holds more memory than trim and a sixteenth of what lives without need, as garbage
	// or as pages the collector keeps for itself, returns it to the system: after a storm of connections an edge machine has better use for it.
	quiet = 256 << 10
	trim  = 1 << 20
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
// who set GOGC in the environment, whatever to, decides himself.
func keepMemory() (loaded, stop func()) {
	users.Lock()
	defer users.Unlock()
	if os.Getenv("GOGC") != "" {
		return func() {}, func() {}
	}
	if users.n++; users.n == 1 {
		debug.SetGCPercent(loadPercent)
	}
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
	collected := make(chan struct{}, 1)
	watchCollector(collected)
	last := readHeap().trim() // what the start has left is returned at once
	percent := 100
	for {
		if want := gcPercent(readHeap().live); want > percent+percent/8 || want < percent-percent/8 {
			percent = want
			debug.SetGCPercent(want)
		}
		select {
		case <-k.stop:
			return
		case <-collected:
			watchCollector(collected)
		case <-tick.C:
			now := readHeap()
			if now.allocated-last.allocated < quiet {
				now = now.trim()
			}
			last = now
		}
	}
}

// watchCollector sends once to c, unless it is full, when the collector has run. Nothing is left behind if it never does.
func watchCollector(c chan<- struct{}) {
	type canary struct{ *canary } // a pointer in it: small objects without are collected together with others
	runtime.AddCleanup(new(canary), func(c chan<- struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
	}, c)
}

// heap is what the keeper knows of the heap, in bytes.
type heap struct {
	live      uint64 // what the last collection found in use
	spare     uint64 // held without need
	allocated uint64 // since the process began
}

// readHeap asks the runtime, which stops nothing for it.
func readHeap() heap {
	s := [4]metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s[:])
	live, objects := s[0].Value.Uint64(), s[1].Value.Uint64()
	return heap{live: live, spare: objects - min(live, objects) + s[2].Value.Uint64(), allocated: s[3].Value.Uint64()}
}

// trim returns what is held without need to the system, if it is much, and what the heap is then.
func (h heap) trim() heap {
	if h.spare <= h.live/16+trim {
		return h
	}
	debug.FreeOSMemory()
	return readHeap()
}

// gcPercent is the GOGC that lets the garbage beside live bytes grow to heapShare of them, but to heapFloor at least. For very little live data the
// runtime's own least heap, 4 MiB at a GOGC of 100, is made heapFloor.
func gcPercent(live uint64) int {
	return int(max(heapShare, min(heapFloor*100/max(live, 1), heapFloor/(4<<20)*100)))
}
