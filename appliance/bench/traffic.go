package bench

import (
	"context"
	"fmt"
	"time"
)

// runTraffic is pairs, fanin, fanout and wildcard: publishers and subscribers that are all connected.
//
//  1. subscribers connect and subscribe, then publishers connect
//  2. warm-up: as 3, not counted
//  3. publishing for the duration, by window or by rate
//  4. waiting for what is under way
func runTraffic(_ context.Context, r *run, result *Result) error {
	cfg := &r.cfg
	r.windowed = cfg.Rate == 0 && cfg.Window > 0
	if cfg.Mode == "fanin" || cfg.Mode == "fanout" {
		r.fan = int64(cfg.Subscribers)
	}
	before, _ := sample(cfg.PIDs, true)
	if cfg.Persistent {
		defer r.endSessions()
	}
	if err := r.connectSubscribers(result, before); err != nil {
		return err
	}
	r.makePublishers()
	if err := r.each(func(l *loop) error { return l.connect(l.publishers, true) }); err != nil {
		return err
	}
	if cfg.Warmup > 0 {
		r.enter("warm-up")
		r.traffic(cfg.Warmup)
	}
	base := r.total()
	for _, l := range r.loops {
		l.latency, l.lag, l.answers = histogram{}, histogram{}, histogram{}
	}
	r.enter("publishing")
	from, _ := sample(cfg.PIDs, false)
	own, began := ownCPU(), now()
	ended := r.traffic(cfg.Duration)
	own = ownCPU() - own
	to, err := sample(cfg.PIDs, false)
	if err != nil {
		r.complain("the broker is gone", err)
	}
	after, _ := sample(cfg.PIDs, true)

	t := r.total()
	for _, l := range r.loops {
		ended = max(ended, l.shown.arrival.Load())
	}
	published, delivered := t.published-base.published, t.delivered-base.delivered
	result.written(cfg, to.written-from.written, published)
	result.set("lost", float64(t.published*r.fan-(t.delivered-t.duplicated)))
	result.throughput(published, delivered, seconds(ended-began))
	result.set("published_per_second", float64(published)/seconds(ended-began))
	result.cost(cfg, to.cpu-from.cpu, own, delivered)
	result.memory(cfg, before, after)
	result.latencies(r)
	if cfg.Rate > 0 {
		behind := int64(0)
		for _, p := range r.publishers {
			behind += p.due - p.done
		}
		result.set("behind", float64(behind))
	}
	return nil
}

// connectSubscribers opens and subscribes the receiving side.
func (r *run) connectSubscribers(result *Result, before usage) error {
	cfg := &r.cfg
	var filter func(c *conn, n int) (string, bool)
	switch cfg.Mode {
	case "pairs":
		filter = one(func(c *conn) string { return fmt.Sprintf("bench/%s/p/%08d", r.name, c.number) })
	case "fanin":
		filter = one(func(*conn) string { return fmt.Sprintf("bench/%s/i/+", r.name) })
	case "fanout":
		filter = one(func(*conn) string { return fmt.Sprintf("bench/%s/o", r.name) })
	case "wildcard":
		filter = func(c *conn, n int) (string, bool) {
			i := c.number + n*cfg.Subscribers
			return wildcardFilter(r.name, i), i < cfg.Count
		}
	}
	for i := range cfg.Subscribers {
		l := r.loops[i%len(r.loops)]
		k := kindSubscriber
		if cfg.Persistent {
			k = kindSession
		}
		c := l.client(k, i)
		if cfg.Mode == "pairs" {
			c.have = newFlows(i, 1)
		} else {
			c.have = newFlows(0, cfg.Publishers)
		}
		l.subscribers = append(l.subscribers, c)
	}
	if err := r.each(func(l *loop) error { return l.connect(l.subscribers, !cfg.Persistent) }); err != nil {
		return err
	}
	between, _ := sample(cfg.PIDs, true)
	began := now()
	if err := r.each(func(l *loop) error { return l.subscribe(l.subscribers, filter) }); err != nil {
		return err
	}
	if cfg.Mode == "wildcard" {
		after, _ := sample(cfg.PIDs, true)
		result.set("subscribes_per_second", float64(cfg.Count)/seconds(now()-began))
		if len(cfg.PIDs) > 0 {
			result.set("bytes_per_filter", float64(growth(between, after)*1024)/float64(cfg.Count))
		}
	}
	return nil
}

