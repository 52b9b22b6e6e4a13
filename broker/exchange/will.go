package exchange

import (
	"time"

	"vernemq/broker/hook"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
)

// A last will is part of its session's record, from CONNECT until it is published or cancelled: that of a persistent session survives the broker.
// What is told at a restart follows from when the connection ended:
//
//   - It ended before: the will's delay goes on from there, as far as the clock can be trusted.
//   - It ended with the broker: the connection is closed, so the will is due [MQTT-3.1.2-8]. Its delay begins at the restart, for that is when the
//     client can come back. A will without a delay is published at once, before its client can connect and say the opposite.
//
// A connection that comes in time takes the will away, in the record that its CONNACK waits for; a DISCONNECT does so without anybody waiting, and a
// session that ends publishes it at the latest. After a crash between publishing a will and noting that, it is published again. The will of a
// session that ends with its connection is kept in memory only. A short will costs its CONNECT 30 bytes more in a record that is written anyway, and
// half a microsecond.

// willDelay is the delay of a will within the operator's limit.
func (h *Home) willDelay(w *session.Will) time.Duration {
	delay := time.Duration(w.Delay) * time.Second
	if limit := h.T.Opts.MaxLastWillDelay; limit >= 0 {
		delay = min(delay, limit)
	}
	return delay
}

// publishWill routes a last will.
func (h *Home) publishWill(s *session.Session, w *session.Will) {
	m := *w.Msg
	if w.HasExp {
		m.Deadline = h.T.Now + int64(w.Expiry)*1e9
	}
	h.Publish(&m, nil)
	if h.T.Hooks.Observed() {
		c := s.Client()
		h.T.Hooks.Observe(hook.OnPublish, &hook.Event{Client: &c, Publish: &hook.Publish{Client: c, Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain}})
	}
}

// storedWill is a will as its session's record has it. Both share the bytes of the message, which nobody changes.
func storedWill(w *session.Will) *store.Will {
	if w == nil {
		return nil
	}
	m := w.Msg
	return &store.Will{Topic: m.Topic, Payload: m.Payload, Props: m.Props, QoS: m.QoS, Retain: m.Retain, Delay: w.Delay, Expiry: w.Expiry, HasExpiry: w.HasExp}
}

// restoreWill makes the will of a stored session and says when it is due.
func (h *Home) restoreWill(rec *store.Session, away Clock) *session.Will {
	r := rec.Will
	w := &session.Will{Delay: r.Delay, Expiry: r.Expiry, HasExp: r.HasExpiry}
	w.Msg = msg.New(rec.ID.Mountpoint, r.Topic, r.Payload, r.Props, r.QoS, r.Retain)
	left := h.willDelay(w)
	if rec.Disconnected != 0 {
		left -= time.Duration(max(away(rec.Disconnected), 0)) * time.Second
	}
	w.Due = h.T.Now + int64(max(left, 0))
	return w
}
