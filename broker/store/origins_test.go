package store

import (
	"math/rand/v2"
	"testing"
)

// TestOrigins compares the table with a map, over rows of numbers as they come in a log, and others.
func TestOrigins(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(3, seed))
		var ms pages[message]
		var o origins
		want := map[uint64]uint32{}
		var last uint64
		some := func() uint64 { // one that is there, or was, or will be
			if last == 0 || rng.IntN(10) == 0 {
				return rng.Uint64N(last + 2)
			}
			return last - rng.Uint64N(min(last, 300))
		}
		growing := true
		for step := range 20_000 {
			if rng.IntN(2000) == 0 {
				growing = !growing
			}
			if growing || rng.IntN(4) == 0 {
				origin := some()
				if want[origin] == 0 {
					last += 1 + rng.Uint64N(1+seed)
					origin = last
				}
				if want[origin] == 0 {
					i := ms.alloc()
					ms.at(i).origin = origin
					o.put(&ms, i)
					want[origin] = i
				}
			}
			if origin := some(); !growing || rng.IntN(3) == 0 {
				o.forget(&ms, origin)
				if i := want[origin]; i != 0 {
					*ms.at(i) = message{}
					ms.release(i)
					delete(want, origin)
				}
			}
			if origin := some(); o.get(&ms, origin) != want[origin] {
				t.Fatalf("seed %d, step %d: message %d for %d, want %d", seed, step, o.get(&ms, origin), origin, want[origin])
			}
		}
		if o.n != len(want) {
			t.Errorf("seed %d: %d are counted, want %d", seed, o.n, len(want))
		}
		for origin, i := range want {
			if o.get(&ms, origin) != i {
				t.Errorf("seed %d: message %d for %d, want %d", seed, o.get(&ms, origin), origin, i)
			}
		}
	}
}
