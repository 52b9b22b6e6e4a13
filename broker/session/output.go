package session

// Output gathers the bytes of one connection until the end of the turn. It belongs to the shard of the session; the shard writes and empties
// it, the session only appends. An idle Output holds no buffer.
type Output struct {
	Buf     []byte
	Sent    int    // bytes at the front of Buf that are written already
	Handle  uint32 // the shard's: which connection it belongs to
	Dirty   bool   // listed in Sink.Dirty
	Held    bool   // the CONNACK waits for the store; nothing may be sent before it
	Blocked bool   // the socket takes no more at the moment; the shard clears it and pumps the session
}

// The bounds of an Output, in bytes.
const (
	FlushAt   = 64 << 10  // with so much gathered, the shard is asked to write in mid-turn
	MaxUnsent = 256 << 10 // with so much waiting, the client's input is paused: its own answers would not fit
	keepBuf   = 64 << 10  // larger buffers are not kept for reuse
	firstBuf  = 2 << 10
)

// Sink is what all outputs of one shard share.
type Sink struct {
	Dirty []*Output
	Flush func(*Output) // writes what the socket takes now
	Ready func(*Output) // Held ended: input may go on
	free  [][]byte
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
		} else {
			o.Buf = make([]byte, 0, firstBuf)
		}
	}
}

// Release takes the buffer of an emptied o back.
func (k *Sink) Release(o *Output) {
	if cap(o.Buf) <= keepBuf && cap(o.Buf) > 0 && len(k.free) < 256 {
		k.free = append(k.free, o.Buf[:0])
	}
	o.Buf, o.Sent = nil, 0
}

// Unsent returns the number of bytes that wait in o.
func (o *Output) Unsent() int { return len(o.Buf) - o.Sent }

// Room reports whether a PUBLISH may be appended to o now: not while the socket is blocked, and not without writing first when much is
// gathered. Acknowledgements need no room: they are bounded by the input they answer.
func (k *Sink) Room(o *Output) bool {
	if o.Blocked || o.Held {
		return false
	}
	if len(o.Buf) < FlushAt {
		return true
	}
	k.Flush(o)
	return !o.Blocked
}
