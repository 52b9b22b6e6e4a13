package queue

import (
	"runtime"
	"testing"

	"vernemq/broker/msg"
)

// BenchmarkWarm: what does a message in memory cost that passes through a queue of a few?
func BenchmarkWarm(b *testing.B) {
	for _, lifo := range []bool{false, true} {
		b.Run(map[bool]string{false: "fifo", true: "lifo"}[lifo], func(b *testing.B) {
			b.ReportAllocs()
			q := Queue{LIFO: lifo}
			it := Item{Msg: &msg.Message{}, Size: 100, QoS: 1}
			for range 10 {
				q.Push(it, 1000)
			}
			for b.Loop() {
				q.Push(it, 1000)
				if q.Peek().Msg == nil {
					b.Fatal("no message")
				}
				q.Pop()
			}
		})
	}
}

// BenchmarkWarmBurst: and in a queue of 100 that fills and drains?
func BenchmarkWarmBurst(b *testing.B) {
	b.ReportAllocs()
	var q Queue
	it := Item{Msg: &msg.Message{}, Size: 100, QoS: 1}
	for n := 0; b.Loop(); n++ {
		if n%200 < 100 {
			q.Push(it, 1000)
		} else {
			q.Pop()
		}
	}
}

// BenchmarkCold: what does a message cost that is in the store only, to be queued, to wait, and to be taken out? The queue is as long as it says.
func BenchmarkCold(b *testing.B) {
	for _, c := range []struct {
		name           string
		queues, length int
	}{{"1x1000000", 1, 1_000_000}, {"1000x1000", 1000, 1000}, {"100000x10", 100_000, 10}} {
		for _, lifo := range []bool{false, true} {
			b.Run(c.name+map[bool]string{false: "/fifo", true: "/lifo"}[lifo], func(b *testing.B) {
				items := float64(c.queues * c.length)
				var push, pop, bytes float64
				for b.Loop() {
					before := heap()
					qs := make([]*Queue, c.queues)
					begin := b.Elapsed()
					for i := range c.queues {
						qs[i] = &Queue{LIFO: lifo}
					}
					for i := range c.length {
						for j, q := range qs {
							q.Push(Item{Ref: 1<<32 + uint64(i*c.queues+(j*7919+i)%c.queues), QoS: 1, Flags: 16, Size: 1060}, -1)
						}
					}
					push += float64(b.Elapsed() - begin)
					bytes += float64(heap() - before)
					begin = b.Elapsed()
					for _, q := range qs {
						for q.Len() > 0 {
							q.Pop()
						}
					}
					pop += float64(b.Elapsed() - begin)
				}
				n := items * float64(b.N)
				b.ReportMetric(push/n, "push-ns")
				b.ReportMetric(pop/n, "pop-ns")
				b.ReportMetric(bytes/n, "heap-B/item")
			})
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