// groups is over how many levels of the tree wildcard filters are spread.
const groups = 317

// wildcardFilter is the i-th filter: with +, with #, with + at the top, or without. It matches topic i and no other.
func wildcardFilter(name string, i int) string {
	g := i % groups
	switch i % 4 {
	case 0:
		return fmt.Sprintf("bench/%s/w/%03d/+/%08d/t", name, g, i)
	case 1:
		return fmt.Sprintf("bench/%s/w/%03d/d/%08d/#", name, g, i)
	case 2:
		return fmt.Sprintf("bench/%s/w/+/d/%08d/t", name, i)
	}
	return fmt.Sprintf("bench/%s/w/%03d/d/%08d/t", name, g, i)
}

// makePublishers makes the sending side; it is connected later.
func (r *run) makePublishers() {
	cfg := &r.cfg
	for i := range cfg.Publishers {
		var topic string
		switch cfg.Mode {
		case "pairs":
			topic = fmt.Sprintf("bench/%s/p/%08d", r.name, i)
		case "fanin":
			topic = fmt.Sprintf("bench/%s/i/%08d", r.name, i)
		case "fanout":
			topic = fmt.Sprintf("bench/%s/o", r.name)
		case "wildcard":
			topic = fmt.Sprintf("bench/%s/w/000/d/00000000/t", r.name)
		}
		l := r.loops[i%len(r.loops)]
		p := l.publisher(l.client(kindPublisher, i), i, newTemplate(topic, cfg.Size, byte(cfg.QoS), false, cfg.Version))
		if cfg.Mode == "wildcard" {
			p.next = wanderer(len("bench/")+len(r.name)+len("/w/"), uint64(i)+1, uint64(cfg.Count))
		}
		r.publishers = append(r.publishers, p)
	}
}

// wanderer chooses one of count topics at random for each message: xorshift, seeded by the publisher's number. at is where the topic's numbers begin.
func wanderer(at int, seed, count uint64) func(*publisher) {
	x := seed * 0x9E3779B97F4A7C15
	return func(p *publisher) {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		i := int(x >> 16 % count)
		p.frame.number(at, 3, i%groups)
		p.frame.number(at+len("000/d/"), 8, i)
	}
}

// traffic publishes for d and waits for what is under way. It returns when publishing ended.
func (r *run) traffic(d time.Duration) (ended int64) {
	began := now()
	until := began + int64(d)
	_ = r.each(func(l *loop) error {
		if r.cfg.Rate > 0 {
			l.pace(began, until)
		} else {
			l.saturate(until)
		}
		return nil
	})
	ended = now()
	r.drain()
	return ended
}

// drain waits until all that was published has arrived and is acknowledged, or until nothing has come for a while.
func (r *run) drain() {
	t := r.total()
	began, patience := now(), min(r.cfg.Patience, 3*time.Second)
	complete := func() bool {
		var unique, acked, moved int64
		for _, l := range r.loops {
			unique += l.shown.unique.Load()
			acked += l.shown.acked.Load()
			moved = max(moved, l.shown.moved.Load())
		}
		if unique+r.writtenOff >= t.published*r.fan && (r.cfg.QoS == 0 || acked >= t.published) {
			return true
		}
		return now()-max(began, moved) > int64(patience)
	}
	_ = r.each(func(l *loop) error {
		for !complete() && !(r.stopped() && now()-began > int64(time.Second)) {
			l.poll(5 * time.Millisecond)
		}
		return nil
	})
	t = r.total()
	r.writtenOff = t.published*r.fan - (t.delivered - t.duplicated)
	for _, p := range r.publishers { // what was lost must not shrink the windows of the next phase
		p.received.Store(p.sent * r.fan)
	}
}

func seconds(ns int64) float64 { return max(float64(ns), 1) / 1e9 }
