package exchange

import (
	"errors"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// Result tells the loop how to go on with a connection after a packet.
type Result uint8

const (
	// Continue with the next packet.
	Continue Result = iota
	// Park the input until Loop.Resume.
	Park
	// Close the connection: the client said goodbye and the session is detached already.
	Close
)

// The protocol errors of packets that come at the wrong moment.
var (
	errSecondConnect = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "second CONNECT on one connection"} // [MQTT-3.1.0-2]
	errServerPacket  = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "packet that only a server sends"}
	errNoAuthMethod  = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "AUTH on a connection without authentication method"} // [MQTT-4.12.0-6]
	errExpiryRaised  = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "DISCONNECT sets a session expiry where CONNECT had none"}
)

// Receive handles one packet of a session's connection; frame is the whole packet. An error is an *mqtt.Error and ends the connection; the
// loop then calls Fail.
func (h *Home) Receive(s *session.Session, hd mqtt.Header, frame []byte) (Result, error) {
	body := frame[hd.Size : hd.Size+hd.Body]
	switch hd.Type {
	case mqtt.TypePublish:
		parked, err := h.publish(s, hd.Flags, frame[:hd.Size+hd.Body], body)
		if parked {
			return Park, err
		}
		return Continue, err
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
		return Continue, h.ack(s, hd.Type, body)
	case mqtt.TypeSubscribe:
		h.T.Count.Inc(metric.MqttSubscribeReceived + v5(s))
		parked, err := h.subscribe(s, body)
		if parked {
			return Park, err
		}
		return Continue, err
	case mqtt.TypeUnsubscribe:
		h.T.Count.Inc(metric.MqttUnsubscribeReceived + v5(s))
		parked, err := h.unsubscribe(s, body)
		if parked {
			return Park, err
		}
		return Continue, err
	case mqtt.TypePingreq:
		h.T.Count.Inc(metric.MqttPingreqReceived + v5(s))
		if hd.Body != 0 {
			return Continue, mqtt.ErrTrailingBytes
		}
		h.T.Count.Inc(metric.MqttPingrespSent + v5(s))
		var answer [2]byte
		s.Send(&h.T, mqtt.AppendPingresp(answer[:0]))
		return Continue, nil
	case mqtt.TypeDisconnect:
		return h.disconnect(s, body)
	case mqtt.TypeAuth:
		return h.auth(s, body)
	case mqtt.TypeConnect:
		return Continue, errSecondConnect
	default:
		return Continue, errServerPacket
	}
}

func (h *Home) ack(s *session.Session, t mqtt.Type, body []byte) error {
	var a mqtt.Ack
	if err := a.Decode(t, body, s.Version); err != nil {
		return err
	}
	h.T.Count.Inc(ackReceived(s, &a))
	s.Ack(&h.T, &a)
	if t != mqtt.TypePubrel && s.Waits() {
		h.Pump(s)
	}
	return nil
}

func ackReceived(s *session.Session, a *mqtt.Ack) metric.ID {
	is5, c := s.Version.Is5(), byte(a.Code)
	switch a.Type {
	case mqtt.TypePuback:
		if is5 {
			return metric.PubackReceived(c)
		}
		return metric.MqttPubackReceived
	case mqtt.TypePubrec:
		if is5 {
			return metric.PubrecReceived(c)
		}
		return metric.MqttPubrecReceived
	case mqtt.TypePubrel:
		if is5 {
			return metric.PubrelReceived(c)
		}
		return metric.MqttPubrelReceived
	default:
		if is5 {
			return metric.PubcompReceived(c)
		}
		return metric.MqttPubcompReceived
	}
}

// disconnect handles a DISCONNECT: without its will unless the client asks for it.
func (h *Home) disconnect(s *session.Session, body []byte) (Result, error) {
	var d mqtt.Disconnect
	if err := d.Decode(body, s.Version); err != nil {
		return Continue, err
	}
	if s.Version.Is5() {
		if err := d.Props.CheckSender(mqtt.TypeDisconnect, true); err != nil {
			return Continue, err
		}
		h.T.Count.Inc(metric.DisconnectReceived(byte(d.Code)))
		if v, ok := d.Props.Uint(mqtt.PropSessionExpiry); ok && !s.Further() {
			if s.Expiry == 0 && v != 0 {
				return Continue, errExpiryRaised // [MQTT-3.14.2-2]
			}
			if s.Expiry != v {
				s.Expiry = min(v, MaxExpiry(h.T.Opts.PersistentExpiration))
			}
		}
	} else {
		h.T.Count.Inc(metric.MqttDisconnectReceived)
	}
	h.Closed(s, d.Code == mqtt.CodeSuccess)
	return Close, nil
}

// later goes on with the input of a connection when a provider has answered, on the loop: it calls do, unless the connection that s had with
// epoch ended meanwhile. An error ends it. If there is a backlog by then, the connection waits for it like any publisher. Safe for any goroutine.
func (h *Home) later(s *session.Session, epoch uint32, do func() error) {
	h.loop.Post(func() {
		if s.Epoch != epoch || !s.Online() {
			return
		}
		out := s.Out
		if err := do(); err != nil {
			h.Fail(s, err)
			h.loop.Kick(out)
			return
		}
		if !h.park(s) {
			h.loop.Resume(out)
		}
	})
}

// Fail ends a session's connection for a protocol error or on behalf of the operator: an MQTT 5 client is told why. The loop closes the
// connection after what is gathered went out.
func (h *Home) Fail(s *session.Session, err error) {
	reason, reference := err.Error(), ""
	var r *Refusal
	if errors.As(err, &r) {
		reason, reference = r.Reason, r.ServerReference
	}
	s.SendDisconnect(&h.T, fit(mqtt.CodeOf(err), mqtt.TypeDisconnect, mqtt.CodeUnspecifiedError), reason, reference)
	h.Closed(s, false)
}
