package trie

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// TestMatchAllocatesNothing is the rule for the publishing path.
func TestMatchAllocatesNothing(t *testing.T) {
	x := New(2)
	for i, f := range []string{"a/b/c", "a/+/c", "#", "+/b/#", "a/level that is longer than a word/+"} {
		x.Subscribe(f, i%2, MakeEntry(1, 0, false, false))
		x.Subscribe(f, 1, MakeEntry(2, 0, false, false))
	}
	name, long := []byte("a/b/c"), []byte("a/level that is longer than a word/c")
	dst := make([]*Leaf, 0, 8)
	var sum, found int
	allocs := testing.AllocsPerRun(100, func() {
		dst = x.Match(long, x.Match(name, dst[:0]))
		found = len(dst)
		sum += int(x.Gen(name))
		for _, l := range dst {
			for k := range 2 {
				v := l.View(k)
				for i := range v.Len() {
					sum += int(v.At(i).Slot())
				}
			}
			if _, e, ok := l.Single(); ok {
				sum += int(e.Slot())
			}
		}
	})
	if allocs != 0 || found != 7 || sum == 0 {
		t.Errorf("%v allocations for %d leaves, want 0 for 7", allocs, found)
	}
}

// live is the heap that is reachable.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerFilter holds the index to its budget: node, leaf, entry and share of the tables, with one subscriber a filter.
func TestMemoryPerFilter(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		most float64 // bytes per filter
		path func(dst []byte, i int) []byte
	}{
		{"one level of its own and #", 40_000, 140, func(d []byte, i int) []byte { return fmt.Appendf(d, "dev/%d/#", i) }},
		{"two of its own", 200_000, 220, func(d []byte, i int) []byte { return fmt.Appendf(d, "w/%d/+/%d/t", i%317, i) }},
		{"three of its own", 40_000, 280, func(d []byte, i int) []byte { return fmt.Appendf(d, "dev/%d/+/t", i) }},
		{"long text", 40_000, 350, func(d []byte, i int) []byte { return fmt.Appendf(d, "site/sensor-%08d-of-plant/+/temperature", i) }},
		{"first levels", 40_000, 200, func(d []byte, i int) []byte { return fmt.Appendf(d, "%d/+", i) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			buf := make([]byte, 0, 64)
			n := tt.n
			before := live()
			x := New(2)
			for i := range n {
				buf = tt.path(buf[:0], i)
				x.Subscribe(string(buf), i%2, MakeEntry(uint32(i), 0, false, false))
			}
			full := live()
			per := float64(full-before) / float64(n)
			t.Logf("%.0f bytes a filter", per)
			if per > tt.most {
				t.Errorf("%.0f bytes a filter, want at most %.0f", per, tt.most)
			}
			for i := range n {
				buf = tt.path(buf[:0], i)
				if !x.Unsubscribe(string(buf), i%2, uint32(i)) {
					t.Fatalf("%s was lost", buf)
				}
			}
			wantBare(t, x.tree)
			if after := live(); after > before+(full-before)/50 {
				t.Errorf("%d of %d bytes are still held after the last filter went", after-before, full-before)
			}
			runtime.KeepAlive(x)
		})
	}
}

// TestMemoryOfFanOut: an entry in a big leaf is its eight bytes, its index and the room to grow.
func TestMemoryOfFanOut(t *testing.T) {
	const n = 200_000
	before := live()
	x := New(2)
	for i := range n {
		x.Subscribe("all", i%2, MakeEntry(uint32(i), 0, false, false))
	}
	if per := float64(live()-before) / n; per > 40 {
		t.Errorf("%.0f bytes an entry, want at most 40", per)
	}
	runtime.KeepAlive(x)
}

