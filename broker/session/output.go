package session

import "time"

// Output gathers the bytes of one connection until the end of the turn. It belongs to the shard of the session; the shard writes and empties
// it, the session only appends. An idle Output holds no buffer.
type Output struct {
	Buf      []byte
	Sent     int // bytes at the front of Buf that are written already
	held     int
	Throttle time.Duration // the exchange's word to the shard: the input waits so long; the shard clears it
	Handle   uint32        // the shard's: which connection it belongs to
	Dirty    bool          // listed in Sink.Dirty
	Held     bool          // the CONNACK waits for the store; nothing may be sent before it
	Blocked  bool          // the socket takes no more at the moment; the shard clears it and pumps the session
}

// The bounds of an Output, in bytes.
const (
	FlushAt     = 128 << 10 // with so much gathered, the shard is asked to write in mid-turn
	blockedRoom = 256 << 10 // a blocked output takes publishes up to this, while the shard's blocked outputs together hold little
	blockedLow  = 8 << 10   // and up to this, when they hold much
	blockedSum  = 32 << 20  // much
	MaxUnsent   = 320 << 10 // with so much waiting, the client's input is paused: its own answers would not fit
	keepBuf     = 256 << 10 // larger buffers are not kept for reuse
	firstBuf    = 2 << 10
)

// Sink is what all outputs of one shard share.
type Sink struct {
	Dirty []*Output
	Flush func(*Output)  // writes what the socket takes now
	Ready func(*Output)  // Held ended: input may go on
	Pump  func(*Session) // a place in a window got free without an answer: what waits may go on
	Tight bool           // memory is short: blocked outputs take little, whatever they hold together
	free  [][]byte
	kept  int // bytes of capacity in free
	held  int // bytes that blocked outputs hold, as of their last Account
}

// keptSum bounds the memory of buffers kept for reuse.
const keptSum = 8 << 20

// Account notes what o holds while it is blocked; the shard calls it when it tried to write.
func (k *Sink) Account(o *Output) {
	n := 0
	if o.Blocked {
		n = len(o.Buf)
	}
	k.held += n - o.held
	o.held = n
}

// Touch makes o ready for an append: it has a buffer and is on the dirty list.
func (k *Sink) Touch(o *Output) {
	if !o.Dirty {
		o.Dirty = true
		k.Dirty = append(k.Dirty, o)
	}
	if o.Buf == nil {
		if n := len(k.free); n > 0 {
			o.Buf, k.free = k.free[n-1], k.free[:n-1]
			k.kept -= cap(o.Buf)
		} else {
			o.Buf = make([]byte, 0, firstBuf)
		}
	}
}

// Release takes the buffer of an emptied o back.
func (k *Sink) Release(o *Output) {
	if c := cap(o.Buf); c > 0 && c <= keepBuf && k.kept+c <= keptSum {
		k.free = append(k.free, o.Buf[:0])
		k.kept += c
	}
	o.Buf, o.Sent = nil, 0
	k.held -= o.held
	o.held = 0
}

// Unsent returns the number of bytes that wait in o.
func (o *Output) Unsent() int { return len(o.Buf) - o.Sent }

// Room reports whether a PUBLISH may be appended to o now: only so many while the socket is blocked, and not without writing first when much
// is gathered. Acknowledgements need no room: they are bounded by the input they answer.
func (k *Sink) Room(o *Output) bool {
	if o.Held {
		return false
	}
	if !o.Blocked {
		if len(o.Buf) < FlushAt {
			return true
		}
		k.Flush(o)
	}
	switch n := o.Unsent(); {
	case !o.Blocked || n < blockedLow:
		return true
	default:
		return !k.Tight && n < blockedRoom && k.held < blockedSum
	}
}
