package bench

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// Config says what load to make. For counts, 0 stands for the mode's default.
type Config struct {
	Mode  string // one of Modes
	Label string // name of the scenario in results; default the mode
	Addr  string // of the broker: host:port or unix:/path. No other address is ever contacted.

	Clients     int // the one count that makes the mode larger: see Modes
	Publishers  int
	Subscribers int
	Count       int // messages to retain, filters, messages for each absent session

	QoS  int // of publishes and subscriptions
	Size int // of a payload, bytes, at least MinSize

	Rate     float64       // messages a second of all publishers together; 0: as fast as the window allows
	Duration time.Duration // of the measured part
	Warmup   time.Duration // traffic before it that is not counted
	Inflight int           // unacknowledged QoS 1 and 2 messages of a publisher
	Window   int           // without a rate: messages of a publisher under way end to end; -1: no limit
	Batch    int           // without a rate: messages in one write

	Concurrency int  // connections that are being opened at a time
	Subscribe   bool // idle: one subscription for each connection
	Persistent  bool // pairs, fanin, fanout, wildcard: the subscribers' sessions are persistent, so that the broker has to keep messages above QoS 0
	Leave       bool // offline: the queues stay filled, nothing is drained or deleted

	Version   mqtt.Version // mqtt.V311 or mqtt.V5
	User      string
	Password  []byte // nil: none
	KeepAlive int    // seconds; 0: none

	Threads int   // event loops, each on a thread of its own
	PIDs    []int // processes of the broker, on this machine, whose CPU time and memory are to be reported

	Patience time.Duration   // how long nothing may come back before it is given up
	Progress func(*Progress) // called each second from a goroutine of its own; nil: never
}

// Progress is how far a run has come.
type Progress struct {
	Phase                           string
	Elapsed                         time.Duration // since the phase began
	Connected, Published, Delivered int64         // since the run began
}

// The bounds of what may be asked for.
const (
	maxClients = 1_000_000
	maxCount   = 99_999_999 // eight digits of a topic
	maxFlows   = 1 << 24    // publishers times subscribers, where each pair's order is followed
	maxSize    = 64 << 20
	spareFiles = 64 // descriptors that are needed beside connections
)

// fill returns the configuration with the mode's defaults in the place of zeros.
func (c Config) fill(m *mode) Config {
	c.Label = cmp.Or(c.Label, c.Mode)
	d := &m.defaults
	if c.Clients != 0 {
		m.scale(&c)
	}
	if d.Clients == 0 {
		c.Clients = 0 // it is publishers or subscribers now
	}
	c.Clients = cmp.Or(c.Clients, d.Clients)
	c.Publishers = cmp.Or(c.Publishers, d.Publishers)
	c.Subscribers = cmp.Or(c.Subscribers, d.Subscribers)
	if m.paired {
		c.Subscribers = c.Publishers
	}
	c.Count = cmp.Or(c.Count, d.Count)
	c.Size = cmp.Or(c.Size, 64)
	c.Duration = cmp.Or(c.Duration, 3*time.Second)
	c.Inflight = cmp.Or(c.Inflight, 20)
	c.Batch = cmp.Or(c.Batch, d.Batch, 16)
	if c.QoS > 0 {
		c.Batch = min(c.Batch, max(c.Inflight/2, 1))
	}
	c.Window = cmp.Or(c.Window, d.Window, 48)
	if c.Window > 0 {
		c.Window = max(c.Window, c.Batch)
	}
	c.Concurrency = cmp.Or(c.Concurrency, 64)
	c.Version = cmp.Or(c.Version, mqtt.V311)
	c.Threads = cmp.Or(c.Threads, 1)
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	return c
}

// check returns all that is wrong with a filled configuration.
func (c *Config) check(m *mode) error {
	var errs []error
	within := func(what string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s: %d is not in %d to %d", what, v, low, high))
		}
	}
	if c.Addr == "" {
		errs = append(errs, errors.New("no address: name the broker as host:port or unix:/path"))
	}
	within("clients", c.Clients, 0, maxClients)
	within("publishers", c.Publishers, 0, maxClients)
	within("subscribers", c.Subscribers, 0, maxClients)
	within("count", c.Count, 0, maxCount)
	within("QoS", c.QoS, 0, 2)
	within("size", c.Size, MinSize, maxSize)
	within("inflight", c.Inflight, 1, 32768)
	within("batch", c.Batch, 1, 65536)
	within("window", c.Window, -1, 1<<30)
	within("concurrency", c.Concurrency, 1, 65536)
	within("keep-alive", c.KeepAlive, 0, 65535)
	within("threads", c.Threads, 1, 64)
	if !(c.Rate >= 0 && c.Rate <= 1e8) {
		errs = append(errs, fmt.Errorf("rate: %g is not in 0 to 100,000,000", c.Rate))
	}
	if c.Rate > 0 && !m.rated {
		errs = append(errs, fmt.Errorf("rate: %s has none", m.name))
	}
	if c.Persistent && !m.rated {
		errs = append(errs, fmt.Errorf("persistent: %s does not choose", m.name))
	}
	if c.Leave && m.name != "offline" {
		errs = append(errs, fmt.Errorf("leave: it is for offline, not for %s", m.name))
	}
	if c.Duration < 0 || c.Warmup < 0 || c.Duration > 1000*time.Hour || c.Warmup > 1000*time.Hour {
		errs = append(errs, errors.New("duration and warm-up: not in 0 to 1000 hours"))
	}
	if c.Version != mqtt.V311 && c.Version != mqtt.V5 {
		errs = append(errs, fmt.Errorf("MQTT version %s: 3.1.1 and 5 are spoken", c.Version))
	}
	if c.User == "" && c.Password != nil && c.Version != mqtt.V5 {
		errs = append(errs, errors.New("a password without a user needs MQTT 5")) // [MQTT-3.1.2-22]
	}
	if int64(c.Batch)*int64(c.Size) > 256<<20 {
		errs = append(errs, errors.New("batch: one write has more than 256 MB"))
	}
	if m.flows && int64(c.Publishers)*int64(c.Subscribers) > maxFlows {
		errs = append(errs, fmt.Errorf("%d publishers to %d subscribers are more than %d pairs to follow", c.Publishers, c.Subscribers, maxFlows))
	}
	return errors.Join(errs...)
}

// checkFiles says whether this process may open as many connections.
func checkFiles(connections int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if limit.Max >= uint64(connections+spareFiles) {
		return nil
	}
	return fmt.Errorf("%d connections need more open files than the limit of %d: raise it with ulimit -n %d", connections, limit.Max, connections+spareFiles)
}
