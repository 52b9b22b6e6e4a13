package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// runRetained sets retained messages, each on a topic of its own and acknowledged, then lets subscribers come one after the other and receive
// them all. In the end it deletes them.
func runRetained(_ context.Context, r *run, result *Result) error {
	cfg := &r.cfg
	receive := cfg.QoS
	cfg.QoS = max(cfg.QoS, 1) // the acknowledgement says that it is stored
	for i := range min(cfg.Publishers, cfg.Count) {
		l := r.loops[i%len(r.loops)]
		r.retainer(l, i, cfg.Size)
	}
	if err := r.each(func(l *loop) error { return l.connect(l.publishers, true) }); err != nil {
		return err
	}
	defer r.forget()

	r.enter("setting")
	before, _ := sample(cfg.PIDs, true)
	own, began := ownCPU(), now()
	if err := r.publishAll(func(p *publisher) int64 { return r.part(p.conn.number, cfg.Count) }); err != nil && !errors.Is(err, errStopped) {
		return err
	}
	stored, _ := sample(cfg.PIDs, true)
	n := r.total().published
	result.set("put_per_second", float64(n)/seconds(now()-began))
	if len(cfg.PIDs) > 0 && n > 0 {
		result.set("put_cpu_per_million", (stored.cpu-before.cpu)*1e6/float64(n))
		result.set("bytes_per_message", float64(growth(before, stored)*1024)/float64(n))
	}
	if r.stopped() {
		return nil
	}

	r.enter("receiving")
	cfg.QoS = receive
	var spent time.Duration
	from, _ := sample(cfg.PIDs, false)
	for i := range cfg.Subscribers {
		l := r.loops[i%len(r.loops)]
		c := l.client(kindSubscriber, i)
		c.have = newSet(cfg.Count)
		l.subscribers = []*conn{c}
		began := now()
		err := r.only(l, func() error { return l.receiveRetained(c, int64(cfg.Count)) })
		if err != nil && !errors.Is(err, errStopped) {
			return err
		}
		if ended := l.shown.arrival.Load(); ended > began {
			spent += time.Duration(ended - began)
		}
		l.hangUp(c)
	}
	own = ownCPU() - own
	after, err := sample(cfg.PIDs, true)
	if err != nil {
		r.complain("the broker is gone", err)
	}
	t := r.total()
	result.set("lost", float64(int64(cfg.Count)*int64(cfg.Subscribers)-(t.delivered-t.duplicated)))
	result.throughput(n, t.delivered, seconds(int64(spent)))
	result.cost(cfg, after.cpu-from.cpu, own, t.delivered)
	result.memory(cfg, before, after)
	return nil
}

// part is how many of count messages belong to publisher number.
func (r *run) part(number, count int) int64 {
	n := min(r.cfg.Publishers, r.cfg.Count)
	return int64((count + n - 1 - number) / n)
}

// retainer makes publisher number, which sets the messages number, number+n, number+2n and so on, n being the number of publishers. With size 0
// it deletes them.
func (r *run) retainer(l *loop, number, size int) {
	cfg := &r.cfg
	topic := fmt.Sprintf("bench/%s/r/00/%08d", r.name, 0)
	c := l.client(kindPublisher, number)
	p := l.publisher(c, 0, newTemplate(topic, size, 1, true, cfg.Version))
	step, at := min(cfg.Publishers, cfg.Count), len("bench/")+len(r.name)+len("/r/")
	p.seq = uint64(number + 1 - step)
	p.next = func(p *publisher) {
		p.seq += uint64(step) - 1
		i := int(p.seq)
		p.frame.number(at, 2, i%100)
		p.frame.number(at+len("00/"), 8, i)
	}
	r.publishers = append(r.publishers, p)
}

// receiveRetained subscribes to all messages and waits for them.
func (l *loop) receiveRetained(c *conn, count int64) error {
	if err := l.connect(l.subscribers, true); err != nil {
		return err
	}
	base := l.tally.delivered - l.tally.duplicated
	filter := fmt.Sprintf("bench/%s/r/#", l.run.name)
	if err := l.subscribe(l.subscribers, one(func(*conn) string { return filter })); err != nil {
		return err
	}
	l.collect(func() bool { return l.tally.delivered-l.tally.duplicated-base >= count || c.fd < 0 })
	return nil
}

// collect handles events until ok, or until nothing has come for a while.
func (l *loop) collect(ok func() bool) {
	patience := min(l.run.cfg.Patience, 3*time.Second)
	for l.moved = now(); !ok() && !l.run.stopped() && now()-l.moved < int64(patience); {
		l.poll(20 * time.Millisecond)
	}
}

// only runs f for one loop.
func (r *run) only(l *loop, f func() error) error {
	return r.each(func(other *loop) error {
		if other != l {
			return nil
		}
		return f()
	})
}

// publishAll lets each publisher send a number of messages, as fast as its quota allows, and waits for their acknowledgements.
func (r *run) publishAll(count func(*publisher) int64) error {
	return r.each(func(l *loop) error {
		left := int64(0)
		for _, c := range l.publishers {
			c.pub.done, c.pub.due = 0, count(c.pub)
			left += c.pub.due
		}
		base := l.tally.acked
		l.offerAll()
		return l.await("acknowledgements", func() bool {
			l.feed()
			return l.tally.acked-base == left
		})
	})
}

// feed lets publishers on the ready list send what they have left, in batches.
func (l *loop) feed() {
	list := l.list
	l.list = l.spare[:0]
	for _, c := range list {
		c.queued = false
		p := c.pub
		// Half a quota at a time: a write for each acknowledgement would be dear.
		if c.fd < 0 || c.blocked || p.inflight > p.quota/2 {
			continue
		}
		l.build = l.build[:0]
		for p.done < p.due && p.inflight < p.quota && len(l.build) < 256<<10 {
			p.done++
			l.append(p, l.now)
		}
		l.send(c, l.build)
	}
	l.spare = list[:0]
}

// forget deletes the retained messages, also after an interruption.
func (r *run) forget() {
	r.enter("deleting")
	r.stop.Store(false)
	r.cfg.QoS = 1
	set := r.publishers
	r.publishers = nil
	for _, l := range r.loops {
		for _, c := range l.publishers {
			l.hangUp(c)
		}
		l.publishers = nil
	}
	done := make([]int64, len(set))
	for i, p := range set {
		done[i] = p.done
		r.retainer(p.loop, i, 0)
	}
	err := r.each(func(l *loop) error { return l.connect(l.publishers, true) })
	if err == nil {
		err = r.publishAll(func(p *publisher) int64 { return done[p.conn.number] })
	}
	if err != nil {
		r.complain("retained messages were left behind", err)
	}
}