// fill makes n filters of four shapes such that every topic w/<i%317>/d/<i>/t matches exactly one of them, after up to three lookups that
// find nothing.
func fill(n int) *Index {
	x := New(4)
	for i := range n {
		var f string
		switch i % 4 {
		case 0:
			f = fmt.Sprintf("w/%d/+/%d/t", i%317, i)
		case 1:
			f = fmt.Sprintf("w/%d/d/%d/#", i%317, i)
		case 2:
			f = fmt.Sprintf("w/+/d/%d/t", i)
		case 3:
			f = fmt.Sprintf("w/%d/d/%d/t", i%317, i)
		}
		x.Subscribe(f, i%4, MakeEntry(uint32(i), 0, false, false))
	}
	return x
}

// stream is random topics one behind another in memory, so that reading them costs no cache miss of its own.
type stream struct {
	text []byte
	ends []int32
}

func newStream(n int) *stream {
	const topics = 1 << 19
	s := &stream{ends: make([]int32, 1, topics+1)}
	r := rand.New(rand.NewPCG(1, 1))
	for range topics {
		k := r.IntN(n)
		s.text = fmt.Appendf(s.text, "w/%d/d/%d/t", k%317, k)
		s.ends = append(s.ends, int32(len(s.text)))
	}
	return s
}

func (s *stream) at(i int) []byte {
	i %= len(s.ends) - 1
	return s.text[s.ends[i]:s.ends[i+1]]
}

// BenchmarkMatch asks how the cost of a match that finds one filter depends on how many there are.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := fill(n)
			topics := newStream(n)
			dst := make([]*Leaf, 0, 8)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if dst = x.Match(topics.at(i), dst[:0]); len(dst) != 1 {
					b.Fatalf("%d leaves found", len(dst))
				}
			}
		})
	}
}

// BenchmarkChurn asks the same of one subscription made and ended.
func BenchmarkChurn(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := fill(n)
			paths := make([]string, 1<<14)
			for i := range paths {
				paths[i] = fmt.Sprintf("w/%d/+/new%d/t", i%317, i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Subscribe(paths[i&(1<<14-1)], 0, MakeEntry(7, 0, false, false))
				x.Unsubscribe(paths[i&(1<<14-1)], 0, 7)
			}
		})
	}
}

// BenchmarkMatchBesideChurn asks what a publisher loses to others who make and end 10,000 subscriptions a second.
func BenchmarkMatchBesideChurn(b *testing.B) {
	const n = 100_000
	x, topics := fill(n), newStream(n)
	for _, churn := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("%d a second", churn), func(b *testing.B) {
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for i := 0; ; {
					select {
					case <-stop:
						return
					case <-tick.C:
					}
					for range churn / 1000 {
						path := fmt.Sprintf("w/%d/+/new%d/t", i%317, i)
						x.Subscribe(path, 0, MakeEntry(7, 0, false, false))
						x.Unsubscribe(path, 0, 7)
						i++
					}
				}
			}()
			dst := make([]*Leaf, 0, 8)
			for i := 0; b.Loop(); i++ {
				dst = x.Match(topics.at(i), dst[:0])
			}
			close(stop)
			<-done
		})
	}
}

// BenchmarkFanOut reads a leaf of 100,000 entries.
func BenchmarkFanOut(b *testing.B) {
	x := New(1)
	for i := range 100_000 {
		x.Subscribe("all", 0, MakeEntry(uint32(i), 0, false, false))
	}
	leaf := x.Match([]byte("all"), nil)[0]
	sum := 0
	for b.Loop() {
		v := leaf.View(0)
		for i := range v.Len() {
			sum += int(v.At(i).Slot())
		}
	}
}

// BenchmarkRebuild is the longest step of subscribing: the 100,000th entry of a shard in one leaf finds no room.
func BenchmarkRebuild(b *testing.B) {
	var l Leaf
	for i := range 100_000 {
		l.put(0, MakeEntry(uint32(i), 0, false, false))
	}
	s := l.many.Load().splits[0].Load()
	for b.Loop() {
		s.rebuild()
	}
}
