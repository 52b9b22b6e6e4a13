package exchange

import (
	"errors"

	"vernemq/broker/config"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
	"vernemq/broker/store"
)

// Refusal is the error of a client that is not let in for a reason that a provider gave. It unwraps to an *mqtt.Error.
type Refusal struct {
	Code            mqtt.Code // one that a CONNACK may have
	Reason          string    // for the client, may be empty
	ServerReference string    // where to go instead, may be empty
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Reason != "" {
		return r.Reason
	}
	return "refused: " + r.Code.String()
}

// Unwrap gives the error the codec knows.
func (r *Refusal) Unwrap() error { return &mqtt.Error{Code: r.Code, Text: r.Error()} }

// Refused is the CONNACK that refuses a client. c is nil for one whose CONNECT could not be read: it is told the code alone. Nil is returned
// where the client takes no packet so large.
func Refused(v mqtt.Version, c *session.Connect, err error) (code mqtt.Code, frame []byte) {
	p := mqtt.Connack{Code: fit(mqtt.CodeOf(err), mqtt.TypeConnack, mqtt.CodeUnspecifiedError)}
	if c == nil || !v.Is5() {
		return p.Code, p.Append(nil, v)
	}
	fits := func() bool { return c.Fits(p.Size(v)) }
	if !fits() {
		return p.Code, nil
	}
	reason := err.Error()
	var r *Refusal
	if errors.As(err, &r) {
		reason = r.Reason
		if r.ServerReference != "" {
			session.Optional(&p.Props, fits, func(p *mqtt.Properties) { p.AddBytes(mqtt.PropServerReference, []byte(r.ServerReference)) })
		}
	}
	if reason != "" { // [MQTT-3.2.2-19]
		session.Optional(&p.Props, fits, func(p *mqtt.Properties) { p.AddBytes(mqtt.PropReasonString, []byte(reason)) })
	}
	return p.Code, p.Append(nil, v)
}

// fit is code if it tells of a failure and may be in a packet of type t; else the other one. Providers say what they like.
func fit(code mqtt.Code, t mqtt.Type, other mqtt.Code) mqtt.Code {
	if code.Failed() && code.ValidIn(t) {
		return code
	}
	return other
}

var errConnackTooLarge = &mqtt.Error{Code: mqtt.CodePacketTooLarge, Text: "the CONNACK is larger than the client takes packets"} // [MQTT-3.1.2-24]

// accepted is the CONNACK of a client that is let in. With MQTT 5 it tells what differs from what the client asked for or may assume.
func accepted(c *session.Connect, o *config.Options) (p mqtt.Connack, err error) {
	if !c.Version.Is5() {
		return p, nil
	}
	if c.AssignedID {
		p.Props.AddBytes(mqtt.PropAssignedClientID, []byte(c.ID.ClientID)) // [MQTT-3.2.2-16]
	}
	if c.ExpiryCapped {
		p.Props.AddUint(mqtt.PropSessionExpiry, c.Expiry)
	}
	if c.KeepAliveSet {
		p.Props.AddUint(mqtt.PropServerKeepAlive, uint32(c.KeepAlive))
	}
	own := c.Options.Set()
	if n := hook.Or(own.ReceiveMaxBroker, o.ReceiveMaxBroker); n < 65535 {
		p.Props.AddUint(mqtt.PropReceiveMaximum, uint32(n))
	}
	if n := hook.Or(own.TopicAliasMaxClient, o.TopicAliasMaxClient); n > 0 {
		p.Props.AddUint(mqtt.PropTopicAliasMaximum, uint32(n))
	}
	if n := hook.Or(own.MaxMessageSize, o.MaxMessageSize); n > 0 && n < mqtt.MaxBody {
		p.Props.AddUint(mqtt.PropMaximumPacketSize, uint32(mqtt.PacketSize(n)))
	}
	if q := hook.Or(own.MaxQoS, 2); q < 2 {
		p.Props.AddUint(mqtt.PropMaximumQoS, uint32(q))
	}
	for _, x := range []struct {
		id        mqtt.PropID
		available *bool
	}{
		{mqtt.PropRetainAvailable, own.RetainAvailable}, {mqtt.PropWildcardSubAvailable, own.WildcardSubscriptions},
		{mqtt.PropSubIDAvailable, own.SubscriptionIdentifier}, {mqtt.PropSharedSubAvailable, own.SharedSubscriptions},
	} {
		if !hook.Or(x.available, true) {
			p.Props.AddUint(x.id, 0)
		}
	}
	if c.Auth != nil {
		addAuth(&p.Props, c.Auth)
	}
	fits := func() bool { return c.Fits(p.Size(c.Version)) }
	if !fits() {
		return p, errConnackTooLarge
	}
	// What is only good to know is left out where there is no room for it.
	if c.ResponseInfo && c.Responses != "" { // [MQTT-3.1.2-28]
		session.Optional(&p.Props, fits, func(p *mqtt.Properties) { p.AddBytes(mqtt.PropResponseInfo, []byte(c.Responses)) })
	}
	session.AddUser(&p.Props, fits, c.User) // [MQTT-3.2.2-20]
	return p, nil
}

// connack answers the CONNECT once ticket is durable.
func (h *Home) connack(s *session.Session, p *mqtt.Connack, ticket store.Ticket) {
	if s.Version.Is5() {
		h.T.Count.Inc(metric.ConnackSent(0))
	} else {
		h.T.Count.Inc(metric.ConnackReturned(0))
	}
	s.Connack(&h.T, p.Append(nil, s.Version), ticket)
}
