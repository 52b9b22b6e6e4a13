package metric

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCatalogIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	samples := 0
	for i := range catalog {
		r := &catalog[i]
		if seen[r.name] {
			t.Errorf("%s has two rows: its samples would not be adjacent", r.name)
		}
		seen[r.name] = true
		if r.doc == "" || strings.Contains(r.doc, "\n") || !strings.HasSuffix(r.doc, ".") {
			t.Errorf("%s: the description is not one sentence: %q", r.name, r.doc)
		}
		coded := r.series == v4AndCodes || r.series == codesOnly || r.series == returnsAndCodes
		if coded != (len(r.codes) > 0) {
			t.Errorf("%s: series and codes contradict each other", r.name)
		}
		if r.sum != nil && r.runtime {
			t.Errorf("%s is both a sum and read from the process", r.name)
		}
		samples += len(r.labels())
	}
	if samples != NumIDs {
		t.Errorf("the catalogue has %d samples, NumIDs is %d: run go generate ./broker/metric", samples, NumIDs)
	}
}

func TestLookup(t *testing.T) {
	tests := []struct {
		name string
		id   ID
		want string
	}{
		{"no code", MqttPubackSent, "mqtt_puback_sent{mqtt_version=4}"},
		{"success", PubackSent(0), "mqtt_puback_sent{mqtt_version=5,reason_code=success}"},
		{"quota", PubackSent(0x97), "mqtt_puback_sent{mqtt_version=5,reason_code=quota_exceeded}"},
		{"unknown code", PubackSent(0x85), "mqtt_puback_sent{mqtt_version=5,reason_code=unspecified_error}"},
		{"no unspecified error", PubrelReceived(0x80), "mqtt_pubrel_received{mqtt_version=5,reason_code=packet_id_not_found}"},
		{"return code", ConnackReturned(4), "mqtt_connack_sent{mqtt_version=4,return_code=bad_username_or_password}"},
		{"connack reason", ConnackSent(0x86), "mqtt_connack_sent{mqtt_version=5,reason_code=bad_username_or_password}"},
		{"disconnect has its own success", DisconnectSent(0), "mqtt_disconnect_sent{mqtt_version=5,reason_code=normal_disconnect}"},
		{"last code", DisconnectSent(0xA2), "mqtt_disconnect_sent{mqtt_version=5,reason_code=wildcard_subs_not_supported}"},
		{"will", DisconnectReceived(4), "mqtt_disconnect_received{mqtt_version=5,reason_code=disconnect_with_will_msg}"},
		{"auth", AuthReceived(0x19), "mqtt_auth_received{mqtt_version=5,reason_code=reauthenticate}"},
		{"version 4", MqttPublishReceived, "mqtt_publish_received{mqtt_version=4}"},
		{"version 5", MqttPublishReceived + 1, "mqtt_publish_received{mqtt_version=5}"},
		{"no label", SocketOpen, "socket_open{}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRegistry(1)
			r.Shard(0).Inc(tt.id)
			var got []string
			for _, s := range r.Snapshot() {
				if s.Value == 1 && s.ID == tt.id {
					got = append(got, seriesName(s))
				}
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func seriesName(s Sample) string {
	var labels []string
	for _, l := range s.Labels {
		labels = append(labels, l.Name+"="+l.Value)
	}
	return s.Name + "{" + strings.Join(labels, ",") + "}"
}

func TestSumAndReset(t *testing.T) {
	r := NewRegistry(2)
	r.Gauge(RetainMessages, func() uint64 { return 5 })
	r.Gauge(RetainMessages, func() uint64 { return 6 })
	r.Shard(0).Add(BytesReceived, 10)
	r.Shard(1).Add(BytesReceived, 20)
	r.Shared().Add(BytesReceived, 3)
	r.Shard(0).Add(RouterSubscriptions, 4)
	r.Shared().Add(ActiveMqttConnections, 7)
	r.Shared().Inc(ConnackReturned(0))

	ids := []ID{BytesReceived, RouterSubscriptions, RetainMessages, ActiveMqttConnections, totalActiveConnections, mqttConnackAcceptedSent,
		ConnackReturned(0)}
	check := func(when string, want ...uint64) {
		t.Helper()
		snap := r.Snapshot()
		var values, snapped []uint64
		for _, id := range ids {
			values = append(values, r.Value(id))
			snapped = append(snapped, snap[id].Value)
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("%s: Value (-want +got):\n%s", when, diff)
		}
		if diff := cmp.Diff(want, snapped); diff != "" {
			t.Errorf("%s: Snapshot (-want +got):\n%s", when, diff)
		}
	}
	check("at first", 33, 4, 11, 7, 7, 1, 1)
	r.Reset()
	check("after Reset", 0, 4, 11, 7, 7, 0, 0)
	r.Shard(1).Inc(BytesReceived)
	check("counted on", 1, 4, 11, 7, 7, 0, 0)
}

// TestReadersAndWriters is for the race detector: writers, readers and resets at once lose nothing.
func TestReadersAndWriters(t *testing.T) {
	const shards, n = 3, 2000
	r := NewRegistry(shards)
	var writers sync.WaitGroup
	for i := range shards {
		writers.Go(func() {
			for range n {
				r.Shard(i).Inc(MqttPublishReceived)
				r.Shared().Inc(MqttPublishReceived)
			}
		})
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		last := uint64(0)
		for {
			v := r.Snapshot()[MqttPublishReceived].Value
			if v < last {
				t.Errorf("a counter went back from %d to %d", last, v)
			}
			last = v
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
	if got, want := r.Value(MqttPublishReceived), uint64(2*shards*n); got != want {
		t.Errorf("counted %d, want %d", got, want)
	}
	r.Reset()
	if got := r.Value(MqttPublishReceived); got != 0 {
		t.Errorf("%d after Reset, want 0", got)
	}
}

func TestRuntimeIsRead(t *testing.T) {
	snap := NewRegistry(0).Snapshot()
	for _, id := range []ID{systemProcessCount, vmMemoryTotal, vmMemoryProcesses, vmMemoryProcessesUsed, vmMemorySystem} {
		if snap[id].Value == 0 {
			t.Errorf("%s is 0: the runtime no longer knows what it is read from", snap[id].Name)
		}
	}
	if total, set := snap[vmMemoryTotal].Value, snap[vmMemoryProcesses].Value+snap[vmMemorySystem].Value; total != set {
		t.Errorf("vm_memory_processes + vm_memory_system = %d, want vm_memory_total %d", set, total)
	}
}

func TestUtilization(t *testing.T) {
	start := time.Unix(1000, 0)
	steps := []struct {
		at, cpu time.Duration
		want    uint64
	}{
		{500 * time.Millisecond, 500 * time.Millisecond, 0}, // too soon: the figure of the last reading
		{time.Second, time.Second, 50},                      // one of two processors
		{1100 * time.Millisecond, 1200 * time.Millisecond, 50},
		{3 * time.Second, 5 * time.Second, 100},
		{4 * time.Second, 8 * time.Second, 100}, // clocks of different grain: never above 100
		{6 * time.Second, 8 * time.Second, 0},
	}
	u := utilization{wall: start}
	for _, s := range steps {
		if got := u.percent(start.Add(s.at), s.cpu, 4, 2); got != s.want {
			t.Errorf("at %v with %v used: %d %%, want %d", s.at, s.cpu, got, s.want)
		}
	}
}

func TestLabels(t *testing.T) {
	names, values := Labels()
	if diff := cmp.Diff([]string{LabelVersion, LabelReason, LabelReturn}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"4", "5"}, values[LabelVersion]); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(values[LabelReturn]); !strings.Contains(got, "server_unavailable") {
		t.Errorf("return codes: %s", got)
	}
}

func TestCountingDoesNotAllocate(t *testing.T) {
	r := NewRegistry(1)
	c := r.Shard(0)
	if n := testing.AllocsPerRun(100, func() {
		c.Inc(PubackSent(0x97))
		c.Add(BytesSent, 12)
		r.Shared().Inc(SocketOpen)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkInc(b *testing.B) {
	c := new(Counters)
	for b.Loop() {
		c.Inc(MqttPublishReceived + 1)
	}
}

func BenchmarkSharedInc(b *testing.B) {
	c := new(SharedCounters)
	for b.Loop() {
		c.Inc(MqttPublishReceived + 1)
	}
}
