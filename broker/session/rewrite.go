package session

import (
	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/topic"
)

// rewrite asks the providers of OnDeliver and returns m, or an owned message with what they changed; a topic that is none is not taken
// [MQTT-3.3.2-2]. The exchange that is opened with it keeps it: what is sent again is the same.
func (s *Session) rewrite(t *Turn, m *msg.Message, qos, flags byte) *msg.Message {
	q := &hook.Publish{Client: s.Client(), Topic: m.Topic, Payload: m.Payload, QoS: qos, Retain: flags&itemRetain != 0, Props: mqtt.PropertiesOf(m.Props)}
	if !t.Hooks.AskDeliver(q) {
		return m
	}
	c := *m
	c.Wire, c.Borrowed = nil, true
	if q.SetTopic != nil && topic.ValidName(q.SetTopic, 0) == nil {
		c.Topic = q.SetTopic
	}
	if q.SetPayload != nil {
		c.Payload = q.SetPayload
	}
	if q.SetProps != nil && s.v5 != nil {
		c.Props = q.SetProps.AppendForward(nil)
	}
	return c.Own()
}
