package bench

import "math/bits"

// precision is the number of steps into which each power of two is divided, as a power of two: a value is known to 1 in 64.
const precision = 6

// histogram counts durations in nanoseconds, in buckets whose width grows with the value. The zero value is empty.
type histogram struct {
	count, max int64
	sum        float64
	buckets    [(63 - precision + 1) << precision]int64
}

// record counts a duration; a negative one counts as 0.
func (h *histogram) record(ns int64) {
	ns = max(ns, 0)
	h.count++
	h.sum += float64(ns)
	h.max = max(h.max, ns)
	h.buckets[bucket(ns)]++
}

// bucket is the index for a value: up to 127 each has its own, from then on the upper seven bits tell.
func bucket(ns int64) int {
	shift := max(bits.Len64(uint64(ns))-precision-1, 0)
	return shift<<precision + int(ns>>shift)
}

// limits are the lowest value of a bucket and the lowest of the next.
func limits(index int) (low, next int64) {
	shift := max(index>>precision-1, 0)
	low = int64(index-shift<<precision) << shift
	return low, low + 1<<shift
}

// quantile is the value below which a part q, 0 to 1, of all lies; 0 if there are none.
func (h *histogram) quantile(q float64) int64 {
	if h.count == 0 {
		return 0
	}
	rank := min(int64(q*float64(h.count)), h.count-1)
	for i, n := range h.buckets {
		if rank -= n; rank < 0 {
			low, next := limits(i)
			return min(low+(next-low)/2, h.max)
		}
	}
	return h.max
}

// mean is the average; 0 if there are none.
func (h *histogram) mean() float64 {
	if h.count == 0 {
		return 0
	}
	return h.sum / float64(h.count)
}

// add adds what other counted.
func (h *histogram) add(other *histogram) {
	h.count += other.count
	h.sum += other.sum
	h.max = max(h.max, other.max)
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
}
