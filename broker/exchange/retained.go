package exchange

import (
	"sync"
	"time"

	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// retainedAgain is how long nothing more is logged about retained messages that are not kept.
const retainedAgain = time.Hour

// mayRetain reports whether m, which is to be retained, stays within the operator's limits, and counts it if it does not. A deletion always
// may, and so may a message that takes the place of another one and is no larger. Several shards may look at the same moment: each can
// exceed a limit by one message. A publisher that cannot be told has its message routed all the same; it is just not kept.
func (h *Home) mayRetain(m *msg.Message) bool {
	o := h.T.Opts
	if len(m.Payload) == 0 {
		return true
	}
	full := h.x.Store.Full()
	if full != nil && h.x.Retain.Replaces(m) {
		full = nil
	}
	if full == nil && (o.MaxRetainedMessages == 0 && o.MaxRetainedBytes == 0 || h.x.Retain.Fits(m, o.MaxRetainedMessages, o.MaxRetainedBytes)) {
		return true
	}
	h.T.Count.Inc(metric.RetainRefused)
	now := h.T.Now
	if last := h.x.retainedTold.Load(); (last == 0 || now-last > int64(retainedAgain)) && h.x.retainedTold.CompareAndSwap(last, max(now, 1)) {
		h.x.log().Warn("retained message not kept: max_retained_messages or max_retained_bytes is reached, or the store is full; see the metric retain_refused for those that follow",
			"mountpoint", m.Mountpoint, "topic", string(m.Topic), "messages", h.x.Retain.Count(), "max_retained_messages", o.MaxRetainedMessages,
			"bytes", h.x.Retain.Bytes(), "max_retained_bytes", o.MaxRetainedBytes, "store", full)
	}
	return false
}

// stripes is a set of locks by topic: what is retained in memory and what is in the store must not come apart when several shards set the same
// topic. A lock is held for two calls that do not wait.
type stripes [64]sync.Mutex

func (l *stripes) of(topic []byte) *sync.Mutex {
	return &l[fnv1a(topic)%uint32(len(l))]
}

func fnv1a[T string | []byte](s T) uint32 {
	sum := uint32(2166136261)
	for i := range len(s) {
		sum = (sum ^ uint32(s[i])) * 16777619
	}
	return sum
}

// retain sets or deletes the retained message of m's topic.
func (h *Home) retain(m *msg.Message) store.Ticket {
	l := h.x.retaining.of(m.Topic)
	l.Lock()
	defer l.Unlock()
	h.x.Retain.Set(m)
	return h.x.Store.PutRetained(m.Mountpoint, m)
}

// expireRetained removes a retained message whose time is over, unless another one has taken its place.
func (x *Exchange) expireRetained(m *msg.Message) bool {
	l := x.retaining.of(m.Topic)
	l.Lock()
	defer l.Unlock()
	if !x.Retain.Expire(m) {
		return false
	}
	x.Store.PutRetained(m.Mountpoint, msg.New(m.Mountpoint, m.Topic, nil, nil, 0, true))
	return true
}

// sweepStep is how many places of the tree a sweep looks at before it asks whether to go on.
const sweepStep = 4096

// SweepRetained removes the retained messages whose time is over at now, monotonic nanoseconds, and returns how many. It may run on any
// goroutine; pause is called every few thousand messages and ends the sweep by returning false.
func (x *Exchange) SweepRetained(now int64, pause func() bool) (removed int) {
	for _, mountpoint := range x.Retain.Mountpoints() {
		c := x.Retain.Cursor(mountpoint, "#")
		for budget, done := sweepStep, false; !done; {
			var m *msg.Message
			var used int
			m, used, done = c.Next(budget)
			if m != nil && m.Deadline != 0 && m.Deadline <= now && x.expireRetained(m) {
				removed++
			}
			if budget -= max(used, 1); budget <= 0 {
				if !pause() {
					return removed
				}
				budget = sweepStep
			}
		}
	}
	return removed
}
