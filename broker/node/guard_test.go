package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/exchange"
)

// TestGuard: how the memory goes, in megabytes of a mark of 160, and what comes of it. A collection finds what lives at that moment.
func TestGuard(t *testing.T) {
	type step struct {
		at         time.Duration
		live, heap int // live is the truth: the guard knows it from a collection only
		collected  bool
		want       string // stage, collections asked for and connections closed by this look
	}
	for _, c := range []struct {
		name  string
		steps []step
		logs  int
	}{
		{"room", []step{{0, 10, 20, false, "easy"}, {time.Second, 100, 155, true, "easy"}}, 0},
		{"garbage is no shortage", []step{{0, 10, 20, true, "easy"}, {time.Second, 20, 170, false, "easy gc"}, {1010 * time.Millisecond, 20, 170, false, "easy"},
			{2 * time.Second, 20, 170, false, "easy gc"}}, 0},
		{"up stage by stage and down again", []step{{0, 100, 100, true, "easy"}, {1 * time.Second, 160, 160, true, "shed"}, {2 * time.Second, 170, 170, true, "pause"},
			{3 * time.Second, 180, 180, true, "refuse"}, {4 * time.Second, 151, 151, true, "refuse"}, {5 * time.Second, 149, 150, true, "pause"},
			{5100 * time.Millisecond, 100, 100, true, "pause"}, {6 * time.Second, 139, 140, true, "shed"}, {7 * time.Second, 131, 131, true, "shed"},
			{8 * time.Second, 129, 130, true, "easy"}}, 4},
		{"at once to where it is bad", []step{{0, 300, 300, true, "refuse"}}, 1},
		{"up and down is told once", []step{{0, 170, 170, true, "pause"}, {time.Second, 139, 139, true, "shed"}, {2 * time.Second, 170, 170, true, "pause"},
			{3 * time.Second, 180, 180, true, "refuse"}}, 2},
		{"the collector is asked whether it is over", []step{{0, 165, 165, true, "shed"}, {100 * time.Millisecond, 50, 165, false, "shed"},
			{900 * time.Millisecond, 50, 165, false, "easy gc"}}, 2},
		{"nothing helps but to close who holds most", []step{{0, 175, 175, true, "pause"}, {4900 * time.Millisecond, 175, 175, true, "pause"},
			{5 * time.Second, 175, 175, true, "pause close 45"}, {5500 * time.Millisecond, 175, 175, true, "pause"}, {6 * time.Second, 170, 175, true, "pause close 40"},
			{7 * time.Second, 100, 175, true, "shed"}}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var logs bytes.Buffer
			var did []string
			var truth, known step
			var cycles uint64
			g := &guard{mark: 160 << 20, log: slog.New(slog.NewTextHandler(&logs, nil))}
			g.read = func() reading {
				return reading{live: uint64(known.live) << 20, heap: uint64(truth.heap) << 20, cycles: cycles}
			}
			g.gc = func() {
				known = truth
				cycles++
				did = append(did, "gc")
			}
			pressed := exchange.Easy
			g.press = func(p exchange.Pressure) { pressed = p }
			g.close = func(excess uint64) (int, int64) {
				did = append(did, fmt.Sprint("close ", excess>>20))
				return 1, 1
			}
			begin := time.Now()
			for _, s := range c.steps {
				truth, did = s, nil
				if s.collected {
					known = s
					cycles++
				}
				wait := g.look(begin.Add(s.at))
				if g.took = 0; wait > guardCalm || wait <= 0 {
					t.Errorf("after %s the guard waits for %s", s.at, wait)
				}
				got := strings.Join(append([]string{pressed.String()}, did...), " ")
				if diff := cmp.Diff(s.want, got); diff != "" {
					t.Errorf("after %s (-want +got):\n%s", s.at, diff)
				}
			}
			if n := strings.Count(logs.String(), "\n"); n != c.logs {
				t.Errorf("%d lines logged, want %d:\n%s", n, c.logs, logs.String())
			}
		})
	}
}
