package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vernemq/broker/config"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startBroker runs a broker on TCP and on a unix socket until the end of the test.
func startBroker(t *testing.T) (tcp, local string) {
	t.Helper()
	tcp, local, _ = startStored(t, "")
	return tcp, local
}

// startStored is startBroker with a store in a directory. The broker is stopped by stop or in the end.
func startStored(t *testing.T, dir string) (tcp, local string, stop func()) {
	t.Helper()
	o := config.Default()
	o.StoreDir = dir
	o.AllowAnonymous, o.Shards = true, 2
	path := filepath.Join(t.TempDir(), "s")
	for name, address := range map[string]string{"a": "127.0.0.1:0", "b": "unix:" + path} {
		o.Listeners = append(o.Listeners, config.Listener{Protocol: "tcp", Name: name, Address: address, MaxConnections: -1, ProtocolVersions: []int{3, 4, 5}})
	}
	n, err := node.Start(t.Context(), node.Params{Options: o, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	for _, l := range n.Listening() {
		if l[1] == "a" {
			tcp = l[2]
		}
	}
	return tcp, "unix:" + path, stop
}

// small is a run of a fraction of a second.
func small(mode, addr string) Config {
	return Config{Mode: mode, Addr: addr, Duration: 60 * time.Millisecond, Warmup: 20 * time.Millisecond, Window: 8, Batch: 4, Patience: 20 * time.Second}
}

// Each mode moves its messages through a real broker, for each QoS, version, transport and number of threads in some combination.
func TestModes(t *testing.T) {
	tcp, local := startBroker(t)
	for i, m := range Modes() {
		for qos := range 3 {
			c := small(m.Name, tcp)
			c.QoS, c.Threads, c.Version = qos, 1+(i+qos)%3, mqtt.V311
			if (i+qos)%2 == 0 {
				c.Version, c.KeepAlive = mqtt.V5, 60
			}
			if qos == 1 {
				c.Addr = local
			}
			switch m.Name {
			case "pairs", "fanin":
				c.Clients = 5
			case "fanout":
				c.Clients, c.Publishers = 20, 2
			case "wildcard":
				c.Publishers, c.Subscribers, c.Count = 3, 4, 333
			case "idle":
				c.Clients, c.Subscribe = 30, qos > 0
			case "storm":
				c.Clients, c.Concurrency = 50, 7
			case "retained":
				c.Count, c.Subscribers, c.Publishers = 123, 2, 3
			case "offline":
				c.Count, c.Subscribers, c.Publishers = 37, 5, 3
			}
			t.Run(fmt.Sprintf("%s/q%d", m.Name, qos), func(t *testing.T) {
				r, err := Run(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Problems) > 0 || r.Interrupted {
					t.Errorf("problems: %q, interrupted %v", r.Problems, r.Interrupted)
				}
				wantFigures(t, r, &c)
			})
		}
	}
}

// wantFigures checks the counts that a mode must come to.
func wantFigures(t *testing.T, r *Result, c *Config) {
	t.Helper()
	want := map[string]float64{"lost": 0, "duplicated": 0, "reordered": 0, "corrupted": 0, "unexpected": 0, "refused": 0, "closed": 0}
	f := r.Figures
	switch c.Mode {
	case "idle":
		want["connects"] = 30
		delete(want, "lost")
	case "storm":
		want["connects"] = 50
		delete(want, "lost")
	case "retained":
		want["published"], want["delivered"] = 123, 246
	case "offline":
		want["published"], want["delivered"] = 37*5, 37*5
	case "fanout":
		want["delivered"] = 20 * f["published"]
	default:
		want["delivered"] = f["published"]
	}
	for name, v := range want {
		if got, ok := f[name]; !ok || got != v {
			t.Errorf("%s is %g (%v), want %g", name, got, ok, v)
		}
	}
	if _, traffic := want["lost"]; traffic && f["delivered"] == 0 {
		t.Error("nothing was delivered")
	}
}

// With a rate exactly what is due is sent, and each message has a latency.
func TestRate(t *testing.T) {
	tcp, _ := startBroker(t)
	for qos := range 3 {
		c := small("pairs", tcp)
		c.Publishers, c.QoS, c.Rate, c.Threads, c.Duration, c.Warmup = 4, qos, 5000, 2, 200*time.Millisecond, 0
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		f := r.Figures
		if got := f["published"] + f["behind"]; len(r.Problems) > 0 || f["delivered"] != f["published"] || got == 0 || got > 1002 {
			t.Errorf("QoS %d: %g of 1000 messages were due, problems %q, figures %v", qos, got, r.Problems, f)
		}
		for _, name := range []string{"latency_p50_us", "latency_p999_us", "lag_p99_us"} {
			if f[name] <= 0 {
				t.Errorf("QoS %d: no %s", qos, name)
			}
		}
	}
}

// Without a limit of the window messages are sent as fast as the sockets take them.
func TestNoWindow(t *testing.T) {
	tcp, _ := startBroker(t)
	c := small("pairs", tcp)
	c.Publishers, c.Window = 2, -1
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Figures; f["delivered"]+f["lost"] < f["published"] || f["delivered"] == 0 || len(r.Problems) > 0 {
		t.Errorf("%v %q", f, r.Problems)
	}
}

// What a run stored is gone afterwards: nothing retained, no session.
func TestNothingIsLeftBehind(t *testing.T) {
	tcp, _ := startBroker(t)
	for _, mode := range []string{"retained", "offline"} {
		c := small(mode, tcp)
		c.Count, c.Subscribers = 50, 2
		if _, err := Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	wantNothingRetained(t, tcp)
}

func wantNothingRetained(t *testing.T, tcp string) {
	t.Helper()
	broker := dialBroker(t, tcp)
	broker.send((&mqtt.Connect{Version: mqtt.V311, ClientID: []byte("look"), CleanStart: true}).Append(nil))
	broker.want(mqtt.TypeConnack)
	sub := mqtt.Subscribe{PacketID: 1}
	sub.Add([]byte("#"), 0)
	broker.send(sub.Append(nil, mqtt.V311))
	broker.want(mqtt.TypeSuback)
	broker.send(mqtt.AppendPingreq(nil))
	broker.want(mqtt.TypePingresp) // and no retained message before it
}

// A run that is interrupted while it stores tells how fast that went, and takes back what it stored.
func TestInterruptWhileStoring(t *testing.T) {
	tcp, _ := startBroker(t)
	for _, mode := range []string{"retained", "offline"} {
		ctx, cancel := context.WithCancel(t.Context())
		c := small(mode, tcp)
		c.Count, c.Subscribers, c.Publishers, c.Inflight = 1_000_000, 1, 1, 1
		c.Progress = func(p *Progress) {
			if p.Published > 0 {
				cancel()
			}
		}
		r, err := Run(ctx, c)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Figures["put_per_second"] <= 0 || len(r.Problems) > 0 {
			t.Errorf("%s: interrupted %v, %v, %q", mode, r.Interrupted, r.Figures, r.Problems)
		}
	}
	wantNothingRetained(t, tcp)
}

// The broker's CPU time and memory are those of the process that is named.
func TestProcess(t *testing.T) {
	tcp, _ := startBroker(t)
	c := small("idle", tcp)
	c.Clients, c.PIDs = 10, []int{ownPID}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"broker_rss_after_kb", "bytes_per_connection", "idle_cpu_ms_per_second", "broker_cpu_per_million"} {
		if _, ok := r.Figures[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	if r.Figures["broker_rss_after_kb"] < 1000 {
		t.Errorf("%g KB", r.Figures["broker_rss_after_kb"])
	}
	c.PIDs = []int{1 << 22}
	if _, err := Run(t.Context(), c); err == nil {
		t.Error("a process that does not exist is accepted")
	}
}
