package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"vernemq/broker/mqtt"
)

func TestStamp(t *testing.T) {
	for _, size := range []int{MinSize, MinSize + 1, 64, 5000} {
		want := stamp{run: 0xdeadbeef, flow: 7, seq: 1 << 40, due: 123456789}
		payload := make([]byte, size)
		want.put(payload)
		if got, ok := readStamp(payload); !ok || got != want {
			t.Errorf("%d bytes: read %+v, %v", size, got, ok)
		}
		for i := range payload {
			payload[i] ^= 0x10
			if _, ok := readStamp(payload); ok {
				t.Errorf("%d bytes: a wrong byte %d is not noticed", size, i)
			}
			payload[i] ^= 0x10
		}
		if _, ok := readStamp(payload[:size-1]); ok {
			t.Errorf("%d bytes: a missing byte is not noticed", size)
		}
	}
}

// A patched template is the packet that would have been encoded.
func TestTemplate(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		for qos := range byte(3) {
			for _, size := range []int{0, MinSize, 64, 200, 20_000} {
				f := newTemplate("a/000/b/00000000", size, qos, true, v)
				f.number(len("a/"), 3, 42)
				f.number(len("a/000/b/"), 8, 12345678)
				h, ok, err := mqtt.ReadHeader(f.frame, 0, v)
				if err != nil || !ok || h.Size+h.Body != len(f.frame) {
					t.Fatalf("v%d QoS %d size %d: header %+v %v %v", v, qos, size, h, ok, err)
				}
				var p mqtt.Publish
				if err := p.Decode(h.Flags, f.frame[h.Size:], v); err != nil {
					t.Fatal(err)
				}
				if string(p.Topic) != "a/042/b/12345678" || p.QoS != qos || !p.Retain || len(p.Payload) != size {
					t.Errorf("v%d QoS %d size %d: %q QoS %d retain %v, %d bytes", v, qos, size, p.Topic, p.QoS, p.Retain, len(p.Payload))
				}
				if f.id > 0 != (qos > 0) || qos > 0 && (f.frame[f.id] != 0 || f.frame[f.id+1] != 1) {
					t.Errorf("v%d QoS %d size %d: packet identifier at %d", v, qos, size, f.id)
				}
			}
		}
	}
}

func TestFlow(t *testing.T) {
	for _, c := range []struct {
		name string
		seqs []uint64
		want []verdict
	}{
		{"in order", []uint64{1, 2, 3}, []verdict{0, 0, 0}},
		{"one missing", []uint64{1, 3}, []verdict{0, 0}},
		{"at once again", []uint64{1, 1}, []verdict{0, duplicated}},
		{"again later", []uint64{1, 2, 3, 2}, []verdict{0, 0, 0, duplicated}},
		{"late", []uint64{1, 3, 2}, []verdict{0, 0, reordered}},
		{"late, twice", []uint64{1, 3, 2, 2}, []verdict{0, 0, reordered, duplicated}},
		{"far behind", []uint64{1, 100, 2}, []verdict{0, 0, reordered}},
		{"a long gap forgets nothing near", []uint64{1, 63, 1, 64, 64}, []verdict{0, 0, duplicated, 0, duplicated}},
	} {
		f := flow{}
		for i, seq := range c.seqs {
			if got := f.accept(seq); got != c.want[i] {
				t.Errorf("%s: %d of %v is %d, want %d", c.name, seq, c.seqs, got, c.want[i])
			}
		}
	}
}

// Within the reach of its memory a flow says what a map of everything would say.
func TestFlowAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	f, seen, last := flow{}, map[uint64]bool{}, uint64(0)
	for range 100_000 {
		seq := max(last+uint64(random.IntN(8)), 63) - uint64(random.IntN(63)) + 1
		want := inOrder
		switch {
		case seen[seq]:
			want = duplicated
		case seq < last:
			want = reordered
		}
		if seq+63 < last {
			continue
		}
		if got := f.accept(seq); got != want {
			t.Fatalf("%d after %d is %d, want %d", seq, last, got, want)
		}
		seen[seq], last = true, max(last, seq)
	}
}

func TestSet(t *testing.T) {
	c := newSet(100)
	for i, step := range []struct {
		seq   uint64
		want  verdict
		known bool
	}{{5, inOrder, true}, {100, inOrder, true}, {5, duplicated, true}, {1, inOrder, true}, {1 << 40, inOrder, false}} {
		if got, known := c.accept(stamp{seq: step.seq}); got != step.want || known != step.known {
			t.Errorf("step %d: %d, %v", i, got, known)
		}
	}
	c = newFlows(10, 2)
	for flow, known := range map[uint32]bool{9: false, 10: true, 11: true, 12: false} {
		if _, got := c.accept(stamp{flow: flow, seq: 1}); got != known {
			t.Errorf("flow %d: known %v", flow, got)
		}
	}
}

// Each topic is matched by its own filter and no other.
func TestWildcardFilters(t *testing.T) {
	const n = 700
	filters := map[string]int{}
	for i := range n {
		filters[wildcardFilter("x", i)] = i
	}
	for i := range n {
		g := i % groups
		for _, f := range []string{
			fmt.Sprintf("bench/x/w/%03d/+/%08d/t", g, i), fmt.Sprintf("bench/x/w/%03d/d/%08d/#", g, i),
			fmt.Sprintf("bench/x/w/+/d/%08d/t", i), fmt.Sprintf("bench/x/w/%03d/d/%08d/t", g, i),
		} {
			if owner, ok := filters[f]; ok && owner != i {
				t.Errorf("filter %d matches topic %d", owner, i)
			}
		}
	}
	if len(filters) != n {
		t.Errorf("%d filters, want %d", len(filters), n)
	}
}

func TestSchedule(t *testing.T) {
	s := schedule{start: 1000, interval: 2.5, total: 5}
	for _, c := range []struct{ t, want int64 }{{0, 0}, {999, 0}, {1000, 1}, {1002, 1}, {1003, 2}, {1005, 3}, {1010, 5}, {1 << 40, 5}} {
		if got := s.passed(c.t); got != c.want {
			t.Errorf("passed(%d) = %d, want %d", c.t, got, c.want)
		}
	}
	for k := range int64(5) {
		if s.passed(s.at(k)) < k || k > 0 && s.at(k) <= s.at(k-1) {
			t.Errorf("message %d is due at %d", k, s.at(k))
		}
	}
}
