package trie

// Cursor walks the values whose paths, read as topic names, match a filter. It goes only where the filter can match, stops whenever it is
// told to and goes on from there. It belongs to one goroutine; the tree may change meanwhile: a path that is there from start to end is
// seen exactly once, one that comes or goes may be seen or not, one that goes and comes back may be seen again.
type Cursor[V any] struct {
	t      *Tree[V]
	filter string
	bucket int        // next of t.tops to enter, for a filter that begins with a wildcard
	at     *node[V]   // to be entered next, if not nil,
	off    int        // with this place in the filter; beyond its end where nothing is left of it
	top    bool       // it is a root: its children are first levels
	stack  []frame[V] // children still to be entered
}

// frame is some children of a node that are to be entered one by one.
type frame[V any] struct {
	first *node[V]  // the inline one,
	table *table[V] // then these
	i     int       // from this lane or branch on
	off   int       // place in the filter for the children, as in Cursor
	top   bool      // first levels under a wildcard: those with $ are not for it [MQTT-4.7.2-1]
}

// Cursor returns a cursor at the start of the values that match the filter.
func (t *Tree[V]) Cursor(filter string) *Cursor[V] {
	c := &Cursor[V]{t: t, filter: filter}
	path := bytesOf(filter)
	end := levelEnd(path, 0)
	if isPlus(path, 0, end) || isMulti(path, 0, end) {
		return c
	}
	c.bucket = len(t.tops)
	c.at = &t.bucket(path).root
	return c
}

// Next goes on until it has found a value or taken budget steps, a step being one node entered or one lane of a table looked at; used is
// how many it took. v is nil when the budget ran out or the walk is done.
func (c *Cursor[V]) Next(budget int) (v *V, used int, done bool) {
	for used < budget {
		switch {
		case c.at != nil:
			used++
			if v := c.enter(); v != nil {
				return v, used, false
			}
		case len(c.stack) > 0:
			used++
			c.advance()
		case c.bucket < len(c.t.tops):
			used++
			c.at, c.off, c.top = &c.t.tops[c.bucket].root, 0, true
			c.bucket++
		default:
			return nil, used, true
		}
	}
	return nil, used, false
}

// enter looks at the node c.at, arranges for what is below it, and returns its value if the filter ends here.
func (c *Cursor[V]) enter() *V {
	n, off, top := c.at, c.off, c.top
	c.at, c.top = nil, false
	if off > len(c.filter) {
		return n.value.Load()
	}
	path := bytesOf(c.filter)
	end := levelEnd(path, off)
	switch {
	case isMulti(path, off, end):
		c.push(n, off, top)
		return n.value.Load()
	case isPlus(path, off, end):
		c.push(n, end+1, top)
	default:
		c.at, c.off = n.child(newLevel(path[off:end]), c.t.seed), end+1
	}
	return nil
}

// push arranges for the literal children of n.
func (c *Cursor[V]) push(n *node[V], off int, top bool) {
	f := frame[V]{first: n.first.Load(), table: n.more.Load(), off: off, top: top}
	if f.first != nil || f.table != nil {
		c.stack = append(c.stack, f)
	}
}

// advance takes one step in the frame on top of the stack.
func (c *Cursor[V]) advance() {
	f := &c.stack[len(c.stack)-1]
	t := f.table
	var child *node[V]
	switch {
	case f.first != nil:
		child, f.first = f.first, nil
	case t == nil, t.sub == nil && f.i == lanes*len(t.groups), t.sub != nil && f.i == fan:
		c.stack[len(c.stack)-1] = frame[V]{}
		c.stack = c.stack[:len(c.stack)-1]
		return
	case t.sub != nil:
		s := t.sub[f.i].Load()
		f.i++
		if s != nil {
			c.stack = append(c.stack, frame[V]{table: s, off: f.off, top: f.top})
		}
		return
	default:
		child = t.groups[f.i/lanes].child[f.i%lanes].Load()
		f.i++
	}
	if child != nil && !(f.top && child.dollar()) {
		c.at, c.off = child, f.off
	}
}
