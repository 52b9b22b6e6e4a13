package retain

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/msg"
	"vernemq/broker/topic"
)

func message(mountpoint, name, payload string) *msg.Message {
	return &msg.Message{Mountpoint: mountpoint, Topic: []byte(name), Payload: []byte(payload), QoS: 1, Retain: true}
}

// all walks a cursor to its end.
func all(t *testing.T, c *Cursor, budget int) []*msg.Message {
	t.Helper()
	var found []*msg.Message
	for {
		m, used, done := c.Next(budget)
		if used > budget || used == 0 && !done {
			t.Fatalf("%d nodes visited with a budget of %d, done %v", used, budget, done)
		}
		if m != nil {
			found = append(found, m.Own())
		}
		if done {
			if m, used, done := c.Next(budget); m != nil || used != 0 || !done {
				t.Fatalf("a cursor that was done goes on")
			}
			return found
		}
	}
}

func topics(ms []*msg.Message) []string {
	var r []string
	for _, m := range ms {
		r = append(r, string(m.Topic))
	}
	slices.Sort(r)
	return r
}

func TestSet(t *testing.T) {
	s := New()
	for _, tt := range []struct {
		clause, name, payload string
		delta, count          int
		get                   string
	}{
		{"MQTT-3.3.1-5 is kept", "a/b", "one", 1, 1, "one"},
		{"MQTT-3.3.1-5 replaces", "a/b", "two", 0, 1, "two"},
		{"another topic", "a", "x", 1, 2, "x"},
		{"MQTT-3.3.1-6 empty deletes", "a/b", "", -1, 1, ""},
		{"MQTT-3.3.1-7 empty is not kept", "a/b", "", 0, 1, ""},
		{"back again", "a/b", "three", 1, 2, "three"},
	} {
		if d := s.Set(message("", tt.name, tt.payload)); d != tt.delta || s.Count() != tt.count {
			t.Errorf("%s: delta %d, count %d, want %d, %d", tt.clause, d, s.Count(), tt.delta, tt.count)
		}
		got := ""
		if m := s.Get("", []byte(tt.name)); m != nil {
			got = string(m.Payload)
		}
		if got != tt.get {
			t.Errorf("%s: Get = %q, want %q", tt.clause, got, tt.get)
		}
	}
	if want := int64(2*Overhead + len("a/bthree") + len("ax")); s.Bytes() != want {
		t.Errorf("Bytes = %d, want %d", s.Bytes(), want)
	}
}

func TestMountpointsAreApart(t *testing.T) {
	s := New()
	for _, mp := range []string{"", "one", "two"} {
		s.Set(message(mp, "a/b", "from "+mp))
	}
	if s.Delete("none", []byte("a/b")) || s.Get("none", []byte("a/b")) != nil || len(all(t, s.Cursor("none", "#"), 10)) != 0 {
		t.Errorf("a mountpoint without messages has one")
	}
	if !s.Delete("one", []byte("a/b")) || s.Get("one", []byte("a/b")) != nil || s.Count() != 2 {
		t.Errorf("deleting in one mountpoint: count %d, want 2", s.Count())
	}
	for _, mp := range []string{"", "two"} {
		if got := all(t, s.Cursor(mp, "#"), 10); len(got) != 1 || string(got[0].Payload) != "from "+mp {
			t.Errorf("mountpoint %q shows %v", mp, got)
		}
	}
}

// TestExpire: an expired message may be removed, the one that came after it may not.
func TestExpire(t *testing.T) {
	s := New()
	s.Set(message("m", "a", "same"))
	old := s.Get("m", []byte("a"))
	s.Set(message("m", "a", "same"))
	fresh := s.Get("m", []byte("a"))
	if s.Expire(old) || s.Count() != 1 {
		t.Errorf("the newer message was removed for the older one")
	}
	if !s.Expire(fresh) || s.Expire(fresh) || s.Count() != 0 || s.Bytes() != 0 {
		t.Errorf("after Expire: count %d, bytes %d", s.Count(), s.Bytes())
	}
}

// TestBorrowed: a message that points into a read buffer must not be kept as it is.
func TestBorrowed(t *testing.T) {
	s := New()
	buf := []byte("topicpayload")
	s.Set(&msg.Message{Topic: buf[:5], Payload: buf[5:], Borrowed: true})
	clear(buf)
	if m := s.Get("", []byte("topic")); m == nil || string(m.Payload) != "payload" {
		t.Errorf("the stored message changed with the buffer: %v", m)
	}
}

func TestAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"", "a", "b", "$SYS", "a level longer than a word", "c"}
	pick := func(words []string) string {
		l := make([]string, 1+r.IntN(4))
		for i := range l {
			l[i] = words[r.IntN(len(words))]
		}
		return strings.Join(l, "/")
	}
	s, model := New(), map[string]string{}
	for step := range 20_000 {
		name := pick(words)
		if topic.ValidName(name, 0) != nil {
			continue
		}
		_, had := model[name]
		want, payload := 0, fmt.Sprint(step)
		switch {
		case r.IntN(2) == 0:
			if payload = ""; had {
				want = -1
			}
			delete(model, name)
		default:
			if !had {
				want = 1
			}
			model[name] = payload
		}
		if got := s.Set(message("", name, payload)); got != want {
			t.Fatalf("step %d: Set(%q, %q) = %d, want %d", step, name, payload, got, want)
		}
		filter := pick(append([]string{"+", "+"}, words...))
		if r.IntN(3) == 0 {
			filter += "/#"
		}
		if topic.ValidFilter(filter, 0) != nil || step%5 != 0 {
			continue
		}
		var expect []string
		for n := range model {
			if topic.Match(filter, n) {
				expect = append(expect, n)
			}
		}
		slices.Sort(expect)
		found := all(t, s.Cursor("", filter), 1+r.IntN(20))
		if diff := cmp.Diff(expect, topics(found)); diff != "" {
			t.Fatalf("step %d: %q (-want +got)\n%s", step, filter, diff)
		}
		for _, m := range found {
			if model[string(m.Topic)] != string(m.Payload) {
				t.Fatalf("step %d: %s has payload %q, want %q", step, m.Topic, m.Payload, model[string(m.Topic)])
			}
		}
	}
	if s.Count() != len(model) {
		t.Errorf("Count = %d, want %d", s.Count(), len(model))
	}
	for n := range model {
		s.Delete("", []byte(n))
	}
	if s.Count() != 0 || s.Bytes() != 0 {
		t.Errorf("after deleting everything: count %d, bytes %d", s.Count(), s.Bytes())
	}
}

