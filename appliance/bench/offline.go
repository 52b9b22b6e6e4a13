package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// runOffline lets persistent sessions subscribe and leave, publishes for them while they are away, and lets them come back. In the end it deletes
// the sessions.
func runOffline(_ context.Context, r *run, result *Result) error {
	cfg := &r.cfg
	cfg.QoS = max(cfg.QoS, 1) // nothing is kept for absent sessions at QoS 0
	for i := range cfg.Subscribers {
		l := r.loops[i%len(r.loops)]
		c := l.client(kindSession, i)
		c.have = newFlows(i, 1)
		l.subscribers = append(l.subscribers, c)
	}
	if !cfg.Leave {
		defer r.endSessions()
	}
	err := r.each(func(l *loop) error {
		if err := l.connect(l.subscribers, false); err != nil {
			return err
		}
		topic := func(c *conn) string { return fmt.Sprintf("bench/%s/q/%08d", r.name, c.number) }
		if err := l.subscribe(l.subscribers, one(topic)); err != nil {
			return err
		}
		l.leave(l.subscribers)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range min(cfg.Publishers, cfg.Subscribers) {
		r.storer(r.loops[i%len(r.loops)], i)
	}
	if err := r.each(func(l *loop) error { return l.connect(l.publishers, true) }); err != nil {
		return err
	}

	r.enter("queueing")
	before, _ := sample(cfg.PIDs, true)
	own, began := ownCPU(), now()
	if err := r.publishAll(func(p *publisher) int64 { return r.sessionsOf(p.conn.number) * int64(cfg.Count) }); err != nil && !errors.Is(err, errStopped) {
		return err
	}
	put := seconds(now() - began)
	queued, _ := sample(cfg.PIDs, true)
	n := r.total().published
	result.set("put_per_second", float64(n)/put)
	if len(cfg.PIDs) > 0 && n > 0 {
		result.set("put_cpu_per_million", (queued.cpu-before.cpu)*1e6/float64(n))
		result.set("bytes_per_message", float64(growth(before, queued)*1024)/float64(n))
	}
	result.written(cfg, queued.written-before.written, n)
	result.answers(r)
	if r.stopped() {
		return nil
	}
	if cfg.Leave {
		result.set("published", float64(n))
		result.memory(cfg, before, queued)
		return nil
	}

	r.enter("draining")
	began = now()
	err = r.each(func(l *loop) error {
		if err := l.connect(l.subscribers, false); err != nil {
			return err
		}
		want := int64(len(l.subscribers)) * int64(cfg.Count)
		l.collect(func() bool { return l.tally.delivered-l.tally.duplicated >= want })
		return nil
	})
	if err != nil && !errors.Is(err, errStopped) {
		return err
	}
	ended := began
	for _, l := range r.loops {
		ended = max(ended, l.shown.arrival.Load())
	}
	r.hold(50 * time.Millisecond) // the last acknowledgements
	after, err := sample(cfg.PIDs, true)
	if err != nil {
		r.complain("the broker is gone", err)
	}
	own = ownCPU() - own
	t := r.total()
	result.set("lost", float64(n-(t.delivered-t.duplicated)))
	result.throughput(n, t.delivered, seconds(ended-began))
	result.set("drain_seconds", seconds(ended-began))
	result.cost(cfg, after.cpu-queued.cpu, own, t.delivered)
	result.memory(cfg, before, after)
	if !r.stopped() {
		r.countSessions()
	}
	return nil
}

// sessionsOf is for how many sessions publisher number publishes: for number, number+n, number+2n and so on, n being the number of publishers.
func (r *run) sessionsOf(number int) int64 {
	n := min(r.cfg.Publishers, r.cfg.Subscribers)
	return int64((r.cfg.Subscribers + n - 1 - number) / n)
}

// storer makes publisher number, which serves its sessions in turn.
func (r *run) storer(l *loop, number int) {
	cfg := &r.cfg
	c := l.client(kindPublisher, number)
	p := l.publisher(c, number, newTemplate(fmt.Sprintf("bench/%s/q/%08d", r.name, number), cfg.Size, byte(cfg.QoS), false, cfg.Version))
	mine, step, at := r.sessionsOf(number), int64(min(cfg.Publishers, cfg.Subscribers)), len("bench/")+len(r.name)+len("/q/")
	p.next = func(p *publisher) {
		session := int64(number) + p.sent%mine*step
		p.flow, p.seq = uint32(session), uint64(p.sent/mine)
		p.frame.number(at, 8, int(session))
	}
	r.publishers = append(r.publishers, p)
}

// countSessions complains about sessions that the broker did not keep.
func (r *run) countSessions() {
	forgotten := 0
	for _, l := range r.loops {
		for _, c := range l.subscribers {
			if !c.present {
				forgotten++
			}
		}
	}
	if forgotten > 0 {
		r.complain("sessions were forgotten", fmt.Errorf("%d of %d", forgotten, r.cfg.Subscribers))
	}
}

// endSessions deletes the sessions, also after an interruption: a clean start that is left again leaves nothing.
func (r *run) endSessions() {
	r.enter("deleting")
	r.stop.Store(false)
	err := r.each(func(l *loop) error {
		for _, c := range l.subscribers {
			l.hangUp(c)
		}
		err := l.connect(l.subscribers, true)
		l.leave(l.subscribers)
		return err
	})
	if err != nil {
		r.complain("sessions were left behind", err)
	}
}
