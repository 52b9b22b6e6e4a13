package bench

// verdict is what the sequence number of a message says about it.
type verdict uint8

const (
	inOrder    verdict = iota
	duplicated         // it was here before
	reordered          // one with a higher number was here before
)

// flow is the order in which the messages of one publisher reach one subscriber.
type flow struct {
	last uint64 // highest sequence number so far
	seen uint64 // bit n: last-n was received
}

// accept judges the next message. How far back it can tell a late one from a second one is 64 messages; one that is older counts as late.
func (f *flow) accept(seq uint64) verdict {
	if seq > f.last {
		if step := seq - f.last; step < 64 {
			f.seen = f.seen<<step | 1
		} else {
			f.seen = 1
		}
		f.last = seq
		return inOrder
	}
	back := f.last - seq
	if back >= 64 {
		return reordered
	}
	bit := uint64(1) << back
	if f.seen&bit != 0 {
		return duplicated
	}
	f.seen |= bit
	return reordered
}

// checker is what a subscriber knows of what it received: the flows from base on, or, where order has no meaning, the set of what was received.
type checker struct {
	base  uint32
	flows []flow
	set   []uint64 // bit by sequence number
}

// newSet makes a checker for the sequence numbers 1 to n of flow 0.
func newSet(n int) *checker { return &checker{set: make([]uint64, n/64+1)} }

// newFlows makes a checker for n flows from base on.
func newFlows(base, n int) *checker { return &checker{base: uint32(base), flows: make([]flow, n)} }

// accept judges a message; known is false if the subscriber should not have received its flow at all.
func (c *checker) accept(s stamp) (v verdict, known bool) {
	if c.set != nil {
		word, bit := s.seq/64, uint64(1)<<(s.seq%64)
		if word >= uint64(len(c.set)) {
			return inOrder, false
		}
		if c.set[word]&bit != 0 {
			return duplicated, true
		}
		c.set[word] |= bit
		return inOrder, true
	}
	i := s.flow - c.base
	if i >= uint32(len(c.flows)) {
		return inOrder, false
	}
	return c.flows[i].accept(s.seq), true
}
