package trie

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"
)

// TestWideLevel drives one level through every shape of its table, up to a wide directory and back, against a map.
func TestWideLevel(t *testing.T) {
	const most = 40_000
	tree := NewTree[int]()
	r := rand.New(rand.NewPCG(1, 2))
	have := map[int]*int{}
	path := func(i int) []byte { return fmt.Appendf(nil, "top/%d", i) }
	check := func(i int) {
		t.Helper()
		if got := tree.Load(path(i)); got != have[i] {
			t.Fatalf("with %d children: Load(%s) = %v, want %v", len(have), path(i), got, have[i])
		}
	}
	set := func(i int, v *int) {
		tree.Update(path(i), func(old *int) *int {
			if old != have[i] {
				t.Fatalf("with %d children: %s was %v, want %v", len(have), path(i), old, have[i])
			}
			return v
		})
		if have[i] = v; v == nil {
			delete(have, i)
		}
		check(i)
		check(r.IntN(most))
	}
	widest := 0
	for i := range most {
		set(i, new(int))
		if i%100 == 0 { // a hole now and then
			set(r.IntN(i+1), nil)
		}
		if i < 500 || i%5000 == 0 {
			widest = max(widest, cells(tree, t))
		}
	}
	if widest < most/segment/lanes || widest > most/4 {
		t.Errorf("%d children made a directory of %d cells", most, widest)
	}
	if tree.Len() != len(have) {
		t.Errorf("Len = %d, want %d", tree.Len(), len(have))
	}
	for i, n := range r.Perm(most) {
		if have[n] != nil {
			set(n, nil)
		}
		if i%5000 == 0 || i > most-500 {
			cells(tree, t)
		}
	}
	wantBare(t, tree)
}

// cells checks the table under "top" and says how many cells its directory has.
func cells(tree *Tree[int], t *testing.T) int {
	t.Helper()
	l := newLevel([]byte("top"))
	n := tree.bucketOf(l.hash(tree.seed)).root.child(l, tree.seed)
	if n == nil || n.more.Load() == nil {
		return 0
	}
	checkTable(t, n.more.Load())
	return len(n.more.Load().cells)
}

// checkTable holds a table's tags, counters and shape against the children that are in it.
func checkTable(t *testing.T, tab *table[int]) {
	t.Helper()
	live := 0
	groups := func(g *group[int]) {
		behind := 0
		for i := range tab.mask + 1 {
			at := g.at(i)
			for k := range at.child {
				tag := byte(at.tags.Load() >> (8 * k))
				if child := at.child[k].Load() != nil; child != (tag >= 0x80) || !child && tag != 0 {
					t.Fatalf("lane with tag %x: child = %v", tag, child)
				} else if child {
					live++
				}
			}
			behind += int(at.tags.Load() / behindOne)
		}
		if behind > (window-1)*lanes*segment {
			t.Fatalf("%d children are said to be kept behind full groups", behind)
		}
	}
	if tab.flat != nil {
		groups(tab.flat)
	}
	for i := 0; i < len(tab.cells); {
		g := tab.cells[i].Load()
		size := 1
		for i+size < len(tab.cells) && g != nil && tab.cells[i+size].Load() == g {
			size++
		}
		if size&(size-1) != 0 || i%size != 0 {
			t.Fatalf("a segment has the %d cells from %d on", size, i)
		}
		if i += size; g != nil {
			groups(g)
		}
	}
	if s := tab.spill.Load(); s != nil {
		live += len(*s)
	}
	switch {
	case live != tab.live || live == 0:
		t.Fatalf("%d children counted as %d", live, tab.live)
	case tab.flat != nil && tab.mask > 1 && live < int(tab.mask+1)*lanes/8:
		t.Fatalf("%d children in %d groups: the table did not shrink", live, tab.mask+1)
	case tab.flat == nil && (live < foldBelow || live*sparse < len(tab.cells)):
		t.Fatalf("%d children in a directory of %d: it was not folded", live, len(tab.cells))
	}
}

// TestTableCollision gives many children one hash: lookups must tell them apart by text, find those for which there is no room where they
// belong, and all of them whatever is removed before.
func TestTableCollision(t *testing.T) {
	const n, h = 200, 7
	var nodes [n]node[int]
	var levels []level
	tab := newFlat[int](segment)
	for i := range n {
		levels = append(levels, newLevel(fmt.Appendf(nil, "level-%d", i)))
		nodes[i].become(levels[i])
		tab.take(&nodes[i], h)
	}
	if s := tab.spill.Load(); s == nil || len(*s) != n-window*lanes {
		t.Fatalf("children are kept apart wrongly: %v", s)
	}
	for i := range n {
		for k := range n {
			want := &nodes[k]
			if k < i {
				want = nil
			}
			if got := tab.find(levels[k], h); got != want {
				t.Fatalf("%d removed: find %s = %v, want %v", i, levels[k].text, got, want)
			}
		}
		if !tab.unspill(&nodes[i]) {
			tab.displace(&nodes[i], h)
		}
	}
	if !tab.flat.empty(tab.mask) || tab.spill.Load() != nil {
		t.Errorf("the table is not empty when everything was removed")
	}
}

// TestSpill: children of a directory that are kept apart are found and removed like the others.
func TestSpill(t *testing.T) {
	const n, apart = 400, 10
	seed := maphash.MakeSeed()
	var nodes [n]node[int]
	var tab *table[int]
	for i := range n {
		nodes[i].become(newLevel(fmt.Appendf(nil, "level-%d", i)))
		if i%(n/apart) == 9 && tab.flat == nil {
			tab.overflow(&nodes[i])
			tab.live++
			continue
		}
		tab = tab.add(&nodes[i], nodes[i].hash(seed), seed)
	}
	checkTable(t, tab)
	if s := tab.spill.Load(); tab.flat != nil || s == nil {
		t.Fatal("no directory with children that are kept apart: the test does not reach what it is about")
	}
	for i := range n {
		l := newLevel(fmt.Appendf(nil, "level-%d", i))
		if got := tab.find(l, l.hash(seed)); got != &nodes[i] {
			t.Fatalf("find %s = %v", l.text, got)
		}
		if tab = tab.remove(&nodes[i], l.hash(seed), seed); tab == nil && i < n-1 {
			t.Fatalf("the table was empty with %d children", n-1-i)
		}
	}
	if tab != nil {
		t.Errorf("the table is not empty when everything was removed")
	}
}

// TestTableChurn adds and removes other children all the time: the table must neither fill with left slots nor grow.
func TestTableChurn(t *testing.T) {
	tree := NewTree[int]()
	v := new(int)
	for i := range 100_000 {
		tree.Update(fmt.Appendf(nil, "top/%d", i), func(*int) *int { return v })
		if i >= 20 {
			tree.Update(fmt.Appendf(nil, "top/%d", i-20), func(*int) *int { return nil })
		}
	}
	l := newLevel([]byte("top"))
	tab := tree.bucketOf(l.hash(tree.seed)).root.child(l, tree.seed).more.Load()
	if checkTable(t, tab); tab.flat == nil {
		t.Errorf("20 children in a directory of %d after churn", len(tab.cells))
	}
}
