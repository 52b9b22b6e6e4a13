package wheel

import (
	"math/rand/v2"
	"testing"
)

// Every armed timer fires once, never early and at most one tick after its time; stopped ones never; whatever fire does meanwhile.
func TestWheelAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	now := int64(12345) * Tick / 10
	w := New(now)
	type timer struct {
		Timer
		want int64
	}
	timers := make([]*timer, 400)
	for i := range timers {
		timers[i] = &timer{}
		timers[i].Index = uint32(i)
	}
	arm := func(tm *timer, when int64) { tm.want = max(when, now); w.Arm(&tm.Timer, when) }
	stop := func(tm *timer) { tm.want = 0; w.Stop(&tm.Timer) }
	for step := range 20000 {
		for range 3 {
			tm := timers[rng.IntN(len(timers))]
			if rng.IntN(4) == 0 {
				stop(tm)
			} else {
				arm(tm, now+rng.Int64N(60*int64(1e9))-int64(1e9))
			}
		}
		if sleep := w.Sleep(now); sleep >= 0 && rng.IntN(2) == 0 {
			now += sleep
		} else {
			now += rng.Int64N(int64(1e9))
		}
		budget := 1 + rng.IntN(20)
		for w.Advance(now, budget, func(f *Timer) {
			tm := timers[f.Index]
			if tm.want == 0 {
				t.Fatalf("step %d: a stopped timer fired", step)
			}
			if tm.want > now {
				t.Fatalf("step %d: fired %d ns early", step, tm.want-now)
			}
			tm.want = 0
			switch rng.IntN(6) {
			case 0:
				arm(tm, now+rng.Int64N(int64(30e9)))
			case 1:
				stop(timers[rng.IntN(len(timers))])
			case 2:
				arm(timers[rng.IntN(len(timers))], now+rng.Int64N(int64(3e9)))
			}
		}) {
		}
		armed := 0
		for i, tm := range timers {
			if tm.want != 0 {
				armed++
				if tm.want <= now-Tick {
					t.Fatalf("step %d: timer %d is %d ns late", step, i, now-tm.want)
				}
			}
			if (tm.want != 0) != tm.Armed() {
				t.Fatalf("step %d: timer %d: armed %v, want %v", step, i, tm.Armed(), tm.want != 0)
			}
		}
		if w.Len() != armed {
			t.Fatalf("step %d: Len %d, want %d", step, w.Len(), armed)
		}
	}
}

func BenchmarkArm(b *testing.B) {
	w := New(0)
	ts := make([]Timer, 10000)
	for i := range b.N {
		w.Arm(&ts[i%len(ts)], int64(i)*1000+90e9)
	}
}
