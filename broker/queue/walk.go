package queue

// walk calls f for items and keeps what it changes. A block in which it brings messages to memory is unpacked if its turn is next.
type walk struct {
	q      *Queue
	f      func(*Item) bool
	cooled bool // f has taken messages away
	buf    []Item
}

func (w *walk) visit(it *Item) bool {
	warm := it.Msg != nil
	more := w.f(it)
	w.cooled = w.cooled || warm && it.Msg == nil
	return more
}

func (w *walk) eldestFirst() {
	q := w.q
	for i := range q.front.n {
		if !w.visit(q.front.at(i)) {
			return
		}
	}
	r := q.rest
	if r == nil {
		return
	}
	for i := 0; i < len(r.blocks); {
		changed, warmed, more := w.visitBlock(&r.blocks[i], false)
		switch {
		case warmed && i == 0:
			for j := range w.buf {
				q.front.push(&w.buf[j])
			}
			r.dropFirst()
		case changed:
			r.repack(i, w.buf)
			fallthrough
		default:
			i++
		}
		if !more {
			return
		}
	}
	for i := range r.back.n {
		if !w.visit(r.back.at(i)) {
			return
		}
	}
}

func (w *walk) newestFirst() {
	q := w.q
	if r := q.rest; r != nil {
		for i := range r.back.n {
			if !w.visit(r.back.at(r.back.n - 1 - i)) {
				return
			}
		}
		for i := len(r.blocks) - 1; i >= 0; i-- {
			changed, warmed, more := w.visitBlock(&r.blocks[i], true)
			switch {
			case warmed && i == len(r.blocks)-1:
				for j := range w.buf {
					r.back.pushFront(&w.buf[len(w.buf)-1-j])
				}
				r.dropLast()
			case changed:
				r.repack(i, w.buf)
			}
			if !more {
				return
			}
		}
	}
	for i := range q.front.n {
		if !w.visit(q.front.at(q.front.n - 1 - i)) {
			return
		}
	}
}

// visitBlock visits the items of a block, which it leaves in w.buf as f has made them. warmed tells that one has a message that had none.
func (w *walk) visitBlock(k *block, reverse bool) (changed, warmed, more bool) {
	w.buf = k.unpack(w.buf[:0])
	more = true
	for i := 0; i < len(w.buf) && more; i++ {
		it := &w.buf[i]
		if reverse {
			it = &w.buf[len(w.buf)-1-i]
		}
		was := *it
		more = w.visit(it)
		changed = changed || *it != was
		warmed = warmed || was.Msg == nil && it.Msg != nil
	}
	return changed, warmed, more
}

// repack puts items in the place of those of block i.
func (r *behind) repack(i int, items []Item) {
	var p behind
	for j := range items {
		p.pack(&items[j])
	}
	r.blocks[i] = p.blocks[0]
	if i == len(r.blocks)-1 {
		r.last, r.open = p.last, true
	}
}

// pack packs what stands in the rings, unless a message in memory is among it.
func (q *Queue) pack() {
	if q.front.cold() {
		if q.rest == nil {
			q.rest = &behind{}
		}
		q.rest.packFront(&q.front)
	}
	if q.rest != nil && q.rest.back.cold() {
		q.rest.packBack(q.rest.back.n)
	}
}
