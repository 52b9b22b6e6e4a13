package trie

import "sync/atomic"

// Match appends the values of all paths that, read as filters, match the topic: "+" one level, "#" the rest including none, neither of
// them a first level that begins with $ [MQTT-4.7.2-1]. It allocates nothing but dst's growth. A path that is there from before the call
// until after it is found exactly once.
func (t *Tree[V]) Match(topic []byte, dst []*V) []*V {
	end := levelEnd(topic, 0)
	from := [2]*node[V]{&t.bucketOf(newLevel(topic[:end]).hash(t.seed)).root, &t.wild.root}
	if end > 0 && topic[0] == '$' {
		return t.match(from[:1], topic, 0, dst)
	}
	return t.match(from[:], topic, 0, dst)
}

// abreast is how many nodes of one level a match looks at together.
const abreast = 4

// match appends what matches below the nodes, abreast at most, where the topic's rest begins at off; an off beyond the end means that
// nothing is left. It goes level by level, and begins all lookups of a level before it ends the first, so that their cache misses overlap.
func (t *Tree[V]) match(from []*node[V], topic []byte, off int, dst []*V) []*V {
	var rooms [2][2 * abreast]*node[V]
	var probes [abreast]lookup[V]
	at := rooms[0][:copy(rooms[0][:], from)]
	for room := 1; len(at) > 0; room ^= 1 {
		for _, n := range at {
			if v := n.multi.Load(); v != nil {
				dst = append(dst, v)
			}
		}
		if off > len(topic) {
			for _, n := range at {
				if v := n.value.Load(); v != nil {
					dst = append(dst, v)
				}
			}
			return dst
		}
		end := levelEnd(topic, off)
		l := newLevel(topic[off:end])
		off = end + 1
		var h uint64
		begun := 0
		next := rooms[room][:0]
		for _, n := range at {
			if c := n.plus.Load(); c != nil {
				next = append(next, c)
			}
			if c := n.first.Load(); c != nil {
				if c.is(l) {
					next = append(next, c)
				}
			} else if more := n.more.Load(); more != nil {
				if begun == 0 {
					h = l.hash(t.seed)
				}
				probes[begun] = more.begin(h)
				begun++
			}
		}
		for i := range begun {
			if c := probes[i].find(l, h); c != nil {
				next = append(next, c)
			}
		}
		if len(next) > abreast {
			dst = t.match(next[abreast:], topic, off, dst)
			next = next[:abreast]
		}
		at = next
	}
	return dst
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
