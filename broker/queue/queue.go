// Package queue holds the deliveries that wait for one session: bounded, first in first out or last in first out. It knows messages and
// limits, and nothing of packets, windows or the store.
package queue

import "vernemq/broker/msg"

// Item is one delivery that waits.
type Item struct {
	Msg   *msg.Message // nil: it is in the store only, under Ref
	Ref   uint64       // store.MessageRef of its record, 0 none
	SubID uint32       // MQTT 5 subscription identifier, 0 none
	Size  uint32       // bytes of its message, for the byte limit
	Group uint16       // the session's number of the shared group it came through, 0 none
	Since uint16       // the session's: who else had it
	QoS   byte         // of the delivery
	Flags byte         // the session's own
}

// Queue is a ring of items. The zero value is an empty fifo queue that holds no memory. Not safe for concurrent use.
type Queue struct {
	ring []Item // length a power of two
	head int
	n    int
	qos0 int
	size int64 // sum of the items' sizes
	LIFO bool  // newest first; set before the first Push
}

// Len returns the number of waiting items.
func (q *Queue) Len() int { return q.n }

// QoS0 returns how many of them are of QoS 0.
func (q *Queue) QoS0() int { return q.qos0 }

// Bytes returns the sum of the sizes of the waiting items.
func (q *Queue) Bytes() int64 { return q.size }

// Push adds it, unless limit (-1: none) items wait already. A full fifo queue drops the new item, a full lifo queue its oldest; the dropped
// item is returned with ok false.
func (q *Queue) Push(it Item, limit int) (dropped Item, ok bool) {
	ok = true
	if limit >= 0 && q.n >= limit {
		if !q.LIFO || limit == 0 {
			return it, false
		}
		dropped, ok = q.popFront(), false
	}
	if q.n == len(q.ring) {
		q.resize(max(8, 2*len(q.ring)))
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = it
	q.n++
	q.size += int64(it.Size)
	if it.QoS == 0 {
		q.qos0++
	}
	return dropped, ok
}

// Peek returns the item that Pop would give; the queue must not be empty.
func (q *Queue) Peek() *Item {
	if q.LIFO {
		return &q.ring[(q.head+q.n-1)&(len(q.ring)-1)]
	}
	return &q.ring[q.head]
}

// Pop takes the next item out; the queue must not be empty.
func (q *Queue) Pop() Item {
	if !q.LIFO {
		return q.popFront()
	}
	at := (q.head + q.n - 1) & (len(q.ring) - 1)
	it := q.ring[at]
	q.ring[at] = Item{}
	q.took(it)
	return it
}

func (q *Queue) popFront() Item {
	it := q.ring[q.head]
	q.ring[q.head] = Item{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.took(it)
	return it
}

// took keeps the counts and gives memory back: all of it when the queue is empty, half when a quarter is used.
func (q *Queue) took(it Item) {
	q.n--
	q.size -= int64(it.Size)
	if it.QoS == 0 {
		q.qos0--
	}
	switch {
	case q.n == 0 && len(q.ring) > 64:
		q.ring, q.head = nil, 0
	case q.n > 0 && len(q.ring) > 64 && q.n <= len(q.ring)/8:
		q.resize(len(q.ring) / 2)
	}
}

func (q *Queue) resize(n int) {
	ring := make([]Item, n)
	for i := range q.n {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}

// Filter keeps the items for which keep is true, in order, and calls drop for the others.
func (q *Queue) Filter(keep func(*Item) bool, drop func(Item)) {
	kept := Queue{LIFO: q.LIFO}
	q.Each(func(it *Item) bool {
		if keep(it) {
			kept.Push(*it, -1)
		} else {
			drop(*it)
		}
		return true
	})
	*q = kept
}

// Next calls f for the waiting items in the order Pop gives them, until it returns false. f may change the item's Msg and Flags.
func (q *Queue) Next(f func(*Item) bool) {
	for i := range q.n {
		if q.LIFO {
			i = q.n - 1 - i
		}
		if !f(&q.ring[(q.head+i)&(len(q.ring)-1)]) {
			return
		}
	}
}

// Each calls f for the waiting items, oldest first, until it returns false.
func (q *Queue) Each(f func(*Item) bool) {
	for i := range q.n {
		if !f(&q.ring[(q.head+i)&(len(q.ring)-1)]) {
			return
		}
	}
}
