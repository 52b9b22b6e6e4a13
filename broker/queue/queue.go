// Package queue holds the deliveries that wait for one session: bounded, first in first out or last in first out. It knows messages and
// limits, and nothing of packets, windows or the store.
//
// Deliveries whose message is in memory stand in a ring. Those whose message is in the store only are many and wait for long: they are kept
// packed, at about four bytes each, in blocks that are unpacked when their turn comes. So a queue is a ring, blocks and another ring, of which
// all but the first are there only when something is packed.
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

// Queue is a list of items. The zero value is an empty fifo queue that holds no memory. Not safe for concurrent use.
type Queue struct {
	front ring    // the eldest; all there are, if rest is nil
	rest  *behind // those after front; nil: none
	n     uint32
	qos0  uint32
	size  int64 // sum of the items' sizes
	LIFO  bool  // newest first; set before the first Push
}

// Len returns the number of waiting items.
func (q *Queue) Len() int { return int(q.n) }

// QoS0 returns how many of them are of QoS 0.
func (q *Queue) QoS0() int { return int(q.qos0) }

// Bytes returns the sum of the sizes of the waiting items.
func (q *Queue) Bytes() int64 { return q.size }

// Push adds it, unless limit (-1: none) items wait already. A full fifo queue drops the new item, a full lifo queue its oldest; the dropped
// item is returned with ok false.
func (q *Queue) Push(it Item, limit int) (dropped Item, ok bool) {
	ok = true
	if limit >= 0 && int(q.n) >= limit {
		if !q.LIFO || limit == 0 {
			return it, false
		}
		dropped, ok = q.popFront(), false
	}
	q.add(&it)
	return dropped, ok
}

// add adds it as the newest.
func (q *Queue) add(it *Item) {
	if it.Msg != nil && q.rest == nil {
		q.front.push(it)
	} else {
		if q.rest == nil {
			q.rest = &behind{}
		}
		q.rest.push(it)
	}
	q.n++
	q.size += int64(it.Size)
	if it.QoS == 0 {
		q.qos0++
	}
}

// Peek returns the item that Pop would give; the queue must not be empty. It is good until the queue is changed.
func (q *Queue) Peek() *Item { return q.end(!q.LIFO) }

// Pop takes the next item out; the queue must not be empty.
func (q *Queue) Pop() Item {
	if !q.LIFO {
		return q.popFront()
	}
	p := q.end(false)
	it := *p
	*p = Item{}
	if q.rest != nil {
		q.rest.back.n--
		q.rest.back.shrink()
	} else {
		q.front.n--
		q.front.shrink()
	}
	q.took(&it)
	return it
}

func (q *Queue) popFront() Item {
	p := q.end(true)
	it := *p
	*p = Item{}
	q.front.head++
	q.front.n--
	q.front.shrink()
	q.took(&it)
	return it
}

// end returns the eldest item, which is the first in front then, or the newest: the last of q.rest.back, or in front if there is no rest.
func (q *Queue) end(eldest bool) *Item {
	if eldest {
		if q.front.n == 0 {
			q.refill()
		}
		return q.front.at(0)
	}
	if r := q.rest; r != nil {
		if r.back.n > 0 || r.unpackLast() {
			return r.back.at(r.back.n - 1)
		}
		q.rest = nil
	}
	return q.front.at(q.front.n - 1)
}

// refill brings the eldest of the rest into front, which is empty.
func (q *Queue) refill() {
	if !q.rest.unpackFirst(&q.front) {
		q.front, q.rest = q.rest.back, nil
	}
}

// took keeps the counts. An empty queue holds little memory.
func (q *Queue) took(it *Item) {
	q.n--
	q.size -= int64(it.Size)
	if it.QoS == 0 {
		q.qos0--
	}
	if q.n == 0 {
		q.rest = nil
		if len(q.front.items) > smallRing {
			q.front = ring{}
		}
	}
}

// Filter keeps the items for which keep is true, in order, and calls drop for the others.
func (q *Queue) Filter(keep func(*Item) bool, drop func(Item)) {
	kept := Queue{LIFO: q.LIFO}
	q.Each(func(it *Item) bool {
		if keep(it) {
			kept.add(it)
		} else {
			drop(*it)
		}
		return true
	})
	*q = kept
}

// Next calls f for the waiting items in the order Pop gives them, until it returns false. f may change the items, but for QoS and Size.
func (q *Queue) Next(f func(*Item) bool) {
	w := walk{q: q, f: f}
	if q.LIFO {
		w.newestFirst()
	} else {
		w.eldestFirst()
	}
	if w.cooled {
		q.pack()
	}
}

// Each calls f for the waiting items, oldest first, until it returns false. f must not change them.
func (q *Queue) Each(f func(*Item) bool) {
	if !q.front.each(f) || q.rest == nil {
		return
	}
	var items []Item
	for i := range q.rest.blocks {
		items = q.rest.blocks[i].unpack(items[:0])
		for j := range items {
			if !f(&items[j]) {
				return
			}
		}
	}
	q.rest.back.each(f)
}
