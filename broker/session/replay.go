package session

import (
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
)

// replay is one delivery of retained messages: the one that runs, or one that comes after it.
type replay struct {
	next   *replay
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
	at := s.findReplay(filter)
	r := &replay{filter: filter, src: src, maxQoS: maxQoS, subID: subID}
	if *at != nil {
		r.next = (*at).next
	}
	*at = r
}

// findReplay is where the replay of a filter hangs, or would.
func (s *Session) findReplay(filter string) **replay {
	at := &s.replays
	for *at != nil && (*at).filter != filter {
		at = &(*at).next
	}
	return at
}

// EndReplay ends the delivery of retained messages for a subscription that is no more [MQTT-3.10.4-2].
func (s *Session) EndReplay(filter string) {
	if at := s.findReplay(filter); *at != nil {
		*at = (*at).next
	}
}

// replayNext sends at most one retained message; used is what it cost of the budget.
func (s *Session) replayNext(t *Turn, budget int) (sent bool, used int) {
	r := s.replays
	if r == nil || !s.mayOpen() || !t.Sink.Room(s.Out) {
		return false, 0
	}
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
		s.replays = r.next
	}
	return true, max(used, 1)
}
