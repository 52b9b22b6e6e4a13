package queue

// behind is what waits behind a queue's front: packed items, and after them those that came when a message was in memory.
type behind struct {
	blocks []block // none is empty
	last   Item    // of the last block, without its message
	open   bool    // last is known: the block may grow
	back   ring    // all newer than those in blocks
}

func (r *behind) push(it *Item) {
	if it.Msg == nil && r.back.n == 0 {
		r.pack(it)
		return
	}
	r.back.push(it)
	if it.Msg == nil && r.back.n%blockLen == 0 {
		for r.back.n >= 2*blockLen {
			r.packBack(blockLen)
		}
	}
}

// pack adds it to the packed ones; back has none that are elder.
func (r *behind) pack(it *Item) {
	n := len(r.blocks)
	if !r.open || n == 0 || r.blocks[n-1].len() == blockLen {
		b := make([]byte, 1, 16)
		if n > 0 { // the queue is long: this block will be about as long as the one before
			b = make([]byte, 1, max(16, len(r.blocks[n-1].b)))
		}
		r.blocks = append(r.blocks, block{b: b})
		r.last, r.open = Item{}, true
		n++
	}
	r.blocks[n-1].push(&r.last, it)
	r.last = *it
	r.last.Msg = nil
}

// packBack packs the eldest n items of back.
func (r *behind) packBack(n uint32) {
	for range n {
		p := r.back.at(0)
		r.pack(p)
		*p = Item{}
		r.back.head++
		r.back.n--
	}
	if r.back.n == 0 {
		r.back = ring{}
	} else {
		r.back.shrink()
	}
}

// packFront takes the items of front, which are elder than its own, and leaves it empty.
func (r *behind) packFront(front *ring) {
	var p behind
	front.each(func(it *Item) bool { p.pack(it); return true })
	*front = ring{}
	if len(r.blocks) > 0 {
		p.blocks, p.last, p.open = append(p.blocks, r.blocks...), r.last, r.open
	}
	p.back = r.back
	*r = p
}

// unpackFirst moves the items of the first block to the end of front, and reports whether there is a block.
func (r *behind) unpackFirst(front *ring) bool {
	if len(r.blocks) == 0 {
		return false
	}
	var room [blockLen]Item
	items := r.blocks[0].unpack(room[:0])
	front.reserve(len(items))
	for i := range items {
		front.push(&items[i])
	}
	r.dropFirst()
	return true
}

func (r *behind) dropFirst() {
	r.blocks[0] = block{}
	if r.blocks = r.blocks[1:]; len(r.blocks) == 0 {
		r.blocks = nil
	}
}

// unpackLast moves the items of the last block to the begin of back, and reports whether there is a block.
func (r *behind) unpackLast() bool {
	n := len(r.blocks)
	if n == 0 {
		return false
	}
	var room [blockLen]Item
	items := r.blocks[n-1].unpack(room[:0])
	r.back.reserve(len(items))
	for i := range items {
		r.back.pushFront(&items[len(items)-1-i])
	}
	r.dropLast()
	return true
}

func (r *behind) dropLast() {
	n := len(r.blocks)
	r.blocks[n-1] = block{}
	r.blocks, r.open = r.blocks[:n-1], false
}
