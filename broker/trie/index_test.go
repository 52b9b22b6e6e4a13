package trie

import (
	"testing"
)

// TestGen names what must change the generation for a topic, and what must not.
func TestGen(t *testing.T) {
	x := New(2)
	e := MakeEntry(1, 0, false, false)
	x.Subscribe("a/b", 0, e)
	for _, tt := range []struct {
		name, topic string
		do          func()
		changes     bool
	}{
		{"a new leaf", "a/x", func() { x.Subscribe("a/x", 0, e) }, true},
		{"a leaf that is not matched but near", "a/x", func() { x.Subscribe("a/y", 0, e) }, true},
		{"another subscriber", "a/x", func() { x.Subscribe("a/x", 1, e) }, false},
		{"the same again", "a/x", func() { x.Subscribe("a/x", 1, e) }, false},
		{"a group in the leaf", "a/x", func() { x.SubscribeShared("g", "a/x", Member{Entry: e}) }, false},
		{"one of several leaves", "a/x", func() { x.Unsubscribe("a/x", 1, 1) }, false},
		{"nothing to remove", "a/x", func() { x.Unsubscribe("a/x", 1, 1) }, false},
		{"not the last", "a/x", func() { x.Unsubscribe("a/x", 0, 1) }, false},
		{"the last leaves", "a/x", func() { x.UnsubscribeShared("g", "a/x", 0, 1) }, true},
		{"a wildcard in front", "a/x", func() { x.Subscribe("+/x", 0, e) }, true},
		{"the multi-level wildcard", "b", func() { x.Subscribe("#", 0, e) }, true},
		{"a wildcard in front, for $", "$SYS/x", func() { x.Subscribe("+/+", 0, e) }, false},
		{"a $ filter, for $", "$SYS/x", func() { x.Subscribe("$SYS/#", 0, e) }, true},
		{"a wildcard goes", "a/x", func() { x.Unsubscribe("+/x", 0, 1) }, true},
	} {
		before := x.Gen([]byte(tt.topic))
		tt.do()
		if changed := x.Gen([]byte(tt.topic)) != before; changed != tt.changes {
			t.Errorf("%s: generation of %q changed = %v, want %v", tt.name, tt.topic, changed, tt.changes)
		}
	}
}

// TestLeafIsStable: the leaf that Subscribe returns is the one that Match finds, until the last subscription goes; then a new one comes.
func TestLeafIsStable(t *testing.T) {
	x := New(2)
	first, _ := x.Subscribe("a/#", 0, MakeEntry(1, 0, false, false))
	second, _ := x.Subscribe("a/#", 1, MakeEntry(1, 0, false, false))
	x.Unsubscribe("a/#", 0, 1)
	third, _ := x.Subscribe("a/#", 1, MakeEntry(9, 0, false, false))
	if found := x.Match([]byte("a"), nil); first != second || second != third || len(found) != 1 || found[0] != first {
		t.Errorf("the leaf of one filter changed while it had subscribers")
	}
	x.Unsubscribe("a/#", 1, 1)
	x.Unsubscribe("a/#", 1, 9)
	if again, _ := x.Subscribe("a/#", 0, MakeEntry(1, 0, false, false)); again == first {
		t.Errorf("a dead leaf came back")
	}
	if first.Shards() != 0 || first.View(0).Len() != 0 {
		t.Errorf("a dead leaf shows the subscribers of its successor")
	}
}

// TestTextIsCopied: neither filters nor topics may be kept, they point into read buffers.
func TestTextIsCopied(t *testing.T) {
	x := NewTree[int]()
	for _, filter := range []string{"a/b", "level longer than a word/another long level", "exactly8"} {
		buf := []byte(filter)
		x.Update(buf, func(*int) *int { return new(int) })
		clear(buf)
		if x.Load([]byte(filter)) == nil || len(x.Match([]byte(filter), nil)) != 1 {
			t.Errorf("%q is lost when the caller's buffer changes", filter)
		}
	}
}

func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"no shards":         func() { New(0) },
		"too many shards":   func() { New(65) },
		"shard too big":     func() { New(2).Subscribe("a", 2, MakeEntry(1, 0, false, false)) },
		"shard negative":    func() { New(2).Unsubscribe("a", -1, 1) },
		"member's shard":    func() { New(2).SubscribeShared("g", "a", Member{Shard: 2}) },
		"unsubscribe share": func() { New(2).UnsubscribeShared("g", "a", 64, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("a broken invariant went unnoticed")
				}
			}()
			f()
		})
	}
}
