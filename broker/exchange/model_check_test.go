package exchange_test

import (
	"strings"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// check holds what the subscribers got against what was sent.
func (h *history) check() {
	for _, p := range h.peers {
		if len(p.out) > 0 || len(p.open) > 0 || len(p.busy) > 0 {
			p.errorf("%d publishes, %d and %d deliveries were never completed", len(p.out), len(p.open), len(p.busy))
		}
		times := map[string]int{}
		last := map[string]string{} // of publisher, topic and QoS
		for _, m := range p.got {
			times[m]++
			stream := m[:strings.LastIndexByte(m, ' ')]
			if times[m] == 1 {
				if last[stream] >= m {
					p.errorf("%q came after %q", m, last[stream])
				}
				last[stream] = m
			}
		}
		for _, m := range h.sent {
			n := times[m]
			switch {
			case strings.Contains(m, "qos0") && n > 1, strings.Contains(m, "qos2") && n != 1, strings.Contains(m, "qos1") && n < 1:
				p.errorf("%q came %d times", m, n)
			}
			delete(times, m)
		}
		if len(times) > 0 {
			p.errorf("came and was never sent: %v", times)
		}
	}
	h.checkNothingLeft()
}

func (h *history) checkNothingLeft() {
	for _, p := range h.peers {
		l := h.loops[h.shardOf(p.id)]
		s := l.home.Session(msg.SubscriberID{ClientID: p.id})
		if s.Waiting() > 0 || s.Inflight() > 0 || s.Waits() {
			p.errorf("%d waiting and %d in flight in the end", s.Waiting(), s.Inflight())
		}
	}
	for _, l := range h.loops {
		if n := l.home.T.Waits.Len(); n > 0 {
			h.t.Errorf("shard %d: %d steps still wait for the store", l.id, n)
		}
	}
	err := h.mem.Load(store.Loader{
		Session: func(*store.Session) {},
		Inbound: func(in store.Inbound) {
			h.t.Errorf("store: identifier %d of session %d was never released", in.PacketID, in.Session)
		},
		Message: func(_ store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			h.t.Errorf("store: %q still waits for session %d in state %d", m.Payload, r.Session, state)
		},
		Retained: func(string, *msg.Message) {},
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
