package session

import (
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/store"
)

// sendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP.
func (s *Session) sendAck(t *Turn, typ mqtt.Type, id uint16, code mqtt.Code) {
	o := s.Out
	t.Sink.Touch(o)
	if s.v5 == nil || code == mqtt.CodeSuccess {
		first := byte(typ) << 4
		if typ == mqtt.TypePubrel {
			first |= 2 // [MQTT-3.6.1-1]
		}
		o.Buf = append(o.Buf, first, 2, byte(id>>8), byte(id))
	} else {
		a := mqtt.Ack{Type: typ, PacketID: id, Code: code}
		o.Buf = a.Append(o.Buf, s.Version)
	}
	t.Count.Inc(s.ackSent(typ, code))
}

// sendReason is sendAck with a reason string, for a client that wants to read it [MQTT-3.1.2-29 of 5.0] and has room for it [MQTT-3.4.2-2].
func (s *Session) sendReason(t *Turn, typ mqtt.Type, id uint16, code mqtt.Code, reason []byte) {
	if len(reason) == 0 || s.v5 == nil {
		s.sendAck(t, typ, id, code)
		return
	}
	a := mqtt.Ack{Type: typ, PacketID: id, Code: code}
	s.Explain(&a.Props, func() int { return a.Size(s.Version) }, string(reason), nil)
	t.Sink.Touch(s.Out)
	s.Out.Buf = a.Append(s.Out.Buf, s.Version)
	t.Count.Inc(s.ackSent(typ, code))
}

// Explain adds to the properties of an answer what a provider wants said with it, for a client that wants to read it [MQTT-3.1.2-29 of 5.0]: its
// reason, and user properties where there is still room for them. size is the answer's, with what p holds at the moment.
func (s *Session) Explain(p *mqtt.Properties, size func() int, reason string, user [][2]string) {
	if s.v5 == nil || !s.v5.problemInfo || reason == "" && len(user) == 0 {
		return
	}
	fits := func() bool { return s.Fits(size()) }
	if reason != "" {
		Optional(p, fits, func(p *mqtt.Properties) { p.AddBytes(mqtt.PropReasonString, []byte(reason)) })
	}
	AddUser(p, fits, user)
}

// Optional adds to the properties of a packet what is only good to know, and takes it back if the packet does not fit with it.
func Optional(p *mqtt.Properties, fits func() bool, add func(*mqtt.Properties)) {
	without := *p
	*p = without.Clone(0)
	if add(p); !fits() {
		*p = without
	}
}

// AddUser adds user properties, all of them or none.
func AddUser(p *mqtt.Properties, fits func() bool, user [][2]string) {
	Optional(p, fits, func(p *mqtt.Properties) {
		for _, kv := range user {
			p.AddUser([]byte(kv[0]), []byte(kv[1]))
		}
	})
}

// ackSent is the metric of a sent acknowledgement.
func (s *Session) ackSent(typ mqtt.Type, code mqtt.Code) metric.ID {
	v5, c := s.v5 != nil, byte(code)
	switch typ {
	case mqtt.TypePuback:
		if v5 {
			return metric.PubackSent(c)
		}
		return metric.MqttPubackSent
	case mqtt.TypePubrec:
		if v5 {
			return metric.PubrecSent(c)
		}
		return metric.MqttPubrecSent
	case mqtt.TypePubrel:
		if v5 {
			return metric.PubrelSent(c)
		}
		return metric.MqttPubrelSent
	default:
		if v5 {
			return metric.PubcompSent(c)
		}
		return metric.MqttPubcompSent
	}
}

// Ack handles an incoming PUBACK, PUBREC, PUBREL or PUBCOMP. An answer that makes room lets the caller Pump.
func (s *Session) Ack(t *Turn, a *mqtt.Ack) {
	switch a.Type {
	case mqtt.TypePuback:
		f := s.win.get(a.PacketID)
		if f == nil || f.qos != 1 || f.state != flightSent {
			t.Count.Inc(metric.MqttPubackInvalidError + s.v())
			return
		}
		s.release(t, f.item(), a.PacketID)
		s.end(f)
	case mqtt.TypePubrec:
		s.pubrec(t, a)
	case mqtt.TypePubcomp:
		f := s.win.get(a.PacketID)
		if f == nil || f.state != flightReleased {
			t.Count.Inc(metric.MqttPubcompInvalidError + s.v())
			return
		}
		s.release(t, f.item(), a.PacketID)
		s.end(f)
	case mqtt.TypePubrel:
		s.pubrel(t, a)
	}
}

// pubrec answers with PUBREL once it is durable that the receiver has the message: after a crash the message must not be sent again.
func (s *Session) pubrec(t *Turn, a *mqtt.Ack) {
	f := s.win.get(a.PacketID)
	if f == nil || f.qos != 2 || f.state == flightCommit {
		t.Count.Inc(metric.MqttPubrecInvalidError + s.v())
		if a.Code >= 0x80 {
			return // the exchange is over for the receiver too
		}
		s.sendAck(t, mqtt.TypePubrel, a.PacketID, s.code5(mqtt.CodePacketIdentifierNotFound))
		return
	}
	if a.Code >= 0x80 { // the receiver does not take it: the exchange is over [MQTT-4.3.3-4 of 5.0]
		if f.state == flightSent {
			s.release(t, f.item(), a.PacketID)
			s.end(f)
		}
		return
	}
	switch f.state {
	case flightRelCommit:
		return // PUBREL is on its way
	case flightSent:
		if k := s.holder(f.group, f.flags); k != 0 && f.ref != 0 {
			step := store.Ack{Kind: store.Received, Session: k, Message: store.MessageRef(f.ref), PacketID: a.PacketID, QoS: f.qos}
			if s.Further() { // the client has it, and the rest of the exchange ends with the connection
				step.Kind, step.PacketID, f.ref = store.Done, 0, 0
			}
			ticket := t.Store.PutAck(step)
			if t.Waits.need(ticket) {
				f.state = flightRelCommit
				t.Waits.add(wait{ticket: ticket, s: s, epoch: s.Epoch, kind: waitFlight, id: a.PacketID})
				return
			}
		}
		f.state = flightReleased
	}
	f.sent = seconds(t.Now)
	s.sendAck(t, mqtt.TypePubrel, a.PacketID, mqtt.CodeSuccess)
}

// pubrel ends an incoming QoS 2 exchange: its identifier is free once that is durable, and then PUBCOMP says so.
func (s *Session) pubrel(t *Turn, a *mqtt.Ack) {
	if s.in == nil || !s.in.remove(a.PacketID) {
		s.sendAck(t, mqtt.TypePubcomp, a.PacketID, s.code5(mqtt.CodePacketIdentifierNotFound))
		return
	}
	var ticket store.Ticket
	if s.Key != 0 {
		ticket = t.Store.PutAck(store.Ack{Kind: store.Released, Session: s.Key, PacketID: a.PacketID})
	}
	if t.Waits.need(ticket) {
		t.Waits.add(wait{ticket: ticket, s: s, epoch: s.Epoch, kind: waitPubcomp, id: a.PacketID})
		return
	}
	s.sendAck(t, mqtt.TypePubcomp, a.PacketID, mqtt.CodeSuccess)
}

// code5 is code for MQTT 5 clients and success for others, which have no codes.
func (s *Session) code5(code mqtt.Code) mqtt.Code {
	if s.v5 == nil {
		return mqtt.CodeSuccess
	}
	return code
}
