package bench

import (
	"context"
	"fmt"
	"time"
)

// settle is the part of idle's duration that passes before the broker's idle CPU time is measured.
const settle = 3

// runIdle opens connections and holds them.
func runIdle(_ context.Context, r *run, result *Result) error {
	cfg := &r.cfg
	for i := range cfg.Clients {
		l := r.loops[i%len(r.loops)]
		l.subscribers = append(l.subscribers, l.client(kindIdle, i))
	}
	before, _ := sample(cfg.PIDs, true)
	own, began := ownCPU(), now()
	err := r.each(func(l *loop) error {
		if err := l.connect(l.subscribers, true); err != nil || !cfg.Subscribe {
			return err
		}
		return l.subscribe(l.subscribers, one(func(c *conn) string { return fmt.Sprintf("bench/%s/c/%08d/command", r.name, c.number) }))
	})
	if err != nil {
		return err
	}
	set := now()
	connected, _ := sample(cfg.PIDs, false)
	result.set("connects", float64(cfg.Clients))
	result.set("connects_per_second", float64(cfg.Clients)/seconds(set-began))
	result.cost(cfg, connected.cpu-before.cpu, ownCPU()-own, int64(cfg.Clients))

	r.enter("idle")
	r.hold(cfg.Duration / settle)
	from, _ := sample(cfg.PIDs, false)
	began = now()
	r.hold(cfg.Duration - cfg.Duration/settle)
	held := seconds(now() - began)
	to, err := sample(cfg.PIDs, false)
	if err != nil {
		r.complain("the broker is gone", err)
	}
	after, _ := sample(cfg.PIDs, true)
	result.set("seconds", held)
	if len(cfg.PIDs) > 0 {
		result.set("idle_cpu_ms_per_second", (to.cpu-from.cpu)*1e3/held)
		result.set("bytes_per_connection", float64(growth(before, after)*1024)/float64(cfg.Clients))
	}
	result.memory(cfg, before, after)
	return nil
}

// hold keeps connections alive for d.
func (r *run) hold(d time.Duration) {
	until := now() + int64(d)
	_ = r.each(func(l *loop) error {
		l.idle(until)
		return nil
	})
}