// TestConcurrent has shards set and delete the same topics while cursors walk: the totals must add up, what stands must be seen once.
func TestConcurrent(t *testing.T) {
	const standing, contested, shards = 500, 40, 4
	s := New()
	for i := range standing {
		s.Set(message("", fmt.Sprintf("t/%d/stands", i), "x"))
	}
	var deltas atomic.Int64
	var writers, readers sync.WaitGroup
	var stop atomic.Bool
	for k := range shards {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(k), 3))
			for range 5000 {
				name := fmt.Sprintf("t/%d/moves", r.IntN(contested))
				switch r.IntN(4) {
				case 0:
					deltas.Add(int64(s.Set(message("", name, ""))))
				case 1:
					if m := s.Get("", []byte(name)); m != nil && s.Expire(m) {
						deltas.Add(-1)
					}
				default:
					deltas.Add(int64(s.Set(message("", name, strings.Repeat("p", 1+r.IntN(50))))))
				}
			}
		})
	}
	readers.Go(func() {
		for !stop.Load() {
			n := 0
			for _, m := range all(t, s.Cursor("", "t/#"), 64) {
				if strings.HasSuffix(string(m.Topic), "stands") {
					n++
				}
			}
			if n != standing {
				t.Errorf("%d of %d standing messages seen", n, standing)
			}
		}
	})
	writers.Wait()
	stop.Store(true)
	readers.Wait()
	found := all(t, s.Cursor("", "#"), 1000)
	if got := standing + int(deltas.Load()); got != s.Count() || got != len(found) {
		t.Errorf("the deltas add up to %d, Count is %d, %d are there", got, s.Count(), len(found))
	}
	var bytes int64
	for _, m := range found {
		bytes += int64(Overhead + len(m.Topic) + len(m.Payload))
	}
	if bytes != s.Bytes() {
		t.Errorf("Bytes = %d, the messages make %d", s.Bytes(), bytes)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerMessage: a payload of 64 bytes under a topic of 20 may cost 300 bytes here, what Bytes says must be near, and deleting gives it
// back.
func TestMemoryPerMessage(t *testing.T) {
	const n = 100_000
	payload := make([]byte, 64)
	for name, format := range map[string]string{"flat": "device/number/%06d", "two levels each": "dev/%06d/temperatur"} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s := New()
			for i := range n {
				b := fmt.Appendf(nil, format, i)
				s.Set(&msg.Message{Topic: b, Payload: payload, Retain: true, Borrowed: true})
			}
			full := heap() - before
			per := float64(full) / n
			t.Logf("%.0f bytes a message, counted as %.0f", per, float64(s.Bytes())/n)
			if per > 300 || per > 1.5*float64(s.Bytes())/n || per < 0.67*float64(s.Bytes())/n {
				t.Errorf("%.0f bytes a message, counted as %.0f; want at most 300, and the count right to a third", per, float64(s.Bytes())/n)
			}
			for i := range n {
				s.Delete("", fmt.Appendf(nil, format, i))
			}
			if after := heap(); after > before+full/50 {
				t.Errorf("%d of %d bytes are still held after the last message went", after-before, full)
			}
			runtime.KeepAlive(s)
		})
	}
}

func BenchmarkCursorAll(b *testing.B) {
	const n = 100_000
	s := New()
	for i := range n {
		s.Set(message("", fmt.Sprintf("dev/%d/t", i), "payload"))
	}
	b.ReportAllocs()
	for b.Loop() {
		c, found := s.Cursor("", "#"), 0
		for done := false; !done; {
			var m *msg.Message
			if m, _, done = c.Next(1000); m != nil {
				found++
			}
		}
		if found != n {
			b.Fatalf("%d of %d found", found, n)
		}
	}
}

func BenchmarkSetAgain(b *testing.B) {
	s := New()
	ms := make([]*msg.Message, 10_000)
	for i := range ms {
		ms[i] = message("", fmt.Sprintf("dev/%d/t", i), "payload")
		s.Set(ms[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Set(ms[i%len(ms)])
	}
}

// TestHas: who subscribes need not look for retained messages where there are none.
func TestHas(t *testing.T) {
	s := New()
	ask := func(mountpoint, filter string, want bool) {
		t.Helper()
		if got := s.Has(mountpoint, filter); got != want {
			t.Errorf("Has(%q, %q) = %t", mountpoint, filter, got)
		}
	}
	ask("", "#", false)
	s.Set(msg.New("m", []byte("a/b"), []byte("x"), nil, 0, true))
	ask("m", "a/b", true)
	ask("m", "a/c", false)
	ask("", "a/b", false)
	ask("m", "+/b", true)
	s.Delete("m", []byte("a/b"))
	ask("m", "a/b", false)
	ask("m", "+/b", false)
}
