package shard

import (
	"slices"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
)

// readShort is how much is read of a connection at once while publishers are paused: what a paused connection holds unparsed is memory, too.
const readShort = 4 << 10

// pressed reports whether the next packet of c is one that has to wait until there is memory for it; then c is not read any more. What is no
// PUBLISH is handled: acknowledgements are what frees memory.
func (s *Shard) pressed(c *conn, hd mqtt.Header) bool {
	if s.home.Pressure() < exchange.Pause || hd.Type != mqtt.TypePublish || c.s == nil {
		return false
	}
	s.count.Inc(metric.OverloadPublishersPaused)
	c.pausedFor |= pauseMemory
	if len(s.waitMemory) > 2*s.open+connPage { // connections that ended meanwhile
		s.waitMemory = slices.DeleteFunc(s.waitMemory, func(c *conn) bool { return c.pausedFor&pauseMemory == 0 })
	}
	s.waitMemory = append(s.waitMemory, c)
	return true
}

// Press says how short of memory the broker is. When publishers may go on, it wakes them.
func (g *Group) Press(p exchange.Pressure) {
	before := g.X.Pressure()
	g.X.SetPressure(p)
	for _, s := range g.shards {
		switch {
		case p < exchange.Pause && before >= exchange.Pause:
			s.Post(s.relieved)
		case p > before:
			s.Post(func() {}) // a turn, to let go of what can be
		}
	}
}

// relieved goes on with publishers that waited for memory; those that find it short again come back on the list.
func (s *Shard) relieved() {
	s.home.Refresh() // this turn may have begun before
	list := s.waitMemory
	s.waitMemory = nil
	for _, c := range list {
		s.resume(c, pauseMemory)
	}
}

// Holder is a connection whose client is behind with what it has to take, and about how many bytes of memory wait for it.
type Holder struct {
	ID    msg.SubscriberID
	Slot  uint32 // of its session
	Epoch uint32 // of its session: tells the connection from a later one
	Bytes int64
}

// Holders returns the connections that hold least bytes of memory or more. It must not be called from a loop.
func (s *Shard) Holders(least int64) (found []Holder) {
	for from := 0; from >= 0; {
		s.Do(func() {
			from = s.home.Holders(from, func(x *session.Session, holds int64) {
				if holds >= least {
					found = append(found, Holder{x.ID, x.Slot, x.Epoch, holds})
				}
			})
		})
	}
	return found
}

// Close ends the connection of a holder, if it still is the same; false if it is not. It must not be called from a loop.
func (s *Shard) Close(h Holder, err error) (closed bool) {
	s.Do(func() {
		if x := s.home.At(h.Slot); x != nil && x.Online() && x.ID == h.ID && x.Epoch == h.Epoch {
			s.count.Inc(metric.OverloadConsumersClosed)
			s.fail(s.conn(x.Out.Handle), err)
			closed = true
		}
	})
	return closed
}
