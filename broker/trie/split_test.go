package trie

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func slots(v View) []uint32 {
	var r []uint32
	for i := range v.Len() {
		if e := v.At(i); e != 0 {
			r = append(r, e.Slot())
		}
	}
	return r
}

// TestLeafAgainstList drives one shard's entries of one leaf through growth, holes and compaction: the order of arrival is kept, and the
// memory stays in proportion.
func TestLeafAgainstList(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var l Leaf
	var want []uint32
	pos := map[uint32]bool{}
	for step := range 60_000 {
		slot := uint32(r.IntN(4000))
		if fill := step%20_000 < 12_000; fill == (r.IntN(5) > 0) {
			if replaced := l.put(3, MakeEntry(slot, byte(step), false, false)); replaced != pos[slot] {
				t.Fatalf("step %d: put %d: replaced = %v", step, slot, replaced)
			} else if !replaced {
				want = append(want, slot)
			}
			pos[slot] = true
		} else {
			if removed := l.take(3, slot); removed != pos[slot] {
				t.Fatalf("step %d: take %d = %v", step, slot, removed)
			}
			want = slices.DeleteFunc(want, func(s uint32) bool { return s == slot })
			delete(pos, slot)
		}
		if step%500 == 0 {
			if diff := cmp.Diff(want, slots(l.View(3))); diff != "" {
				t.Fatalf("step %d (-want +got)\n%s", step, diff)
			}
			if n := l.View(3).Len(); n > 8 && n > 2*len(want)+1 {
				t.Fatalf("step %d: %d positions for %d entries", step, n, len(want))
			}
		}
	}
	for _, slot := range want {
		l.take(3, slot)
	}
	if !l.empty() || l.Shards() != 0 || l.View(3).Len() != 0 {
		t.Errorf("leaf is not empty after its last entry went")
	}
}

// TestViewKeepsItsMeaning takes a view in the middle of a fan-out and changes the leaf under it.
func TestViewKeepsItsMeaning(t *testing.T) {
	for _, n := range []uint32{2, 5, 30, 40, 1000} {
		var l Leaf
		for slot := range n {
			l.put(0, MakeEntry(slot, 0, false, false))
		}
		before := slots(l.View(0))
		v := l.View(0)
		l.take(0, 1)
		l.put(0, MakeEntry(1, 0, false, false)) // again: at the end, where the view must not see it
		l.put(0, MakeEntry(n, 0, false, false))
		if got := slots(v); slices.Contains(got, n) || len(got) > len(before) || !slices.IsSorted(got) {
			t.Errorf("%d entries: the view shows %v", n, got)
		}
		v = l.View(0)
		for slot := range n + 1 {
			l.take(0, slot)
		}
		got := slots(v)
		for i, slot := range got {
			if slices.Contains(got[:i], slot) {
				t.Errorf("%d entries: the view shows %d twice", n, slot)
			}
		}
		if l.View(0).Len() != 0 || !l.empty() {
			t.Errorf("%d entries: the leaf is not empty", n)
		}
	}
}

// TestLeafForms goes from one entry to several shards, groups and back: the compact form must come back.
func TestLeafForms(t *testing.T) {
	var l Leaf
	e := func(slot uint32) Entry { return MakeEntry(slot, 2, true, true) }
	steps := []struct {
		name   string
		do     func()
		shards uint64
		groups int
		single bool
	}{
		{"first", func() { l.put(63, e(1)) }, 1 << 63, 0, true},
		{"replaced", func() { l.put(63, e(1)) }, 1 << 63, 0, true},
		{"same slot, other shard", func() { l.put(0, e(1)) }, 1<<63 | 1, 0, false},
		{"a group", func() { l.join("g", Member{Shard: 2, Entry: e(1)}) }, 1<<63 | 1, 1, false},
		{"first gone", func() { l.take(63, 1) }, 1, 1, false},
		{"another group", func() { l.join("f", Member{Shard: 2, Entry: e(1)}) }, 1, 2, false},
		{"group gone", func() { l.leave("g", 2, 1) }, 1, 1, false},
		{"no such member", func() { l.leave("f", 3, 1) }, 1, 1, false},
		{"no such entry", func() { l.take(1, 1) }, 1, 1, false},
		{"last group gone", func() { l.leave("f", 2, 1) }, 1, 0, true},
		{"second of the shard", func() { l.put(0, e(2)) }, 1, 0, false},
		{"first of the shard gone", func() { l.take(0, 1) }, 1, 0, true},
		{"all gone", func() { l.take(0, 2) }, 0, 0, false},
	}
	for _, s := range steps {
		s.do()
		shard, got, single := l.Single()
		if l.Shards() != s.shards || len(l.Groups()) != s.groups || single != s.single {
			t.Errorf("%s: shards %b, %d groups, single %v", s.name, l.Shards(), len(l.Groups()), single)
			t.Errorf("%s: want   %b, %d groups, single %v", s.name, s.shards, s.groups, s.single)
		}
		if single && (l.Shards() != 1<<shard || got.Opts() != 2 || !got.Durable() || !got.HasID() || got.QoS() != 2) {
			t.Errorf("%s: single entry %x on shard %d", s.name, uint64(got), shard)
		}
	}
	if !l.empty() || l.many.Load() != nil {
		t.Errorf("leaf is not empty at the end")
	}
}

func TestGroupSnapshots(t *testing.T) {
	x := New(4)
	member := func(slot uint32, opts byte) Member {
		return Member{Shard: 1, Entry: MakeEntry(slot, opts, false, false)}
	}
	leaf, g, _ := x.SubscribeShared("g", "a/+", member(1, 0))
	one := g.Members()
	x.SubscribeShared("g", "a/+", member(2, 0))
	two := g.Members()
	x.UnsubscribeShared("g", "a/+", 1, 2)
	x.SubscribeShared("g", "a/+", member(3, 0))
	before := g.Members()
	if _, same, replaced := x.SubscribeShared("g", "a/+", member(1, 1)); same != g || !replaced {
		t.Errorf("replacing a member made another group (%v) or a second member (%v)", same != g, !replaced)
	}
	for name, tt := range map[string]struct{ got, want []Member }{
		"one":    {one, []Member{member(1, 0)}},
		"two":    {two, []Member{member(1, 0), member(2, 0)}},
		"before": {before, []Member{member(1, 0), member(3, 0)}},
		"now":    {g.Members(), []Member{member(1, 1), member(3, 0)}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if a, b := g.Next(), g.Next(); a != 0 || b != 1 {
		t.Errorf("Next gave %d, %d, want 0, 1", a, b)
	}
	_, other, _ := x.SubscribeShared("g", "a/b", member(1, 0))
	if other == g {
		t.Errorf("the same group name with another filter is the same group, want another [MQTT-4.8.2-4]")
	}
	x.UnsubscribeShared("g", "a/+", 1, 1)
	x.UnsubscribeShared("g", "a/+", 1, 3)
	if len(leaf.Groups()) != 0 || len(g.Members()) != 0 || x.Len() != 1 || x.Filters() != 1 {
		t.Errorf("after the last member: %d groups, %d members, Len %d, Filters %d", len(leaf.Groups()), len(g.Members()), x.Len(), x.Filters())
	}
}
