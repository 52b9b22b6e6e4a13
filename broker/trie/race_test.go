package trie

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"vernemq/broker/topic"
)

// TestWritersAndReaders lets the goroutine of each shard subscribe and unsubscribe at random while readers match. Subscriptions that
// stand from before to after must be found by every match exactly once; no leaf may show a session that never subscribed to it.
func TestWritersAndReaders(t *testing.T) {
	const shards, readers, steps = 4, 2, 6000
	x := New(shards)
	standing := []string{"a/b/c", "+/b/#", "a/#", "#", "a/+/c", "exactly8andmore/b/c"}
	leaves := map[string]*Leaf{}
	for _, f := range standing {
		leaves[f], _ = x.Subscribe(f, 0, MakeEntry(1_000_000, 0, false, false))
	}
	names := []string{"a/b/c", "a", "x/b", "exactly8andmore/b/c", "a/w7/c"}
	var writers, all sync.WaitGroup
	var stop atomic.Bool
	for shard := range shards {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(shard), 7))
			mine := model{}
			for range steps {
				f := standing[r.IntN(len(standing))]
				switch r.IntN(4) {
				case 0:
					f = fmt.Sprintf("a/w%d/c", r.IntN(300))
				case 1:
					f = fmt.Sprintf("t%d/+/%d", r.IntN(50), r.IntN(3))
				}
				w := who{Filter: f, Shard: shard, Slot: uint32(r.IntN(100))}
				if r.IntN(5) == 0 {
					w.Group = "g"
				}
				e := MakeEntry(w.Slot, byte(shard), false, false)
				if _, had := mine[w]; had {
					if !unsubscribe(x, w) {
						t.Errorf("%+v was lost", w)
					}
					delete(mine, w)
				} else {
					if subscribe(x, w, e) {
						t.Errorf("%+v was there before", w)
					}
					mine[w] = e
				}
			}
			for w := range mine {
				if !unsubscribe(x, w) {
					t.Errorf("%+v was lost", w)
				}
			}
		})
	}
	for range readers {
		all.Go(func() {
			var dst []*Leaf
			for !stop.Load() {
				for _, name := range names {
					gen := x.Gen([]byte(name))
					dst = x.Match([]byte(name), dst[:0])
					if x.Gen([]byte(name)) < gen {
						t.Errorf("the generation fell")
					}
					checkMatch(t, name, dst, leaves)
				}
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	all.Wait()
	for f, l := range leaves {
		if k, e, ok := l.Single(); !ok || k != 0 || e.Slot() != 1_000_000 {
			t.Errorf("%s: not alone in its leaf at the end", f)
		}
		x.Unsubscribe(f, 0, 1_000_000)
	}
	if x.Len() != 0 {
		t.Errorf("Len = %d at the end", x.Len())
	}
	wantBare(t, x.tree)
}

// checkMatch holds one match against what stands, and reads everything that the leaves show.
func checkMatch(t *testing.T, name string, got []*Leaf, standing map[string]*Leaf) {
	seen := map[*Leaf]int{}
	for _, l := range got {
		seen[l]++
		for rest, k := l.Shards(), 0; k < 64; k++ {
			if rest>>k&1 == 0 {
				continue
			}
			v := l.View(k)
			for i := range v.Len() {
				if e := v.At(i); e != 0 && e.Slot() != 1_000_000 && int(e.Opts()) != k {
					t.Errorf("shard %d shows an entry of shard %d", k, e.Opts())
				}
			}
		}
		for _, g := range l.Groups() {
			for _, m := range g.Members() {
				if int(m.Entry.Opts()) != int(m.Shard) {
					t.Errorf("group shows an entry of shard %d as one of %d", m.Entry.Opts(), m.Shard)
				}
			}
		}
	}
	for f, l := range standing {
		if want := topic.Match(f, name); want != (seen[l] == 1) || seen[l] > 1 {
			t.Errorf("match %q found the standing filter %q %d times, want %v", name, f, seen[l], want)
		}
	}
}
