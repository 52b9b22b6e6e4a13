package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// runStorm connects, waits for the CONNACK, disconnects and begins again, with some connections under way at a time. Latency is from connect to
// CONNACK.
func runStorm(ctx context.Context, r *run, result *Result) error {
	cfg := &r.cfg
	r.enter("storm")
	before, _ := sample(cfg.PIDs, true)
	own, began := ownCPU(), now()
	err := r.each(func(l *loop) error { return l.storm(l.share(cfg.Clients), l.share(cfg.Concurrency)) })
	ended := now()
	own = ownCPU() - own
	if r.total().connected == 0 {
		return errors.Join(err, r.setUpError, ctx.Err())
	}
	if err != nil {
		r.complain("the storm ended early", err)
	}
	after, err := sample(cfg.PIDs, true)
	if err != nil {
		r.complain("the broker is gone", err)
	}
	n := r.total().connected
	result.set("seconds", seconds(ended-began))
	result.set("connects", float64(n))
	result.set("connects_per_second", float64(n)/seconds(ended-began))
	result.cost(cfg, after.cpu-before.cpu, own, n)
	result.memory(cfg, before, after)
	result.latencies(r)
	return nil
}

// storm makes count connections, at most most of them under way at a time. Each slot of the table is used again and again.
func (l *loop) storm(count, most int) error {
	if l.number >= l.run.cfg.Clients {
		return nil // more loops than connections
	}
	begun, base := 0, l.tally.connected+l.tally.closed
	var failed error
	begin := func(c *conn) bool {
		c.number = l.number + begun*len(l.run.loops)
		switch err := l.dial(c, true); {
		case err == nil:
			begun++
			return true
		case !errors.Is(err, unix.EAGAIN):
			failed = err
		}
		return false
	}
	l.onReady = func(*conn) {}
	defer func() { l.onReady = nil }()
	var waiting []*conn // slots without a connection
	for range min(most, count) {
		waiting = append(waiting, l.client(kindStorm, 0))
	}
	l.moved = now()
	for int(l.tally.connected+l.tally.closed-base) < count && !l.run.stopped() {
		for len(waiting) > 0 && begun < count && begin(waiting[len(waiting)-1]) {
			waiting = waiting[:len(waiting)-1]
		}
		if failed != nil {
			return failed
		}
		l.poll(20 * time.Millisecond)
		if l.now-l.moved > int64(l.run.cfg.Patience) {
			return fmt.Errorf("no CONNACK for %s", l.run.cfg.Patience)
		}
		list := l.list
		l.list = l.spare[:0]
		for _, c := range list {
			c.queued = false
			if c.online {
				l.latency.record(l.now - c.dialled)
				l.hangUp(c)
			}
		}
		l.spare = list[:0]
		waiting = waiting[:0]
		for _, c := range l.conns {
			if c.fd < 0 {
				waiting = append(waiting, c)
			}
		}
	}
	return nil
}
