package retain

import (
	"strings"

	"vernemq/broker/msg"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// Cursor walks the retained messages that a filter matches, a bounded number of steps at a time. It belongs to one goroutine.
type Cursor struct {
	walk *trie.Cursor[msg.Message] // nil when all is said
	tree *tree                     // for a filter without wildcards: one lookup
	name string
}

// Cursor returns a cursor at the start of what the filter matches in a mountpoint. A filter that begins with a wildcard does not match
// topics that begin with $ [MQTT-4.7.2-1]. The filter must be valid and without $share: shared subscriptions get no retained messages.
// A Cursor keeps the filter, not the messages it has passed.
func (s *Store) Cursor(mountpoint, filter string) *Cursor {
	c := &Cursor{tree: s.tree(mountpoint)}
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
// with done, when there are no more. A message that is there from start to end is seen exactly once, whatever Set and Delete do to others
// meanwhile; a topic that is overwritten is seen with one of its messages; one that is deleted and set again may be seen twice.
func (c *Cursor) Next(budget int) (m *msg.Message, used int, done bool) {
	switch {
	case c.walk != nil:
		return c.walk.Next(budget)
	case c.tree == nil:
		return nil, 0, true
	case budget <= 0:
		return nil, 0, false
	}
	t := c.tree
	c.tree = nil
	if m = t.Load([]byte(c.name)); m == nil {
		return nil, 1, true
	}
	return m, 1, false
}
