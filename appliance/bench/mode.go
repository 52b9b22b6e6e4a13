package bench

import "context"

// mode is one way of making load.
type mode struct {
	name, doc string
	defaults  Config        // counts for those that are not given
	scale     func(*Config) // what Config.Clients means here
	paired    bool          // as many subscribers as publishers
	flows     bool          // the order of each publisher is followed at each subscriber
	rated     bool          // Config.Rate may be given
	sockets   func(*Config) int
	run       func(context.Context, *run, *Result) error
}

// modes are all of them, in the order of the help.
func modes() []*mode {
	both := func(c *Config) int { return c.Publishers + c.Subscribers }
	clients := func(c *Config) int { return c.Clients }
	keep := func(*Config) {}
	publishers := func(c *Config) {
		if c.Publishers == 0 {
			c.Publishers = c.Clients
		}
	}
	subscribers := func(c *Config) {
		if c.Subscribers == 0 {
			c.Subscribers = c.Clients
		}
	}
	return []*mode{
		{"pairs", "each publisher to a subscriber of its own", Config{Publishers: 50}, publishers, true, false, true, both, runTraffic},
		{"fanin", "all publishers to each of few subscribers", Config{Publishers: 50, Subscribers: 1}, publishers, false, true, true, both, runTraffic},
		{"fanout", "few publishers to each of many subscribers", Config{Publishers: 1, Subscribers: 500, Batch: 4, Window: 16}, subscribers, false, true, true,
			both, runTraffic},
		{"wildcard", "publishers to topics at random, each of which one of --count filters matches", Config{Publishers: 20, Subscribers: 100, Count: 10_000},
			publishers, false, true, true, both, runTraffic},
		{"idle", "connections that do nothing, held for the duration", Config{Clients: 1000}, keep, false, false, false, clients, runIdle},
		{"storm", "connect, wait for the answer, disconnect, over and over", Config{Clients: 10_000}, keep, false, false, false,
			func(c *Config) int { return c.Concurrency }, runStorm},
		{"retained", "set --count retained messages, then subscribe to all of them", Config{Publishers: 10, Subscribers: 3, Count: 10_000}, subscribers, false,
			false, false, both, runRetained},
		{"offline", "queue --count messages for each absent session, then let the sessions drain", Config{Publishers: 10, Subscribers: 20, Count: 1000},
			subscribers, false, false, false, both, runOffline},
	}
}

// Mode names a way of making load.
type Mode struct{ Name, Doc string }

// Modes lists them.
func Modes() (list []Mode) {
	for _, m := range modes() {
		list = append(list, Mode{m.name, m.doc})
	}
	return list
}

func findMode(name string) *mode {
	for _, m := range modes() {
		if m.name == name {
			return m
		}
	}
	return nil
}
