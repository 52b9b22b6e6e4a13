package trie

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/topic"
)

// collect walks with a budget to the end and fails the test if a call takes more steps than it may.
func collect(t *testing.T, c *Cursor[string], budget int) (found []string, steps int) {
	t.Helper()
	for {
		v, used, done := c.Next(budget)
		if used > budget {
			t.Fatalf("%d steps taken, %d allowed", used, budget)
		}
		if used == 0 && !done {
			t.Fatalf("no step taken with a budget of %d, and not done", budget)
		}
		steps += used
		if v != nil {
			found = append(found, *v)
		}
		if done {
			return found, steps
		}
	}
}

func put(tree *Tree[string], name string) {
	tree.Update([]byte(name), func(*string) *string { return &name })
}

func drop(tree *Tree[string], name string) {
	tree.Update([]byte(name), func(*string) *string { return nil })
}

func TestCursorAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	tree, names := NewTree[string](), map[string]bool{}
	for range 1500 {
		if n := pick(r, nameWords); n != "" {
			names[n] = true
			put(tree, n)
		}
	}
	for i := range 5000 { // a level with directories
		n := fmt.Sprintf("a/%d/t", i)
		names[n] = true
		put(tree, n)
	}
	filters := []string{
		"#", "+", "+/+", "+/#", "a/#", "a/+", "a/+/t", "a/+/#", "/#", "/", "$SYS/#", "+/b", "nothing/#", "a/4999/t", "a/b/c/d/e/f", "a/4999/#",
	}
	for range 150 {
		filters = append(filters, pickFilter(r))
	}
	for _, f := range filters {
		var want []string
		for n := range names {
			if topic.Match(f, n) {
				want = append(want, n)
			}
		}
		slices.Sort(want)
		for _, budget := range []int{1, 7, 1 << 30} {
			got, _ := collect(t, tree.Cursor(f), budget)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q with budget %d (-want +got)\n%s", f, budget, diff)
			}
		}
	}
}

// TestCursorGoesWhereItMust counts steps: a filter must not make the walk look at what cannot match.
func TestCursorGoesWhereItMust(t *testing.T) {
	tree := NewTree[string]()
	for i := range 20000 {
		put(tree, fmt.Sprintf("wide/%d/t", i))
		put(tree, fmt.Sprintf("first%d", i))
	}
	put(tree, "narrow/1/t")
	for f, most := range map[string]int{
		"narrow/#": 20, "narrow/+/t": 20, "wide/7/+": 20, "wide/7/#": 20, "nothing/#": 5, "narrow/1/t": 10, "wide/+/t": 120_000,
	} {
		if _, steps := collect(t, tree.Cursor(f), 1000); steps > most {
			t.Errorf("%q took %d steps, want at most %d", f, steps, most)
		}
	}
}

// TestCursorUnderChurn changes the tree between the steps of a walk, so that every shape of table is replaced under it. What stays must be
// seen exactly once.
func TestCursorUnderChurn(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 8))
		tree := NewTree[string]()
		name := func(i int) string { return fmt.Sprintf("t%d/%d/%d", i%2, i%(1+int(seed)*50), i) }
		const stay, come = 2000, 4000
		for i := range stay {
			put(tree, name(i))
		}
		grow := seed%2 == 0
		if !grow {
			for i := range come {
				put(tree, name(stay+i))
			}
		}
		next := stay
		seen := map[string]int{}
		c := tree.Cursor([]string{"#", "+/+/+", "+/#"}[seed%3])
		for done := false; !done; {
			var v *string
			if v, _, done = c.Next(1 + r.IntN(50)); v != nil {
				seen[*v]++
			}
			for range r.IntN(12) {
				switch {
				case grow && next < stay+come:
					put(tree, name(next))
					next++
				case !grow && next < stay+come:
					drop(tree, name(next))
					next++
				}
				put(tree, name(r.IntN(stay))) // overwriting must not show it twice
			}
		}
		for i := range stay {
			if n := seen[name(i)]; n != 1 {
				t.Fatalf("seed %d: %s seen %d times, want once", seed, name(i), n)
			}
		}
		for n, times := range seen {
			if times != 1 {
				t.Fatalf("seed %d: %s seen %d times", seed, n, times)
			}
		}
	}
}

// TestCursorBesideWriters is the same with writers that do not wait for the walk.
func TestCursorBesideWriters(t *testing.T) {
	tree := NewTree[string]()
	const stay = 3000
	for i := range stay {
		put(tree, fmt.Sprintf("t/%d/stays", i))
	}
	var wg sync.WaitGroup
	var stop atomic.Bool
	for k := range 2 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(k), 9))
			for !stop.Load() {
				n := fmt.Sprintf("t/%d/%d", r.IntN(2*stay), k)
				if r.IntN(2) == 0 {
					put(tree, n)
				} else {
					drop(tree, n)
				}
			}
		})
	}
	for range 20 {
		got, _ := collect(t, tree.Cursor("t/+/#"), 100)
		n := 0
		for _, s := range got {
			if strings.HasSuffix(s, "stays") {
				n++
			}
		}
		slices.Sort(got)
		if distinct := len(slices.Compact(got)); n != stay || distinct < stay {
			t.Errorf("%d of %d standing values seen", n, stay)
		}
	}
	stop.Store(true)
	wg.Wait()
}
