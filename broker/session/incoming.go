package session

import (
	"bytes"
	"errors"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/topic"
)

var errReceiveMaximum = &mqtt.Error{Code: mqtt.CodeReceiveMaximumExceeded, Text: "more unanswered publishes than the Receive Maximum"} // [MQTT-3.3.4-7]

// Incoming checks a PUBLISH of the client against the session's state and fills m, whose slices then point into p (or into the session's
// aliases). route false means that it is a QoS 2 message the broker has already: it is answered and not routed again. An error is an
// *mqtt.Error and ends the connection. known is a topic that was found valid before, for publishers that repeat theirs; it may be nil.
func (s *Session) Incoming(t *Turn, p *mqtt.Publish, frame, known []byte, m *msg.Message) (route bool, err error) {
	*m = msg.Message{} // and field by field: a literal would be made elsewhere and copied
	m.Mountpoint, m.Topic, m.Payload, m.QoS, m.Retain, m.Borrowed = s.ID.Mountpoint, p.Topic, p.Payload, p.QoS, p.Retain, true
	wire := true
	if s.v5 != nil {
		if s.opt != nil {
			if err := s.opt.MayPublish(p.QoS, p.Retain); err != nil {
				return false, err
			}
		}
		if wire, err = s.incoming5(t, p, m); err != nil {
			return false, err
		}
	}
	if !bytes.Equal(m.Topic, known) {
		if err := topic.ValidName(m.Topic, t.Opts.TopicMaxDepth); err != nil {
			if errors.Is(err, topic.ErrTooDeep) {
				t.Count.Inc(metric.MqttTopicDepthError + s.v())
			}
			return false, &mqtt.Error{Code: mqtt.CodeTopicNameInvalid, Text: err.Error()}
		}
	}
	if wire {
		m.Wire, m.WireForm = frame, msg.FormOf(s.v5 != nil, p.QoS > 0)
	}
	if p.QoS == 0 {
		return true, nil
	}
	if p.QoS == 2 {
		if s.in == nil {
			s.in = &idSet{}
		}
		if s.in.has(p.PacketID) {
			return false, nil
		}
	}
	if s.v5 != nil && s.openIn() >= s.v5.receiveMax {
		return false, errReceiveMaximum
	}
	if p.QoS == 2 {
		s.in.add(p.PacketID)
	}
	return true, nil
}

// openIn is the number of incoming exchanges that count against the broker's Receive Maximum.
func (s *Session) openIn() int {
	n := int(s.pending)
	if s.in != nil {
		n = max(n, s.in.n) // a QoS 2 exchange waiting for the store is in both
	}
	return n
}

// incoming5 applies what only MQTT 5 has. wire reports whether the received frame carries exactly the message, so that it can be forwarded
// as it is.
func (s *Session) incoming5(t *Turn, p *mqtt.Publish, m *msg.Message) (wire bool, err error) {
	wire = true
	if p.Props.Len() == 0 {
		if len(p.Topic) == 0 {
			return false, &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "PUBLISH without topic and without topic alias"}
		}
		return true, nil
	}
	if p.Props.Has(mqtt.PropSubscriptionID) { // [MQTT-3.3.4-6]
		return false, &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "PUBLISH of a client with a subscription identifier"}
	}
	if sec, ok := p.Props.Uint(mqtt.PropMessageExpiry); ok {
		m.Deadline = t.Now + int64(sec)*1e9
		wire = false
	}
	if a, ok := p.Props.Uint(mqtt.PropTopicAlias); ok {
		wire = false
		if a == 0 || int(a) > s.v5.aliasInMax { // [MQTT-3.3.2-9]
			return false, &mqtt.Error{Code: mqtt.CodeTopicAliasInvalid, Text: "topic alias above the maximum"}
		}
		if len(p.Topic) > 0 {
			for len(s.v5.aliasIn) <= int(a) {
				s.v5.aliasIn = append(s.v5.aliasIn, "")
			}
			if s.v5.aliasIn[a] != string(p.Topic) {
				s.v5.aliasIn[a] = string(p.Topic)
			}
		} else {
			if int(a) >= len(s.v5.aliasIn) || s.v5.aliasIn[a] == "" {
				return false, &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "topic alias was never set"}
			}
			m.Topic = []byte(s.v5.aliasIn[a])
		}
	} else if len(p.Topic) == 0 {
		return false, &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "PUBLISH without topic and without topic alias"}
	}
	if wire {
		m.Props = p.Props.Raw()
	} else {
		m.Props = p.Props.AppendForward(nil)
	}
	return wire, nil
}

// Answer answers an incoming PUBLISH at QoS 1 or 2 once ticket is durable: the acknowledgement is a promise. It is not earlier than that of
// any publish before it, whether this one has a record or not [MQTT-4.6.0-2] [MQTT-4.6.0-3].
func (s *Session) Answer(t *Turn, qos byte, id uint16, code mqtt.Code, ticket store.Ticket) {
	if qos == 0 {
		return
	}
	s.over(qos, id, code)
	s.lastIn = max(s.lastIn, ticket)
	if t.Waits.need(s.lastIn) {
		s.pending++
		t.Waits.add(wait{ticket: s.lastIn, s: s, epoch: s.Epoch, kind: waitPublish, id: id, qos: qos, code: code})
		return
	}
	s.answerPublish(t, qos, id, code, nil)
}

// Withhold leaves an incoming PUBLISH unanswered: the client keeps it and sends it again.
func (s *Session) Withhold(qos byte, id uint16) {
	if qos == 2 && s.in != nil {
		s.in.remove(id)
	}
}

// Refuse answers an incoming PUBLISH that is not taken, with a code and a reason for MQTT 5. Its order among the answers is as with Answer.
func (s *Session) Refuse(t *Turn, qos byte, id uint16, code mqtt.Code, reason string) {
	s.over(qos, id, code)
	switch {
	case qos == 0:
	case t.Waits.need(s.lastIn):
		s.pending++
		t.Waits.add(wait{ticket: s.lastIn, s: s, epoch: s.Epoch, kind: waitPublish, id: id, qos: qos, code: code, frame: []byte(reason)})
	default:
		s.answerPublish(t, qos, id, code, []byte(reason))
	}
}

// over ends an incoming QoS 2 exchange that is refused, whenever its PUBREC leaves: if that never does, what the client sends again on its next
// connection is a new message.
func (s *Session) over(qos byte, id uint16, code mqtt.Code) {
	if qos == 2 && code >= 0x80 && s.v5 != nil && s.in != nil {
		s.in.remove(id)
	}
}

func (s *Session) answerPublish(t *Turn, qos byte, id uint16, code mqtt.Code, reason []byte) {
	code = s.code5(code)
	if qos == 1 {
		s.sendReason(t, mqtt.TypePuback, id, code, reason)
		return
	}
	s.sendReason(t, mqtt.TypePubrec, id, code, reason)
}
