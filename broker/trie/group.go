package trie

import (
	"slices"
	"strings"
	"sync/atomic"

	"vernemq/broker/msg"
)

// Member is one session's subscription in a shared group.
type Member struct {
	Shard    uint16
	Entry    Entry
	Presence *msg.Presence // of the session; may be nil where nobody asks
}

// Group is a shared group of one filter. It lives for as long as it has members. It may be read from any goroutine.
type Group struct {
	name    string
	next    atomic.Uint32
	members atomic.Pointer[[]Member]
	queue   atomic.Pointer[GroupQueue]
}

// GroupQueue says where the queue is that a group has of its own, for what no member takes at the moment. Its owner keeps it; here it is only
// found by those who publish.
type GroupQueue struct {
	Shard   uint16
	Slot    uint32
	Key     atomic.Uint64 // store.SessionKey of its records; 0: it is not durable
	Waiting atomic.Int32  // messages in it
}

// Queue is the group's own queue, nil while it has none.
func (g *Group) Queue() *GroupQueue { return g.queue.Load() }

// SetQueue tells publishers of the group's own queue. It belongs to the queue's owner.
func (g *Group) SetQueue(q *GroupQueue) { g.queue.Store(q) }

// Name is the group's name, the second level of $share/<name>/<filter>.
func (g *Group) Name() string { return g.name }

// Members are the members in the order in which they came. The slice is immutable; it is empty once the group is gone.
func (g *Group) Members() []Member { return *g.members.Load() }

// Next counts up by one, for round robin over Members; it wraps around.
func (g *Group) Next() uint32 { return g.next.Add(1) - 1 }

// The functions below change leaf and group. The bucket's lock is held.

func findMember(ms []Member, shard uint16, slot uint32) int {
	return slices.IndexFunc(ms, func(m Member) bool { return m.Shard == shard && m.Entry.Slot() == slot })
}

// put adds a member or replaces the one of the same shard and slot.
func (g *Group) put(m Member) (replaced bool) {
	ms := g.Members()
	if i := findMember(ms, m.Shard, m.Entry.Slot()); i >= 0 {
		ms = slices.Clone(ms)
		ms[i] = m
		g.members.Store(&ms)
		return true
	}
	ms = append(ms, m) // beyond the end of every slice that was handed out: only the newest is ever appended to
	g.members.Store(&ms)
	return false
}

// take removes a member.
func (g *Group) take(shard uint16, slot uint32) bool {
	ms := g.Members()
	i := findMember(ms, shard, slot)
	if i < 0 {
		return false
	}
	rest := slices.Concat(ms[:i], ms[i+1:])
	g.members.Store(&rest)
	return true
}

// join adds a member to the group of this name, which it makes if there is none.
func (l *Leaf) join(name string, m Member) (g *Group, replaced bool) {
	f := l.spread()
	i, found := slices.BinarySearchFunc(f.groups, name, byName)
	if found {
		return f.groups[i], f.groups[i].put(m)
	}
	g = &Group{name: strings.Clone(name)}
	g.members.Store(&[]Member{m})
	l.many.Store(f.with(f.shards, nil, slices.Concat(f.groups[:i], []*Group{g}, f.groups[i:])))
	return g, false
}

// leave removes a member from the group of this name, and the group with its last one.
func (l *Leaf) leave(name string, shard uint16, slot uint32) bool {
	f := l.many.Load()
	if f == nil {
		return false
	}
	i, found := slices.BinarySearchFunc(f.groups, name, byName)
	if !found || !f.groups[i].take(shard, slot) {
		return false
	}
	if len(f.groups[i].Members()) == 0 {
		l.settle(f.with(f.shards, nil, slices.Delete(slices.Clone(f.groups), i, i+1)))
	}
	return true
}

func byName(g *Group, name string) int { return strings.Compare(g.name, name) }
