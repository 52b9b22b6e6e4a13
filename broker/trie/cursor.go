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

// frame is some children of a node that are to be entered one by one: an only child, then those of a table, group by group and cell by
// cell. A segment with several cells is walked for each of them, and each time for the children that belong there: so it does not matter
// what becomes of the segment meanwhile.
type frame[V any] struct {
	only   *node[V] // may have moved into the table since
	begun  bool     // only was entered
	table  *table[V]
	groups *group[V]  // being walked, if not nil,
	i      int        // from this lane on
	cell   int        // the next cell
	spill  []*node[V] // of the table, once its cells are done
	last   bool       // they are
	off    int        // place in the filter for the children, as in Cursor
	top    bool       // first levels under a wildcard: those with $ are not for it [MQTT-4.7.2-1]
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
	f := frame[V]{only: n.first.Load(), table: n.more.Load(), off: off, top: top} // first before more: see node.add
	if f.table != nil {
		f.groups = f.table.flat
	}
	if f.only != nil || f.table != nil {
		c.stack = append(c.stack, f)
	}
}

// advance takes one step in the frame on top of the stack.
func (c *Cursor[V]) advance() {
	f := &c.stack[len(c.stack)-1]
	child, done := f.step(c.t)
	switch {
	case done:
		c.stack[len(c.stack)-1] = frame[V]{}
		c.stack = c.stack[:len(c.stack)-1]
	case child != nil && !(f.top && child.dollar()):
		c.at, c.off = child, f.off
	}
}

// step looks at one place and returns the child that is there, if any, or that there are no more places.
func (f *frame[V]) step(tree *Tree[V]) (child *node[V], done bool) {
	t := f.table
	switch {
	case f.only != nil && !f.begun:
		f.begun = true
		return f.only, false
	case t == nil:
		return nil, true
	case f.groups != nil:
		child = f.groups.at(uint32(f.i / lanes)).child[f.i%lanes].Load()
		if child != nil && (child == f.only || t.flat == nil && int(child.hash(tree.seed)>>t.shift) != f.cell-1) {
			child = nil
		}
		if f.i++; f.i == lanes*int(t.mask+1) {
			f.groups, f.i = nil, 0
		}
	case f.cell < len(t.cells):
		f.groups = t.cells[f.cell].Load()
		f.cell++
	case !f.last:
		f.last = true
		if s := t.spill.Load(); s != nil {
			f.spill = *s
		}
	case len(f.spill) > 0:
		child, f.spill = f.spill[0], f.spill[1:]
		if child == f.only {
			child = nil
		}
	default:
		return nil, true
	}
	return child, false
}
