package node

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// heapFloor is the heap, in bytes, below which a collection is not worth its cost: a broker with little live data and much traffic would
// otherwise collect every few megabytes of garbage. Above it the policy is Go's own: a collection when the heap has doubled.
const heapFloor = 16 << 20

// keepHeapFloor adjusts the collector's target after each collection so that the heap grows to twice the live data, but at least by
// heapFloor. The returned function ends it and restores what was. An operator who set GOGC decides himself.
func keepHeapFloor() (stop func()) {
	before := debug.SetGCPercent(100)
	if before != 100 {
		debug.SetGCPercent(before)
		return func() {}
	}
	var stopped atomic.Bool
	last := 100
	adjust := func() {
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms)
		live := max(ms.NextGC*100/uint64(100+last), 1<<20)
		want := int(min(max(100, heapFloor*100/live), math.MaxInt32))
		if d := want - last; d > last/4 || d < -last/4 {
			last = want
			debug.SetGCPercent(want)
		}
	}
	adjust()
	var watch func(*sentinel)
	watch = func(s *sentinel) {
		if stopped.Load() {
			return
		}
		runtime.SetFinalizer(&sentinel{}, watch) // garbage at once: found by the next collection
		go adjust()
	}
	runtime.SetFinalizer(&sentinel{}, watch)
	return func() {
		stopped.Store(true)
		debug.SetGCPercent(before)
	}
}

type sentinel struct{ _ [16]byte }
