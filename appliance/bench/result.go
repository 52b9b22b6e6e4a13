package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// Result is what one run found. Its JSON form is one line; a file of results is any number of them.
type Result struct {
	Scenario    string             `json:"scenario"`
	Mode        string             `json:"mode"`
	Started     time.Time          `json:"started"`
	Address     string             `json:"address"`
	MQTT        string             `json:"mqtt"`
	QoS         int                `json:"qos"`
	Size        int                `json:"size"` // bytes of a payload
	Publishers  int                `json:"publishers,omitempty"`
	Subscribers int                `json:"subscribers,omitempty"`
	Clients     int                `json:"clients,omitempty"`
	Count       int                `json:"count,omitempty"`
	Rate        float64            `json:"rate,omitempty"` // messages a second that were asked for
	Threads     int                `json:"threads"`
	Figures     map[string]float64 `json:"figures"`            // by the names of Figures
	Problems    []string           `json:"problems,omitempty"` // what MQTT does not allow; empty: all is well
	Interrupted bool               `json:"interrupted,omitempty"`
}

func newResult(c *Config) *Result {
	return &Result{Scenario: c.Label, Mode: c.Mode, Started: time.Now().UTC().Truncate(time.Second), Address: c.Addr, MQTT: c.Version.String(), QoS: c.QoS, Size: c.Size,
		Publishers: c.Publishers, Subscribers: c.Subscribers, Clients: c.Clients, Count: c.Count, Rate: c.Rate, Threads: c.Threads,
		Figures: map[string]float64{}}
}

// set notes a figure, to six digits. The name has to be in Figures.
func (r *Result) set(name string, v float64) {
	if figure(name) == nil {
		panic("BUG: there is no figure " + name)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if v != math.Trunc(v) {
		digits := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
		v = math.Round(v*digits) / digits
	}
	r.Figures[name] = v
}

// throughput notes how much passed and how fast the subscribers got it.
func (r *Result) throughput(published, delivered int64, seconds float64) {
	r.set("seconds", seconds)
	r.set("published", float64(published))
	r.set("delivered", float64(delivered))
	r.set("delivered_per_second", float64(delivered)/seconds)
}

// cost notes what n messages, or connections, cost the broker and the generator, in CPU seconds.
func (r *Result) cost(cfg *Config, broker, generator float64, n int64) {
	if n == 0 {
		return
	}
	if len(cfg.PIDs) > 0 {
		r.set("broker_cpu_seconds", broker)
		r.set("broker_cpu_per_million", broker*1e6/float64(n))
	}
	r.set("generator_cpu_per_million", generator*1e6/float64(n))
}

// memory notes the broker's memory.
func (r *Result) memory(cfg *Config, before, after usage) {
	if len(cfg.PIDs) == 0 {
		return
	}
	if after.pss > 0 {
		r.set("broker_pss_before_kb", float64(before.pss))
		r.set("broker_pss_after_kb", float64(after.pss))
	}
	r.set("broker_rss_after_kb", float64(after.rss))
}

// written notes what the broker wrote to disk for n messages.
func (r *Result) written(cfg *Config, bytes, n int64) {
	if len(cfg.PIDs) > 0 && n > 0 {
		r.set("written_per_message", float64(bytes)/float64(n))
	}
}

// answers notes how long publishers waited for the broker to say that it has a message.
func (r *Result) answers(from *run) {
	all := from.merged(func(l *loop) *histogram { return &l.answers })
	if all.count == 0 {
		return
	}
	r.setTime("answer_p50_us", all.quantile(.5))
	r.setTime("answer_p99_us", all.quantile(.99))
	r.setTime("answer_max_us", all.max)
}

// setTime notes a figure in us that is given in ns.
func (r *Result) setTime(name string, ns int64) { r.set(name, float64(ns)/1e3) }

// merged adds up one of the histograms of all loops.
func (r *run) merged(of func(*loop) *histogram) (all histogram) {
	for _, l := range r.loops {
		all.add(of(l))
	}
	return all
}

// growth is how much memory came to a process, in KB: of its proportional size where that is known.
func growth(before, after usage) int64 {
	if after.pss > 0 && before.pss > 0 {
		return after.pss - before.pss
	}
	return after.rss - before.rss
}

// latencies notes the quantiles.
func (r *Result) latencies(from *run) {
	latency := from.merged(func(l *loop) *histogram { return &l.latency })
	lag := from.merged(func(l *loop) *histogram { return &l.lag })
	r.answers(from)
	if latency.count > 0 {
		r.set("latency_mean_us", latency.mean()/1e3)
		for _, q := range quantiles {
			r.setTime(q.name, latency.quantile(q.q))
		}
		r.setTime("latency_max_us", latency.max)
	}
	if lag.count > 0 {
		r.setTime("lag_p99_us", lag.quantile(0.99))
		r.setTime("lag_max_us", lag.max)
	}
}

var quantiles = []struct {
	name string
	q    float64
}{{"latency_p50_us", .5}, {"latency_p90_us", .9}, {"latency_p99_us", .99}, {"latency_p999_us", .999}}

// judge notes what was wrong with what arrived.
func (r *run) judge(result *Result) {
	t := r.total()
	result.set("duplicated", float64(t.duplicated))
	result.set("reordered", float64(t.reordered))
	result.set("corrupted", float64(t.corrupted))
	result.set("unexpected", float64(t.unexpected))
	result.set("refused", float64(t.refused))
	result.set("closed", float64(t.closed))
	problem := func(format string, args ...any) {
		result.Problems = append(result.Problems, fmt.Sprintf(format, args...))
	}
	if n := int64(result.Figures["lost"]); n > 0 && r.cfg.QoS > 0 && !result.Interrupted {
		problem("%d messages were lost", n)
	}
	if t.duplicated > 0 && r.cfg.QoS != 1 {
		problem("%d messages came twice", t.duplicated)
	}
	if t.reordered > 0 {
		problem("%d messages came out of order", t.reordered)
	}
	if t.corrupted > 0 {
		problem("%d messages were corrupted", t.corrupted)
	}
	if t.unexpected > 0 {
		problem("%d messages came that were not subscribed to", t.unexpected)
	}
	result.Problems = append(result.Problems, r.problems...)
}

// WriteJSON writes the result as one line of JSON.
func (r *Result) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
