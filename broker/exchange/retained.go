package exchange

import (
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
	if len(m.Payload) == 0 || o.MaxRetainedMessages == 0 && o.MaxRetainedBytes == 0 || h.x.Retain.Fits(m, o.MaxRetainedMessages, o.MaxRetainedBytes) {
		return true
	}
	h.T.Count.Inc(metric.RetainRefused)
	now := h.T.Now
	if last := h.x.retainedTold.Load(); (last == 0 || now-last > int64(retainedAgain)) && h.x.retainedTold.CompareAndSwap(last, max(now, 1)) {
		h.x.log().Warn("retained message not kept: max_retained_messages or max_retained_bytes is reached; see the metric retain_refused for those that follow",
			"mountpoint", m.Mountpoint, "topic", string(m.Topic), "messages", h.x.Retain.Count(), "max_retained_messages", o.MaxRetainedMessages,
			"bytes", h.x.Retain.Bytes(), "max_retained_bytes", o.MaxRetainedBytes)
	}
	return false
}

// retain sets or deletes the retained message of m's topic.
func (h *Home) retain(m *msg.Message) store.Ticket {
	h.x.Retain.Set(m)
	return h.x.Store.PutRetained(m.Mountpoint, m)
}
