package trie

import "sync/atomic"

// Match appends the values of all paths that, read as filters, match the topic: "+" one level, "#" the rest including none, neither of
// them a first level that begins with $ [MQTT-4.7.2-1]. It allocates nothing but dst's growth. A path that is there from before the call
// until after it is found exactly once.
func (t *Tree[V]) Match(topic []byte, dst []*V) []*V {
	end := levelEnd(topic, 0)
	if end == 0 || topic[0] != '$' {
		dst = t.match(&t.wild.root, topic, 0, dst)
	}
	l := newLevel(topic[:end])
	h := l.hash(t.seed)
	if n := t.bucketOf(h).root.hashedChild(l, h); n != nil {
		dst = t.match(n, topic, end+1, dst)
	}
	return dst
}

// match appends what matches below n, where the topic's rest begins at off; an off beyond the end means that nothing is left. It recurses
// only where the tree has both "+" and the literal level.
func (t *Tree[V]) match(n *node[V], topic []byte, off int, dst []*V) []*V {
	for {
		if v := n.multi.Load(); v != nil {
			dst = append(dst, v)
		}
		if off > len(topic) {
			if v := n.value.Load(); v != nil {
				dst = append(dst, v)
			}
			return dst
		}
		end := levelEnd(topic, off)
		plus, next := n.plus.Load(), n.child(newLevel(topic[off:end]), t.seed)
		off = end + 1
		switch {
		case next == nil && plus == nil:
			return dst
		case next == nil:
			n = plus
		case plus == nil:
			n = next
		default:
			dst = t.match(plus, topic, off, dst)
			n = next
		}
	}
}

// Gen is a generation for results of Match: take it before the match, and use the result for as long as it is the same. It changes
// whenever a path that matches the topic gets its first value or loses its last, and at times when none did. A value that takes another's
// place does not count.
func (t *Tree[V]) Gen(topic []byte) uint64 { return t.Watch(topic).Gen() }

// Watch is the place where the generation for one topic is counted: for callers that ask for the same topic again and again. It stays valid
// for the life of the tree. The zero Watch has generation 0.
type Watch struct{ own, wild *atomic.Uint64 }

// Watch returns the place for a topic; topic is not kept.
func (t *Tree[V]) Watch(topic []byte) Watch {
	end := levelEnd(topic, 0)
	w := Watch{own: &t.bucketOf(newLevel(topic[:end]).hash(t.seed)).gen}
	if end == 0 || topic[0] != '$' {
		w.wild = &t.wild.gen
	}
	return w
}

// Gen returns the generation now, as Tree.Gen does.
func (w Watch) Gen() (g uint64) {
	if w.own != nil {
		g = w.own.Load()
	}
	if w.wild != nil {
		g += w.wild.Load()
	}
	return g
}
