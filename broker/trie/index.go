package trie

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Index is the subscriptions of one mountpoint: from filters to the sessions, shard and slot, that want what they match. Its methods may
// be called from any goroutine, but the subscriptions of a shard only by the goroutine that owns it. Filters are not kept.
type Index struct {
	tree   *Tree[Leaf]
	shards int
	subs   atomic.Int64
}

// New returns an empty index for sessions on this many shards, 1 to MaxShards.
func New(shards int) *Index {
	if shards < 1 || shards > MaxShards {
		panic(fmt.Sprintf("BUG: trie: %d shards, must be 1 to %d", shards, MaxShards))
	}
	return &Index{tree: NewTree[Leaf](), shards: shards}
}

// bytesOf looks at a string as bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func (x *Index) check(shard int) {
	if uint(shard) >= uint(x.shards) {
		panic(fmt.Sprintf("BUG: trie: shard %d of %d", shard, x.shards))
	}
}

// Subscribe adds the entry of (shard, e.Slot()) to the filter, or replaces it. The leaf stays the filter's for as long as the subscription
// lives. When Subscribe has returned, every Match that begins finds it.
func (x *Index) Subscribe(filter string, shard int, e Entry) (leaf *Leaf, replaced bool) {
	x.check(shard)
	x.tree.Update(bytesOf(filter), func(l *Leaf) *Leaf {
		if l == nil {
			l = new(Leaf)
		}
		leaf, replaced = l, l.put(shard, e)
		return l
	})
	if !replaced {
		x.subs.Add(1)
	}
	return leaf, replaced
}

// Unsubscribe removes the plain subscription of a session; false if there was none.
func (x *Index) Unsubscribe(filter string, shard int, slot uint32) bool {
	x.check(shard)
	return x.remove(filter, func(l *Leaf) bool { return l.take(shard, slot) })
}

// SubscribeShared adds the member to the group of this filter, or replaces it. The group stays the same for as long as it has members.
func (x *Index) SubscribeShared(group, filter string, m Member) (leaf *Leaf, g *Group, replaced bool) {
	x.check(int(m.Shard))
	x.tree.Update(bytesOf(filter), func(l *Leaf) *Leaf {
		if l == nil {
			l = new(Leaf)
		}
		leaf = l
		g, replaced = l.join(group, m)
		return l
	})
	if !replaced {
		x.subs.Add(1)
	}
	return leaf, g, replaced
}

// Group returns a shared group of a filter, nil if there is none.
func (x *Index) Group(name, filter string) *Group {
	l := x.tree.Load(bytesOf(filter))
	if l == nil {
		return nil
	}
	for _, g := range l.Groups() {
		if g.name == name {
			return g
		}
	}
	return nil
}

// UnsubscribeShared removes a session from a group; false if it was no member.
func (x *Index) UnsubscribeShared(group, filter string, shard int, slot uint32) bool {
	x.check(shard)
	return x.remove(filter, func(l *Leaf) bool { return l.leave(group, uint16(shard), slot) })
}

// remove lets take remove a subscription from the filter's leaf, and drops the leaf with its last one.
func (x *Index) remove(filter string, take func(*Leaf) bool) (removed bool) {
	x.tree.Update(bytesOf(filter), func(l *Leaf) *Leaf {
		if l == nil {
			return nil
		}
		if removed = take(l); removed && l.empty() {
			return nil
		}
		return l
	})
	if removed {
		x.subs.Add(-1)
	}
	return removed
}

// Match appends the leaves whose filters match the topic. It takes no lock and allocates nothing but dst's growth; topic is not kept.
func (x *Index) Match(topic []byte, dst []*Leaf) []*Leaf { return x.tree.Match(topic, dst) }

// Gen is a generation for cached results of Match: take it before the match, and use the result for as long as it is the same. It changes
// whenever a leaf that matches the topic was made or dropped, and with other leaves of the same first-level bucket or with a wildcard in
// the first level. Changes inside a leaf do not change it: a leaf shows them itself.
func (x *Index) Gen(topic []byte) uint64 { return x.tree.Gen(topic) }

// Watch returns the place where Gen for a topic is counted.
func (x *Index) Watch(topic []byte) Watch { return x.tree.Watch(topic) }

// Len is the number of subscriptions, plain and shared.
func (x *Index) Len() int { return int(x.subs.Load()) }

// Filters is the number of distinct filters; a filter counts once however many plain subscriptions and groups it has.
func (x *Index) Filters() int { return x.tree.Len() }
