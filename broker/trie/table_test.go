package trie

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestWideLevel drives one level through every shape of its table, up to directories below directories and back, against a map.
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
	deepest := 0
	for i := range most {
		set(i, new(int))
		if i%100 == 0 { // a hole now and then
			set(r.IntN(i+1), nil)
		}
		if i%5000 == 0 {
			deepest = max(deepest, dirs(tree, t))
		}
	}
	if deepest < 2 {
		t.Errorf("%d children made %d directories deep, want 2: the test does not reach what it is about", most, deepest)
	}
	if tree.Len() != len(have) {
		t.Errorf("Len = %d, want %d", tree.Len(), len(have))
	}
	for i, n := range r.Perm(most) {
		if have[n] != nil {
			set(n, nil)
		}
		if i%5000 == 0 || i > most-500 {
			dirs(tree, t)
		}
	}
	wantBare(t, tree)
}

// dirs checks the counts of the table under "top" and says how deep its directories are.
func dirs(tree *Tree[int], t *testing.T) int {
	t.Helper()
	l := newLevel([]byte("top"))
	n := tree.bucketOf(l.hash(tree.seed)).root.child(l, tree.seed)
	if n == nil || n.more.Load() == nil {
		return 0
	}
	_, deep := checkTable(t, n.more.Load())
	return deep
}

func checkTable(t *testing.T, tab *table[int]) (live, deep int) {
	t.Helper()
	used := 0
	for i := range tab.groups {
		g := &tab.groups[i]
		for k := range g.child {
			tag := byte(g.tags.Load() >> (8 * k))
			if child := g.child[k].Load() != nil; child != (tag >= 0x80) {
				t.Fatalf("lane with tag %x: child = %v", tag, child)
			} else if child {
				live++
			}
			if tag != tagFree {
				used++
			}
		}
	}
	if used != int(tab.used) || tab.sub == nil && used > tab.room() {
		t.Fatalf("%d of %d groups' lanes used, counted as %d", used, len(tab.groups), tab.used)
	}
	if len(tab.groups) > 2 && live < len(tab.groups)*lanes/8 {
		t.Fatalf("%d children in %d groups: the table did not shrink", live, len(tab.groups))
	}
	if tab.sub != nil {
		for i := range tab.sub {
			if s := tab.sub[i].Load(); s != nil {
				n, d := checkTable(t, s)
				live, deep = live+n, max(deep, d)
			}
		}
		deep++
		if live < foldBelow {
			t.Fatalf("%d children in a directory: it was not folded", live)
		}
	}
	if live != int(tab.live) || live == 0 {
		t.Fatalf("%d children counted as %d", live, tab.live)
	}
	return live, deep
}

// TestTableCollision puts many children with one hash into a group's probe: lookups must tell them apart by text, and find those behind
// a lane that was emptied.
func TestTableCollision(t *testing.T) {
	const n, h = 50, 7
	tab := newTable[int](groupsFor(n))
	var nodes []*node[int]
	var levels []level
	for i := range n {
		levels = append(levels, newLevel(fmt.Appendf(nil, "level-%d", i)))
		nodes = append(nodes, newNode[int](levels[i]))
		if !tab.place(nodes[i], h) {
			t.Fatalf("no room for child %d of %d", i, n)
		}
	}
	for i := range n {
		for k := range n {
			want := nodes[k]
			if k < i {
				want = nil
			}
			if got := tab.find(levels[k], h); got != want {
				t.Fatalf("%d removed: find %s = %v, want %v", i, levels[k].text, got, want)
			}
		}
		tab.displace(nodes[i], h)
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
	if checkTable(t, tab); len(tab.groups) > 8 {
		t.Errorf("20 children in %d groups after churn", len(tab.groups))
	}
}
