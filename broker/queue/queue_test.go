package queue

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// model is a queue written for clarity: a slice, eldest first.
type model struct {
	items []Item
	lifo  bool
}

func (m *model) push(it Item, limit int) (dropped Item, ok bool) {
	if limit < 0 || len(m.items) < limit {
		m.items = append(m.items, it)
		return Item{}, true
	}
	if !m.lifo || limit == 0 {
		return it, false
	}
	dropped = m.items[0]
	m.items = append(m.items[1:], it)
	return dropped, false
}

func (m *model) pop() Item {
	at := 0
	if m.lifo {
		at = len(m.items) - 1
	}
	it := m.items[at]
	m.items = append(m.items[:at:at], m.items[at+1:]...)
	return it
}

func (m *model) bytes() (n int64) {
	for _, it := range m.items {
		n += int64(it.Size)
	}
	return n
}

func (m *model) qos0() (n int) {
	for _, it := range m.items {
		if it.QoS == 0 {
			n++
		}
	}
	return n
}

// TestModel does random things to a queue and to the model.
func TestModel(t *testing.T) {
	for _, lifo := range []bool{false, true} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("lifo=%v/seed=%d", lifo, seed), func(t *testing.T) { compare(t, lifo, rand.New(rand.NewPCG(1, seed))) })
		}
	}
}

func compare(t *testing.T, lifo bool, rng *rand.Rand) {
	q, m := &Queue{LIFO: lifo}, &model{lifo: lifo}
	growing := true
	for step := range 5000 {
		if rng.IntN(500) == 0 {
			growing = !growing // long queues and empty ones
		}
		what := rng.IntN(100)
		switch {
		case what < 1:
			keep := func(it *Item) bool { return it.QoS > 0 || it.SubID%3 == 0 }
			var gone, want []Item
			q.Filter(keep, func(it Item) { gone = append(gone, it) })
			var kept []Item
			for _, it := range m.items {
				if keep(&it) {
					kept = append(kept, it)
				} else {
					want = append(want, it)
				}
			}
			m.items = kept
			if diff := cmp.Diff(want, gone, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("step %d: Filter dropped (-want +got):\n%s", step, diff)
			}
		case len(m.items) == 0 || what < 35 || growing && what < 65:
			it := Item{SubID: uint32(step + 1), QoS: byte(rng.IntN(3)), Flags: byte(step), Size: uint32(rng.IntN(1000))}
			limit := -1
			if rng.IntN(4) == 0 {
				limit = rng.IntN(200)
			}
			wantDrop, wantOK := m.push(it, limit)
			if drop, ok := q.Push(it, limit); ok != wantOK || drop != wantDrop {
				t.Fatalf("step %d: Push with limit %d of %d = %v, %v, want %v, %v", step, limit, len(m.items), drop, ok, wantDrop, wantOK)
			}
		default:
			peeked := *q.Peek()
			want := m.pop()
			if got := q.Pop(); got != want || peeked != want {
				t.Fatalf("step %d: Pop = %v after Peek = %v, want %v", step, got, peeked, want)
			}
		}
		if q.Bytes() != m.bytes() {
			t.Fatalf("step %d: %d bytes, want %d", step, q.Bytes(), m.bytes())
		}
		if q.Len() != len(m.items) || q.QoS0() != m.qos0() {
			t.Fatalf("step %d: length %d with %d of QoS 0, want %d with %d", step, q.Len(), q.QoS0(), len(m.items), m.qos0())
		}
	}
	var all []Item
	q.Each(func(it *Item) bool { all = append(all, *it); return true })
	if diff := cmp.Diff(m.items, all, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Each (-want +got):\n%s", diff)
	}
}

// TestEachStops: the visitor decides how far it goes.
func TestEachStops(t *testing.T) {
	var q Queue
	for i := range 5 {
		q.Push(Item{SubID: uint32(i)}, -1)
	}
	n := 0
	q.Each(func(*Item) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("visited %d items, want 3", n)
	}
}

// TestMemory: a queue that was long gives its memory back, and references to what it held.
func TestMemory(t *testing.T) {
	for _, lifo := range []bool{false, true} {
		q := Queue{LIFO: lifo}
		for i := range 10_000 {
			q.Push(Item{SubID: uint32(i)}, -1)
		}
		for q.Len() > 1 {
			q.Pop()
		}
		if len(q.ring) > 64 {
			t.Errorf("lifo=%v: one item in a ring of %d", lifo, len(q.ring))
		}
		q.Pop()
		for i := range q.ring {
			if q.ring[i] != (Item{}) {
				t.Errorf("lifo=%v: an empty queue still holds %v", lifo, q.ring[i])
			}
		}
	}
}
