package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/mqtt"
)

func TestConfigErrors(t *testing.T) {
	good := func() Config { return Config{Mode: "pairs", Addr: "127.0.0.1:1"} }
	for _, c := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.Mode = "pears" }, []string{`no mode "pears"`}},
		{func(c *Config) { c.Addr = "" }, []string{"no address"}},
		{func(c *Config) { c.Addr = "here" }, []string{"neither host:port"}},
		{func(c *Config) { c.Addr = "127.0.0.1:mqtt" }, []string{`port "mqtt"`}},
		{func(c *Config) { c.Addr = "127.0.0.1:0" }, []string{`port "0"`}},
		{func(c *Config) { c.Addr = "unix:" }, []string{"1 to 107 bytes"}},
		{func(c *Config) { c.Addr = "unix:/" + strings.Repeat("x", 200) }, []string{"1 to 107 bytes"}},
		{func(c *Config) { c.QoS = 3 }, []string{"QoS: 3 is not in 0 to 2"}},
		{func(c *Config) { c.Size = 27 }, []string{"size: 27 is not in 28"}},
		{func(c *Config) { c.Publishers = -1 }, []string{"publishers: -1"}},
		{func(c *Config) { c.Clients = maxClients + 1 }, []string{"publishers: "}},
		{func(c *Config) { c.Mode, c.Clients = "idle", -1 }, []string{"clients: -1"}},
		{func(c *Config) { c.Rate = -1 }, []string{"rate: -1"}},
		{func(c *Config) { c.Mode, c.Rate = "storm", 5 }, []string{"rate: storm has none"}},
		{func(c *Config) { c.Mode, c.Persistent = "storm", true }, []string{"persistent: storm"}},
		{func(c *Config) { c.Leave = true }, []string{"leave: it is for offline"}},
		{func(c *Config) { c.Threads = 65 }, []string{"threads: 65"}},
		{func(c *Config) { c.Window = -2 }, []string{"window: -2"}},
		{func(c *Config) { c.Duration = -time.Second }, []string{"duration"}},
		{func(c *Config) { c.Version = mqtt.V31 }, []string{"MQTT version 3.1:"}},
		{func(c *Config) { c.Password = []byte("x") }, []string{"needs MQTT 5"}},
		{func(c *Config) { c.Mode, c.Publishers, c.Subscribers = "fanin", 10_000, 10_000 }, []string{"pairs to follow"}},
		{func(c *Config) { c.Batch, c.Size = 65536, 1<<20 }, []string{"one write"}},
		{func(c *Config) { c.Mode, c.Clients = "idle", maxClients }, []string{"ulimit -n"}},
		{func(c *Config) { c.QoS, c.Size, c.Inflight = -1, 1, 70_000 }, []string{"QoS", "size", "inflight"}}, // all at once
	} {
		cfg := good()
		c.change(&cfg)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nothing is to be tried
		_, err := Run(ctx, cfg)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %q", cfg, err, want)
			}
		}
	}
}

func TestFill(t *testing.T) {
	type counts struct{ Clients, Publishers, Subscribers, Count, Batch, Window int }
	for _, c := range []struct {
		in   Config
		want counts
	}{
		{Config{Mode: "pairs"}, counts{0, 50, 50, 0, 16, 48}},
		{Config{Mode: "pairs", Clients: 7}, counts{0, 7, 7, 0, 16, 48}},
		{Config{Mode: "pairs", Clients: 7, Publishers: 3}, counts{0, 3, 3, 0, 16, 48}},
		{Config{Mode: "fanin", Clients: 7, Subscribers: 2}, counts{0, 7, 2, 0, 16, 48}},
		{Config{Mode: "fanout", Clients: 7}, counts{0, 1, 7, 0, 4, 16}},
		{Config{Mode: "fanout", Batch: 100}, counts{0, 1, 500, 0, 100, 100}}, // the window holds a batch at least
		{Config{Mode: "pairs", QoS: 1}, counts{0, 50, 50, 0, 10, 48}},        // half of what may be unacknowledged
		{Config{Mode: "pairs", Window: -1}, counts{0, 50, 50, 0, 16, -1}},
		{Config{Mode: "idle"}, counts{1000, 0, 0, 0, 16, 48}},
		{Config{Mode: "offline", Clients: 5}, counts{0, 10, 5, 1000, 16, 48}},
	} {
		f := c.in.fill(findMode(c.in.Mode))
		if diff := cmp.Diff(c.want, counts{f.Clients, f.Publishers, f.Subscribers, f.Count, f.Batch, f.Window}); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestSuiteIsValid(t *testing.T) {
	names := map[string]bool{}
	for _, s := range Suite() {
		c := s.Config(Config{Addr: "127.0.0.1:1"})
		m := findMode(c.Mode)
		if m == nil || names[s.Name] || s.Doc == "" {
			t.Fatalf("%+v", s)
		}
		names[s.Name] = true
		c = c.fill(m)
		if err := c.check(m); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if c.Label != s.Name {
			t.Errorf("%s is called %s", s.Name, c.Label)
		}
	}
}

func TestTargets(t *testing.T) {
	for text, sources := range map[string]int{"127.0.0.1:1883": sourceAddresses, "192.0.2.1:1883": 0, "[::1]:1883": 0, "[::ffff:127.0.0.1]:1883": sourceAddresses,
		"unix:/run/x": 0, "localhost:1883": -1} {
		a, err := resolve(t.Context(), text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := len(a.target().sources); got != sources && sources >= 0 {
			t.Errorf("%s: %d local addresses, want %d", text, got, sources)
		}
	}
}
