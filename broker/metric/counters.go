package metric

import "sync/atomic"

// ID names one sample of one metric: a slot of a block. Its constants are in ids.go.
type ID uint16

// cacheLine keeps blocks of different writers apart; 128 bytes because adjacent lines are fetched in pairs.
const cacheLine = 128

// Counters is the block of one writer. The zero value is ready for use. All methods belong to the goroutine that owns the block (its shard);
// a Registry reads it from others.
type Counters struct {
	_ [cacheLine]byte
	v [NumIDs]uint64
	_ [cacheLine]byte
}

// Inc adds one.
func (c *Counters) Inc(id ID) { add(&c.v[id], 1) }

// Add adds n.
func (c *Counters) Add(id ID, n uint64) { add(&c.v[id], n) }

func (c *Counters) load(id ID) uint64 { return atomic.LoadUint64(&c.v[id]) }

// SharedCounters is the block of everybody who has none: its methods are safe for concurrent use.
type SharedCounters struct {
	v [NumIDs]atomic.Uint64
}

// Inc adds one.
func (c *SharedCounters) Inc(id ID) { c.v[id].Add(1) }

// Add adds n.
func (c *SharedCounters) Add(id ID, n uint64) { c.v[id].Add(n) }
