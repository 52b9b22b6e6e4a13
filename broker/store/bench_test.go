package store_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/store/wallog"
)

// waiter wakes those who wait for a ticket.
type waiter struct {
	mu   sync.Mutex
	cond *sync.Cond
	done store.Ticket
}

func newWaiter(s *store.Durable) *waiter {
	w := &waiter{}
	w.cond = sync.NewCond(&w.mu)
	s.Notify(w)
	return w
}

func (w *waiter) Durable(upTo store.Ticket, err error) {
	if err != nil {
		return
	}
	w.mu.Lock()
	w.done = max(w.done, upTo)
	w.cond.Broadcast()
	w.mu.Unlock()
}

func (w *waiter) wait(t store.Ticket) {
	w.mu.Lock()
	for w.done < t {
		w.cond.Wait()
	}
	w.mu.Unlock()
}

func openBench(b *testing.B, cfg store.Config) *store.Durable {
	b.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func payload(n int) *msg.Message {
	return msg.New("", []byte("plant/line/7/state"), bytes.Repeat([]byte{'x'}, n), nil, 1, false)
}

// cpu is how much processor time the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed is the real file system, with a look at how long syncs take.
type timed struct {
	wallog.OS
	mu   sync.Mutex
	took []time.Duration
}

type timedWriter struct {
	wallog.Writer
	fs *timed
}

func (f *timed) OpenWriter(dir string, segmentBytes int) (wallog.Writer, error) {
	w, err := f.OS.OpenWriter(dir, segmentBytes)
	return timedWriter{w, f}, err
}

func (w timedWriter) Sync() error {
	begin := time.Now()
	err := w.Writer.Sync()
	w.fs.mu.Lock()
	w.fs.took = append(w.fs.took, time.Since(begin))
	w.fs.mu.Unlock()
	return err
}

func (f *timed) quantile(percent int) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.Sort(f.took)
	return f.took[len(f.took)*percent/100]
}

// BenchmarkGroupCommit: how many of 50 waiting publishers does one sync serve, and how long do they wait, in syncs?
func BenchmarkGroupCommit(b *testing.B) {
	for _, d := range []store.Durability{store.DurableAck, store.DurableInterval, store.DurableNone} {
		b.Run(string(d), func(b *testing.B) {
			clock := &timed{}
			s := openBench(b, store.Config{Dir: b.TempDir(), Durability: d, FS: clock})
			w := newWaiter(s)
			const writers = 50
			waits := make([][]time.Duration, writers)
			before, cpuBefore := s.Stats(), cpu(b)
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range writers {
				k, _ := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: fmt.Sprint(i)}})
				wg.Go(func() {
					m := payload(256)
					for range b.N / writers {
						begin := time.Now()
						ref, t := s.PutMessage(m, store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
						w.wait(t)
						waits[i] = append(waits[i], time.Since(begin))
						s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref, PacketID: 1})
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			after, used := s.Stats(), cpu(b)-cpuBefore
			all := slices.Concat(waits...)
			slices.Sort(all)
			n := float64(len(all))
			if syncs := float64(after.Syncs - before.Syncs); syncs > 1 {
				b.ReportMetric(n/syncs, "messages/sync")
				b.ReportMetric(float64(all[len(all)*99/100])/float64(clock.quantile(99)), "p99/p99-of-sync")
				b.ReportMetric(float64(all[len(all)/2])/float64(clock.quantile(50)), "p50/p50-of-sync")
			}
			b.ReportMetric(float64(used)/n, "cpu-ns/message")
			b.ReportMetric(after.WriteAmplification(), "write-amplification")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkRestart: what do 1,000,000 waiting messages of 1 KiB for 100,000 sessions cost in memory, and how much processor time does a start take?
func BenchmarkRestart(b *testing.B) {
	const sessions, messages = 100_000, 1_000_000
	cfg := store.Config{Dir: b.TempDir(), Durability: store.DurableNone, MaxPending: 1 << 30}
	s := openBench(b, cfg)
	keys := make([]store.SessionKey, sessions)
	for i := range keys {
		keys[i], _ = s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: fmt.Sprintf("client-%06d", i)}})
		s.PutSubscription(keys[i], store.Subscription{Filter: fmt.Sprintf("plant/%d/#", i), Opts: 1})
	}
	base := heap()
	m := payload(1024)
	for i := range messages {
		if ref, _ := s.PutMessage(m, store.Inbound{}, []store.Recipient{{Session: keys[i%sessions], Opts: 1}}); ref == 0 {
			b.Fatal(s.Health())
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d bytes of heap for each waiting message", (heap()-base)/messages)
	for name, fresh := range map[string]bool{"log": true, "digests": false} {
		if !fresh {
			s := openBench(b, cfg)
			s.Digest()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before, begin := cpu(b), time.Now()
				empty := heap()
				s := openBench(b, cfg)
				b.ReportMetric((cpu(b) - before).Seconds(), "cpu-s")
				b.ReportMetric(time.Since(begin).Seconds(), "wall-s")
				b.ReportMetric(float64(heap()-empty)/(1<<20), "heap-MiB")
				n := 0
				if err := s.Load(store.Loader{Session: func(*store.Session) {}, Inbound: func(store.Inbound) {},
					Waiting: func(store.MessageRef, int, store.Recipient, store.AckKind) { n++ }}); err != nil || n != messages {
					b.Fatal(n, err)
				}
				b.ReportMetric((cpu(b) - before).Seconds(), "cpu-with-load-s")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkBacklog: how much is written for each message that comes and goes while others wait for long, and how much disk does it take at most?
func BenchmarkBacklog(b *testing.B) {
	for _, d := range []store.Durability{store.DurableAck, store.DurableInterval} {
		b.Run(string(d), func(b *testing.B) { benchBacklog(b, d) })
	}
}

func benchBacklog(b *testing.B, d store.Durability) {
	s := openBench(b, store.Config{Dir: b.TempDir(), Durability: d, MaxPending: 1 << 30})
	k, _ := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	rs := []store.Recipient{{Session: k, Opts: 1}}
	m := payload(1024)
	var t store.Ticket
	for range 30_000 {
		_, t = s.PutMessage(m, store.Inbound{}, rs)
	}
	w := newWaiter(s)
	w.wait(t)
	before := s.Stats()
	most := 0.0
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for range b.N / 50 {
				ref, t := s.PutMessage(m, store.Inbound{}, rs)
				w.wait(t)
				s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref})
				if i == 0 {
					x := s.Stats()
					most = max(most, float64(x.DiskBytes-2*x.LiveBytes)/(4<<20))
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	x := s.Stats()
	b.ReportMetric(float64(x.LogBytes+x.DigestBytes-before.LogBytes-before.DigestBytes)/float64(x.MessageBytes-before.MessageBytes), "write-amplification")
	b.ReportMetric(most, "segments-over-2x-live")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
