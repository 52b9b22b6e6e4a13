package session

import (
	"slices"

	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
)

// replay is one running delivery of retained messages.
type replay struct {
	filter string
	src    Source
	subID  uint32
	maxQoS byte
}

// Source gives retained messages one by one, each borrowed until the next call; see retain.Cursor.
type Source interface {
	Next(budget int) (m *msg.Message, used int, done bool)
}

// Replay begins the delivery of retained messages for the subscription of a filter, or begins it anew. They are pulled by Pump and count
// against no queue limit. There are never more replays than subscriptions.
func (s *Session) Replay(filter string, src Source, maxQoS byte, subID uint32) {
	r := replay{filter: filter, src: src, maxQoS: maxQoS, subID: subID}
	for i := range s.replays {
		if s.replays[i].filter == filter {
			s.replays[i] = r
			return
		}
	}
	s.replays = append(s.replays, r)
}

// EndReplay ends the delivery of retained messages for a subscription that is no more [MQTT-3.10.4-2].
func (s *Session) EndReplay(filter string) {
	s.replays = slices.DeleteFunc(s.replays, func(r replay) bool { return r.filter == filter })
}

// replayNext sends at most one retained message; used is what it cost of the budget.
func (s *Session) replayNext(t *Turn, budget int) (sent bool, used int) {
	if len(s.replays) == 0 || !s.mayOpen() || !t.Sink.Room(s.Out) {
		return false, 0
	}
	r := &s.replays[0]
	m, used, done := r.src.Next(budget)
	if m != nil {
		it := queue.Item{QoS: s.qosOf(t, m.QoS, r.maxQoS), Flags: itemRetain, SubID: r.subID}
		t.Count.Inc(metric.QueueMessageIn)
		if it.QoS == 0 {
			s.sendOnce(t, m, &it)
		} else {
			it.Msg = m.Own()
			s.open(t, &it)
		}
	}
	if done {
		s.replays = s.replays[1:]
		if len(s.replays) == 0 {
			s.replays = nil
		}
	}
	return true, max(used, 1)
}
