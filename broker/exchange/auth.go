package exchange

import (
	"bytes"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// Enhanced authentication [MQTT-4.12]. At login the loop keeps the CONNECT while the client is asked for more: Authenticate says Challenge,
// Question gives the AUTH to send, Answer takes the client's, and Authenticate is called again. On a living connection the client begins, and
// Home.auth goes the same way. Everything bounded: a login by the connect timeout, a re-authentication by one step at a time.

// Step is how a login goes on.
type Step uint8

const (
	// Decided says that the client is let in, or refused with the error.
	Decided Step = iota
	// Later says that the answer comes through done.
	Later
	// Challenge says that the client has to answer Question first [MQTT-4.12.0-2].
	Challenge
)

var (
	// [MQTT-3.1.2-30]
	errAuthExpected = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "something else than AUTH before the end of the authentication"}
	// [MQTT-4.12.0-3]
	errAuthCode = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "AUTH with a reason code that is not the next step's"}
	// [MQTT-4.12.0-5] [MQTT-4.12.1-1]
	errAuthChanged = &mqtt.Error{Code: mqtt.CodeProtocolError, Text: "AUTH with another authentication method than CONNECT"}
	// [MQTT-3.1.2-24]
	errAuthTooLarge = &mqtt.Error{Code: mqtt.CodePacketTooLarge, Text: "authentication data are larger than the client takes packets"}
)

// Authenticate asks who may say whether the client is let in, and whether its will may be published: first for its enhanced authentication,
// if it wants one, then for user name and password. With Later, done is called, once and on some goroutine, with another Step. Modifiers of
// a provider are applied to c.
func (x *Exchange) Authenticate(c *session.Connect, r *Rules, done func(Step, error)) (Step, error) {
	if c.Auth == nil {
		return x.decide(c, r, done)
	}
	finish := func(v hook.Verdict) (Step, error) {
		switch {
		case v != hook.OK:
			return Decided, refusedAuth(c.Auth, mqtt.TypeConnack)
		case c.Auth.Continue:
			return Challenge, nil
		case c.Auth.SetUsername != nil:
			c.Username, c.HasUser = *c.Auth.SetUsername, true
		}
		return x.decide(c, r, done)
	}
	v := x.hooks.AskAuth(c.Auth, func(v hook.Verdict) {
		if step, err := finish(v); step != Later {
			done(step, err)
		}
	})
	if v == hook.Pending {
		return Later, nil
	}
	return finish(v)
}

// decide asks for user name, password and will.
func (x *Exchange) decide(c *session.Connect, r *Rules, done func(Step, error)) (Step, error) {
	pending, err := x.admit(c, r, func(err error) { done(Decided, err) })
	if pending {
		return Later, nil
	}
	return Decided, err
}

func refusedAuth(a *hook.Auth, t mqtt.Type) error {
	code := fit(a.Code, t, mqtt.CodeNotAuthorized)
	return &Refusal{Code: code, Reason: a.Reason}
}

// Question is the AUTH that asks the client for its next step.
func Question(c *session.Connect) (frame []byte, err error) {
	a := authPacket(mqtt.CodeContinueAuthentication, c.Auth)
	if !c.Fits(a.Size(c.Version)) {
		return nil, errAuthTooLarge
	}
	return a.Append(nil, c.Version), nil
}

// Answer takes the client's AUTH: Authenticate goes on with it.
func (x *Exchange) Answer(c *session.Connect, hd mqtt.Header, body []byte) error {
	if hd.Type != mqtt.TypeAuth {
		return errAuthExpected
	}
	var a mqtt.Auth
	if err := a.Decode(body, c.Version); err != nil {
		return err
	}
	if a.Code != mqtt.CodeContinueAuthentication {
		return errAuthCode
	}
	return nextStep(c.Auth, &a)
}

// nextStep makes the question of what the client sent.
func nextStep(q *hook.Auth, a *mqtt.Auth) error {
	if method, _ := a.Props.Bytes(mqtt.PropAuthMethod); string(method) != q.Method {
		return errAuthChanged
	}
	data, _ := a.Props.Bytes(mqtt.PropAuthData)
	q.Next(bytes.Clone(data))
	return nil
}

// authPacket is the broker's side of a step.
func authPacket(code mqtt.Code, q *hook.Auth) *mqtt.Auth {
	a := &mqtt.Auth{Code: code}
	addAuth(&a.Props, q)
	return a
}

// addAuth names the method in every answer [MQTT-4.12.0-5].
func addAuth(p *mqtt.Properties, q *hook.Auth) {
	p.AddBytes(mqtt.PropAuthMethod, []byte(q.Method))
	if q.SetData != nil {
		p.AddBytes(mqtt.PropAuthData, q.SetData)
	}
}

// auth handles an AUTH on a living connection: the client authenticates again. While a provider thinks, the connection is parked.
func (h *Home) auth(s *session.Session, body []byte) (Result, error) {
	var a mqtt.Auth
	if err := a.Decode(body, s.Version); err != nil {
		return Continue, err
	}
	h.T.Count.Inc(metric.AuthReceived(byte(a.Code)))
	q := s.Auth()
	if q == nil {
		return Continue, errNoAuthMethod
	}
	switch {
	case a.Code == mqtt.CodeReauthenticate && !q.Continue:
		*q = *hook.NewAuth(s.Client(), q.Method, true)
	case a.Code != mqtt.CodeContinueAuthentication || !q.Continue:
		return Continue, errAuthCode
	}
	if err := nextStep(q, &a); err != nil {
		return Continue, err
	}
	epoch := s.Epoch
	v := h.T.Hooks.AskAuth(q, func(v hook.Verdict) {
		h.later(s, epoch, func() error { return h.authed(s, q, v) })
	})
	if v == hook.Pending {
		return Park, nil
	}
	return Continue, h.authed(s, q, v)
}

// authed answers one step of a re-authentication; one that fails ends the connection [MQTT-4.12.1-2].
func (h *Home) authed(s *session.Session, q *hook.Auth, v hook.Verdict) error {
	if v != hook.OK {
		return refusedAuth(q, mqtt.TypeDisconnect)
	}
	code := mqtt.CodeSuccess
	if q.Continue {
		code = mqtt.CodeContinueAuthentication
	}
	a := authPacket(code, q)
	if !s.Fits(a.Size(s.Version)) {
		return errAuthTooLarge
	}
	h.T.Count.Inc(metric.AuthSent(byte(code)))
	s.Send(&h.T, a.Append(nil, s.Version))
	return nil
}
