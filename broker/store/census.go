package store

// census counts living things by an ascending number that says where they lie, so that it is known at once of a stretch of the log whether
// anything in it is still needed. The zero census is empty.
type census struct {
	base uint64 // number of n[0]
	n    []int32
}

// add counts d more at a number.
func (c *census) add(at uint64, d int32) {
	if len(c.n) == 0 {
		c.base = at
	}
	if at < c.base {
		c.n = append(make([]int32, c.base-at), c.n...)
		c.base = at
	}
	for uint64(len(c.n)) <= at-c.base {
		c.n = append(c.n, 0)
	}
	c.n[at-c.base] += d
	if c.n[0] == 0 && d < 0 {
		c.trim()
	}
}

// trim forgets where nothing lies before the first that lives.
func (c *census) trim() {
	i := 0
	for i < len(c.n) && c.n[i] == 0 {
		i++
	}
	c.base, c.n = c.base+uint64(i), c.n[i:]
}

// none reports whether nothing lives from one number to another, both included.
func (c *census) none(from, to uint64) bool {
	for i := max(from, c.base); i <= to && i-c.base < uint64(len(c.n)); i++ {
		if c.n[i-c.base] != 0 {
			return false
		}
	}
	return true
}
