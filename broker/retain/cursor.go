package retain

import (
	"strings"

	"vernemq/broker/msg"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// Cursor walks the retained messages that a filter matches, a bounded number of steps at a time. It belongs to one goroutine.
type Cursor struct {
	walk *trie.Cursor[kept] // nil when all is said
	tree *tree              // for a filter without wildcards: one lookup
	name string
	at   string      // mountpoint
	m    msg.Message // the one that Next returned last
}

// Cursor returns a cursor at the start of what the filter matches in a mountpoint. A filter that begins with a wildcard does not match
// topics that begin with $ [MQTT-4.7.2-1]. The filter must be valid and without $share: shared subscriptions get no retained messages.
// A Cursor keeps the filter, not the messages it has passed.
func (s *Store) Cursor(mountpoint, filter string) *Cursor {
	c := &Cursor{tree: s.tree(mountpoint), at: mountpoint}
	switch {
	case c.tree == nil:
	case topic.HasWildcard(filter):
		c.walk, c.tree = c.tree.Cursor(strings.Clone(filter)), nil
	default:
		c.name = filter
	}
	return c
}

// Next goes on until it has found a message or visited budget nodes; used is how many it visited. m is nil when the budget ran out or,
// with done, when there are no more; otherwise it is borrowed until the next call. A message that is there from start to end is seen exactly
// once, whatever Set and Delete do to others meanwhile; a topic that is overwritten is seen with one of its messages; one that is deleted and
// set again may be seen twice.
func (c *Cursor) Next(budget int) (m *msg.Message, used int, done bool) {
	var k *kept
	switch {
	case c.walk != nil:
		k, used, done = c.walk.Next(budget)
	case c.tree == nil:
		return nil, 0, true
	case budget <= 0:
		return nil, 0, false
	default:
		k, used = c.tree.Load([]byte(c.name)), 1
		c.tree = nil
		done = k == nil
	}
	if k == nil {
		return nil, used, done
	}
	k.fill(&c.m, c.at)
	c.m.Borrowed = true
	return &c.m, used, done
}
