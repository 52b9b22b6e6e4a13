package shard

import (
	"context"
	"time"

	"vernemq/broker/mqtt"
)

var errShutdown = &mqtt.Error{Code: mqtt.CodeServerShuttingDown, Text: "the broker is shutting down"}

const drainStep = 256 // connections told in one turn

// Drain ends all connections in order: MQTT 5 clients are told, wills are published, what is gathered goes out. It returns when no
// connection is left, or when ctx is done.
func (g *Group) Drain(ctx context.Context) error {
	for _, s := range g.shards {
		s.Post(func() { s.drainFrom(0) })
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		open := 0
		g.Each(func(s *Shard) { open += s.open })
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// drainFrom ends the connections from a page on, a step a turn.
func (s *Shard) drainFrom(page int) {
	s.draining = true
	for told := 0; page < len(s.conns) && told < drainStep; page++ {
		for i := range s.conns[page] {
			c := &s.conns[page][i]
			switch {
			case c.fd < 0 || c.closing:
			case c.s == nil:
				s.doom(c)
			default:
				s.fail(c, errShutdown)
				told++
			}
		}
	}
	if page < len(s.conns) {
		s.Post(func() { s.drainFrom(page) })
	}
}
