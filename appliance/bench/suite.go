package bench

import "vernemq/broker/mqtt"

// Scenario is one line of the standard suite: a load of which it is known what it tells.
type Scenario struct {
	Name, Doc string
	set       func(*Config)
}

// Config is the scenario's load over a base that says where to, for how long and as whom.
func (s *Scenario) Config(base Config) Config {
	base.Label = s.Name
	s.set(&base)
	return base
}

// Suite is the standard suite. Those that tell what something weighs in memory come first: a broker gives back late what others made it take. What it stores in a broker stays below the limits of 1000 queued messages for a client that brokers commonly have.
func Suite() []Scenario {
	traffic := func(mode string, qos int, more ...func(*Config)) func(*Config) {
		return func(c *Config) {
			c.Mode, c.QoS = mode, qos
			for _, f := range more {
				f(c)
			}
		}
	}
	return []Scenario{
		{"idle", "2,000 connections that do nothing", func(c *Config) { c.Mode, c.Clients = "idle", 2000 }},
		{"retained", "10,000 retained messages to 3 subscribers in turn", func(c *Config) { c.Mode, c.Count = "retained", 10_000 }},
		{"wildcard", "10,000 filters, of which each message matches one", traffic("wildcard", 0)},
		{"offline-q1", "900 messages for each of 20 absent sessions", traffic("offline", 1, func(c *Config) { c.Count = 900 })},
		{"fanin-q0", "50 publishers to 1 subscriber, 16 messages a write", traffic("fanin", 0, func(c *Config) { c.Window = 16 })},
		{"pairs-q0", "50 pairs, 16 messages a write", traffic("pairs", 0)},
		{"pairs-q0-v5", "the same with MQTT 5", traffic("pairs", 0, func(c *Config) { c.Version = mqtt.V5 })},
		{"pairs-q0-1", "50 pairs, one message a write and one under way: system calls dominate", traffic("pairs", 0, func(c *Config) { c.Batch, c.Window = 1, 1 })},
		{"fanout-q0", "1 publisher to 500 subscribers", traffic("fanout", 0)},
		{"fanout-q1", "1 publisher to 500 subscribers", traffic("fanout", 1)},
		{"pairs-q1", "50 pairs, 20 unacknowledged", traffic("pairs", 1)},
		{"pairs-q2", "50 pairs, 20 unacknowledged", traffic("pairs", 2)},
		{"rate-q0", "50 pairs, 10,000 messages a second, one by one", traffic("pairs", 0, func(c *Config) { c.Rate = 10_000 })},
		{"rate-q1", "50 pairs, 2,000 messages a second, one by one", traffic("pairs", 1, func(c *Config) { c.Rate = 2000 })},
		{"storm", "5,000 connects, 64 at a time", func(c *Config) { c.Mode, c.Clients = "storm", 5000 }},
	}
}
