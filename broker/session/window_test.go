package session

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestWindowModel does random things to a window and to a map of what is open. Identifiers wrap around on the way.
func TestWindowModel(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, seed))
			w := &window{first: uint16(65400 + rng.IntN(135))}
			open := map[uint16]uint32{}
			var order []uint16 // open identifiers, eldest first
			for step := range 3000 {
				if len(order) == 0 || len(order) < 300 && rng.IntN(100) < 52 {
					id := w.add(flight{subID: uint32(step), state: flightSent})
					if _, used := open[id]; used || id == 0 {
						t.Fatalf("step %d: identifier %d is in use or 0", step, id)
					}
					open[id] = uint32(step)
					order = append(order, id)
				} else {
					k := rng.IntN(len(order))
					if rng.IntN(2) == 0 {
						k = 0
					}
					id := order[k]
					_, before := w.at(0)
					shifted := w.remove(w.get(id))
					if w.n > 0 {
						if _, after := w.at(0); after != idAfter(before, shifted) {
							t.Fatalf("step %d: first was %d, shifted by %d is %d", step, before, shifted, after)
						}
					}
					delete(open, id)
					order = append(order[:k:k], order[k+1:]...)
				}
				if w.open != len(open) {
					t.Fatalf("step %d: %d open, want %d", step, w.open, len(open))
				}
				probe := uint16(rng.IntN(65536))
				if step, ok := open[probe]; (w.get(probe) != nil) != ok || ok && w.get(probe).subID != step {
					t.Fatalf("get(%d) = %v, want open %v", probe, w.get(probe), ok)
				}
			}
			var got []uint16
			for i := range w.n {
				if f, id := w.at(i); f.state != flightFree {
					got = append(got, id)
					if f.subID != open[id] {
						t.Errorf("exchange %d is that of step %d, want %d", id, f.subID, open[id])
					}
				}
			}
			if diff := cmp.Diff(order, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("open exchanges, eldest first (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWindowFull: all 65535 identifiers can be in use, none twice, and one freed in the middle does not make room before its elders go.
func TestWindowFull(t *testing.T) {
	w := &window{}
	for i := 1; i <= maxID; i++ {
		if w.full() {
			t.Fatalf("full with %d open", i-1)
		}
		if id := w.add(flight{state: flightSent}); id != uint16(i) {
			t.Fatalf("identifier %d, want %d", id, i)
		}
	}
	if !w.full() {
		t.Fatal("not full with all identifiers in use")
	}
	w.remove(w.get(5))
	if !w.full() {
		t.Error("the window spans all identifiers and is not full: the next one would be in use")
	}
	w.remove(w.get(1))
	if id := w.add(flight{state: flightSent}); id != 1 {
		t.Errorf("identifier %d, want 1", id)
	}
	for i := 1; i <= maxID; i++ {
		if f := w.get(uint16(i)); f != nil {
			w.remove(f)
		}
	}
	if w.open != 0 || w.n != 0 || w.ring != nil {
		t.Errorf("an empty window has %d open, spans %d and keeps a ring of %d", w.open, w.n, len(w.ring))
	}
	if id := w.add(flight{state: flightSent}); id != 2 {
		t.Errorf("identifier %d after all were answered, want 2: they go on", id)
	}
}

// TestIDSetModel compares with a map, in the small form and in the large one.
func TestIDSetModel(t *testing.T) {
	for _, most := range []int{5, 32, 33, 200, 3000} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(most)))
			s, want := &idSet{}, map[uint16]bool{}
			for step := range 20_000 {
				id := uint16(1 + rng.IntN(2*most))
				if s.has(id) != want[id] {
					t.Fatalf("step %d: has(%d) = %v", step, id, s.has(id))
				}
				switch {
				case !want[id] && len(want) < most:
					s.add(id)
					want[id] = true
				default:
					if got := s.remove(id); got != want[id] {
						t.Fatalf("step %d: remove(%d) = %v", step, id, got)
					}
					delete(want, id)
				}
				if s.n != len(want) {
					t.Fatalf("step %d: n = %d, want %d", step, s.n, len(want))
				}
			}
			for id := range want {
				s.remove(id)
			}
			if s.bits != nil || s.n != 0 {
				t.Errorf("an empty set of %d keeps its bitmap", s.n)
			}
		})
	}
}

// TestSubsModel compares with a map, below and above the size at which the list gets an index.
func TestSubsModel(t *testing.T) {
	for _, most := range []int{3, subsIndexFrom, subsIndexFrom + 1, 100} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(4, uint64(most)))
			s, want := &Subs{}, map[string]uint32{}
			for step := range 5000 {
				f := fmt.Sprint(rng.IntN(most))
				if rng.IntN(2) == 0 {
					s.Put(Sub{Filter: f, ID: uint32(step)})
					want[f] = uint32(step)
				} else {
					s.Remove(f)
					delete(want, f)
				}
				for i := range most {
					f := fmt.Sprint(i)
					id, ok := want[f]
					if sub := s.Get(f); (sub != nil) != ok || ok && (sub.ID != id || sub.Filter != f) {
						t.Fatalf("step %d: Get(%s) = %v, want %d, %v", step, f, sub, id, ok)
					}
				}
				if s.Len() != len(want) || len(s.All()) != len(want) {
					t.Fatalf("step %d: %d subscriptions, want %d", step, s.Len(), len(want))
				}
			}
		})
	}
}
