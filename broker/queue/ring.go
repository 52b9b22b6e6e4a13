package queue

// smallRing is the length from which on a ring that is not used gives memory back.
const smallRing = 64

// ring is a list of items that is worked on at both ends without moving them.
type ring struct {
	items   []Item // length a power of two, or 0
	head, n uint32 // head counts on and on
}

func (r *ring) at(i uint32) *Item { return &r.items[int(r.head+i)&(len(r.items)-1)] }

func (r *ring) push(it *Item) {
	if int(r.n) == len(r.items) {
		r.resize(max(8, 2*len(r.items)))
	}
	*r.at(r.n) = *it
	r.n++
}

func (r *ring) pushFront(it *Item) {
	if int(r.n) == len(r.items) {
		r.resize(max(8, 2*len(r.items)))
	}
	r.head--
	r.n++
	*r.at(0) = *it
}

// reserve makes room for n more.
func (r *ring) reserve(n int) {
	room := max(8, len(r.items))
	for room < int(r.n)+n {
		room *= 2
	}
	if room > len(r.items) {
		r.resize(room)
	}
}

// shrink gives half of the memory back when an eighth is used.
func (r *ring) shrink() {
	if len(r.items) > smallRing && r.n > 0 && int(r.n) <= len(r.items)/8 {
		r.resize(len(r.items) / 2)
	}
}

func (r *ring) resize(n int) {
	items := make([]Item, n)
	for i := range r.n {
		items[i] = *r.at(i)
	}
	r.items, r.head = items, 0
}

// each calls f for the items, eldest first, and reports whether it went through.
func (r *ring) each(f func(*Item) bool) bool {
	for i := range r.n {
		if !f(r.at(i)) {
			return false
		}
	}
	return true
}

// cold reports whether there are items, and the message of none is in memory.
func (r *ring) cold() bool { return r.n > 0 && r.each(func(it *Item) bool { return it.Msg == nil }) }
