package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"vernemq/broker/msg"
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
	growing, warm := true, 0
	for step := range 5000 {
		if rng.IntN(500) == 0 {
			growing = !growing // long queues and empty ones
		}
		if rng.IntN(100) == 0 {
			warm = []int{0, 0, 5, 95, 100}[rng.IntN(5)]
		}
		what := rng.IntN(100)
		switch {
		case what < 1 && rng.IntN(3) == 0:
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
			if !slices.Equal(gone, want) {
				t.Fatalf("step %d: Filter dropped %v\nwant %v", step, gone, want)
			}
		case what < 4:
			changeSome(t, q, m, rng)
		case len(m.items) == 0 || what < 35 || growing && what < 65:
			it := Item{SubID: uint32(step + 1), QoS: byte(rng.IntN(3)), Flags: byte(step >> 4), Size: uint32(rng.IntN(1000)), Ref: uint64(step)<<rng.IntN(40) | 1}
			if rng.IntN(100) < warm {
				it.Msg = messages[rng.IntN(len(messages))]
			}
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
	if !slices.Equal(m.items, all) {
		t.Errorf("Each: %v\nwant %v", all, m.items)
	}
}

// messages are such that items are told apart by them.
var messages = []*msg.Message{{Topic: []byte("a")}, {Topic: []byte("b")}, {Topic: []byte("c")}}

// changeSome reads messages back for some of the next items of both, or lets go of them, or changes what the session may.
func changeSome(t *testing.T, q *Queue, m *model, rng *rand.Rand) {
	t.Helper()
	skip, most, what := rng.IntN(1+rng.IntN(300)), rng.IntN(200), rng.IntN(4)
	if rng.IntN(2) == 0 {
		skip = 0
	}
	change := func(n int, it *Item) {
		switch {
		case n < skip:
		case what == 0:
			it.Msg = nil
		case what == 1:
			it.Msg = messages[it.SubID%3]
		case what == 2:
			it.Flags ^= 1
		default:
			it.Group, it.Since, it.Flags = it.Group^7, it.Since+1, it.Flags|128
		}
	}
	var seen, want []Item
	q.Next(func(it *Item) bool {
		change(len(seen), it)
		seen = append(seen, *it)
		return len(seen) < skip+most
	})
	for i := range m.items {
		if i > 0 && i >= skip+most {
			break
		}
		at := i
		if m.lifo {
			at = len(m.items) - 1 - i
		}
		change(i, &m.items[at])
		want = append(want, m.items[at])
	}
	if !slices.Equal(seen, want) {
		t.Fatalf("Next for %d after %d of %d: visited %d, want %d, or others", most, skip, len(m.items), len(seen), len(want))
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

// TestEmptied: a queue that was long gives its memory back, and references to what it held.
func TestEmptied(t *testing.T) {
	for _, lifo := range []bool{false, true} {
		for _, m := range []*msg.Message{nil, {}} {
			q := Queue{LIFO: lifo}
			for i := range 10_000 {
				q.Push(Item{SubID: uint32(i), Msg: m}, -1)
			}
			for q.Len() > 1 {
				q.Pop()
			}
			if len(q.front.items) > smallRing || q.rest != nil && len(q.rest.back.items) > smallRing {
				t.Errorf("lifo=%v: one item in a ring of %d", lifo, len(q.front.items))
			}
			q.Pop()
			if q.rest != nil {
				t.Errorf("lifo=%v: an empty queue has a rest", lifo)
			}
			for i := range q.front.items {
				if q.front.items[i] != (Item{}) {
					t.Errorf("lifo=%v: an empty queue still holds %v", lifo, q.front.items[i])
				}
			}
		}
	}
}

// TestWarmAllocates: messages in memory pass through a queue that others wait in without an allocation, also once it has been cold.
func TestWarmAllocates(t *testing.T) {
	for _, lifo := range []bool{false, true} {
		q := Queue{LIFO: lifo}
		for range 100 {
			q.Push(Item{Ref: 1}, -1)
		}
		it := Item{Msg: messages[0]}
		for range 20 {
			q.Push(it, -1)
		}
		for q.Len() > 10 {
			q.Pop()
		}
		if n := testing.AllocsPerRun(1000, func() { q.Push(it, -1); q.Peek(); q.Pop() }); n != 0 {
			t.Errorf("lifo=%v: %v allocations", lifo, n)
		}
	}
}

// TestColdIsSmall: what is in the store only takes at most six bytes when it is one of many, and 20 when ten wait, which a whole session of its own
// comes to; a client that read some of it back and went away changes nothing.
func TestColdIsSmall(t *testing.T) {
	for _, lifo := range []bool{false, true} {
		for _, c := range []struct{ items, most int }{{1000, 6}, {10, 20}} {
			q := Queue{LIFO: lifo}
			for i := range c.items {
				q.Push(Item{Ref: 1<<32 + uint64(i*1000+i*i*7%1000), QoS: 1, Flags: 16, Size: 1060}, -1)
			}
			check := func(when string) {
				t.Helper()
				bytes := len(q.front.items) * int(unsafe.Sizeof(Item{}))
				if r := q.rest; r != nil {
					bytes += int(unsafe.Sizeof(*r)) + cap(r.blocks)*int(unsafe.Sizeof(block{})) + len(r.back.items)*int(unsafe.Sizeof(Item{}))
					for _, k := range r.blocks {
						if bytes += cap(k.b); k.msgs != nil {
							bytes += int(unsafe.Sizeof(*k.msgs))
						}
					}
				}
				if bytes > c.most*q.Len() {
					t.Errorf("lifo=%v: %d items take %d bytes %s", lifo, q.Len(), bytes, when)
				}
			}
			check("at first")
			read := func(m *msg.Message) {
				n := 0
				q.Next(func(it *Item) bool { it.Msg = m; n++; return n < 100 })
			}
			read(messages[0])
			if c.items > 500 {
				for range 70 {
					q.Pop()
				}
			}
			read(nil)
			check("after a client has been there")
		}
	}
}
