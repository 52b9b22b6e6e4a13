package store

// pageSize is the number of entries in a page.
const pageSize = 4096

// pages is a list of entries that grows by pages, so that growing copies nothing. Entry 0 is none.
type pages[T any] struct {
	page [][]T
	next uint32
	free []uint32
}

func (p *pages[T]) alloc() uint32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		return i
	}
	if p.next == 0 {
		p.next = 1
	}
	i := p.next
	if int(i/pageSize) == len(p.page) {
		p.page = append(p.page, make([]T, pageSize))
	}
	p.next++
	return i
}

func (p *pages[T]) at(i uint32) *T { return &p.page[i/pageSize][i%pageSize] }

// has reports whether an entry i was ever there.
func (p *pages[T]) has(i uint32) bool { return i > 0 && i < p.next }

func (p *pages[T]) release(i uint32) { p.free = append(p.free, i) }

// used is the number of entries in use.
func (p *pages[T]) used() int {
	if p.next == 0 {
		return 0
	}
	return int(p.next) - 1 - len(p.free)
}
