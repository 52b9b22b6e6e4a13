package bench

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// errStopped ends a phase that was interrupted.
var errStopped = errors.New("stopped")

// await handles events until ok. It gives up when a connection is lost, or when nothing moves any more.
func (l *loop) await(what string, ok func() bool) error {
	closed := l.tally.closed
	l.moved = now()
	for !ok() {
		if l.run.stopped() {
			return errStopped
		}
		l.poll(20 * time.Millisecond)
		if l.tally.closed > closed {
			l.run.mu.Lock()
			defer l.run.mu.Unlock()
			return fmt.Errorf("while waiting for %s: %w", what, l.run.setUpError)
		}
		if l.now-l.moved > int64(l.run.cfg.Patience) {
			return fmt.Errorf("no %s for %s", what, l.run.cfg.Patience)
		}
	}
	return nil
}

// share is a loop's part of a number of things that are divided among loops; at least one.
func (l *loop) share(n int) int {
	return max((n+len(l.run.loops)-1-l.number)/len(l.run.loops), 1)
}

// connect opens connections, some at a time, and waits until all are let in.
func (l *loop) connect(list []*conn, fresh bool) error {
	base, most := l.tally.connected, l.share(l.run.cfg.Concurrency)
	open := func() int { return int(l.tally.connected - base) }
	l.moved = now()
	for i := 0; i < len(list); {
		switch err := l.dial(list[i], fresh); {
		case err == nil:
			i++
		case errors.Is(err, unix.EAGAIN) && now()-l.moved < int64(l.run.cfg.Patience) && !l.run.stopped():
			l.poll(time.Millisecond) // the queue of a unix socket is full; it empties as others are let in
			continue
		default:
			return err
		}
		if err := l.await("CONNACK", func() bool { return i-open() < most }); err != nil {
			return err
		}
	}
	return l.await("CONNACK", func() bool { return open() == len(list) })
}

// filtersPerPacket is how many filters one SUBSCRIBE has, if there are many.
const filtersPerPacket = 50

// subscribe subscribes connections to filters: filter gives the n-th of a connection, false behind the last.
func (l *loop) subscribe(list []*conn, filter func(c *conn, n int) (string, bool)) error {
	base, sent, most := l.tally.subscribed, int64(0), int64(l.share(l.run.cfg.Concurrency))
	answered := func() int64 { return l.tally.subscribed - base }
	for n, more := 0, true; more; n += filtersPerPacket {
		more = false
		for _, c := range list {
			p := mqtt.Subscribe{PacketID: uint16(n/filtersPerPacket%65535 + 1)}
			count := 0
			for i := range filtersPerPacket {
				f, ok := filter(c, n+i)
				if !ok {
					break
				}
				p.Add([]byte(f), mqtt.SubOptions(l.run.cfg.QoS))
				count++
			}
			if count == 0 {
				continue
			}
			more = more || count == filtersPerPacket
			l.send(c, p.Append(nil, l.run.cfg.Version))
			sent++
			if err := l.await("SUBACK", func() bool { return sent-answered() < most }); err != nil {
				return err
			}
		}
	}
	return l.await("SUBACK", func() bool { return sent == answered() })
}

// one is the filter list of a connection that has one filter.
func one(filter func(*conn) string) func(*conn, int) (string, bool) {
	return func(c *conn, n int) (string, bool) {
		if n > 0 {
			return "", false
		}
		return filter(c), true
	}
}

// publisher makes the sending half of a client.
func (l *loop) publisher(c *conn, flow int, frame template) *publisher {
	c.pub = &publisher{loop: l, conn: c, flow: uint32(flow), frame: frame, quota: l.run.cfg.Inflight}
	l.publishers = append(l.publishers, c)
	return c.pub
}
