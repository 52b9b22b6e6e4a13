package shard

import (
	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// logIn asks whether the client is let in. It reports whether parsing goes on here with what follows; own as in parse.
func (s *Shard) logIn(c *conn, cc *session.Connect, rest []byte, own bool) bool {
	gen := c.gen
	step, err := s.group.X.Authenticate(cc, &c.lst.Settings().Rules, func(step exchange.Step, err error) {
		s.Post(func() {
			if c.gen == gen && !c.doomed && c.pausedFor&pauseLogin != 0 {
				s.loggedIn(c, cc, step, err)
			}
		})
	})
	if step == exchange.Later {
		c.pausedFor |= pauseLogin
		s.keepRest(c, rest, own)
		return false
	}
	return s.decided(c, cc, step, err, rest)
}

// loggedIn goes on with a connection whose login was answered later.
func (s *Shard) loggedIn(c *conn, cc *session.Connect, step exchange.Step, err error) {
	c.pausedFor &^= pauseLogin
	if s.decided(c, cc, step, err, c.left) && (c.readable || len(c.left) > 0) {
		s.list(c)
	}
}

// decided does what a step of the login says.
func (s *Shard) decided(c *conn, cc *session.Connect, step exchange.Step, err error, rest []byte) bool {
	var frame []byte
	if err == nil && step == exchange.Challenge {
		frame, err = exchange.Question(cc)
	}
	switch {
	case err != nil:
		s.refuse(c, cc, err)
		return false
	case step == exchange.Challenge:
		c.login = cc
		s.count.Inc(metric.AuthSent(byte(mqtt.CodeContinueAuthentication)))
		s.home.T.Sink.Touch(&c.out)
		c.out.Buf = append(c.out.Buf, frame...)
		return true
	}
	return s.enter(c, cc, rest)
}

// answered handles what follows a Challenge: the client's AUTH, or its goodbye [MQTT-3.1.2-30].
func (s *Shard) answered(c *conn, hd mqtt.Header, body, rest []byte, own bool) bool {
	cc := c.login
	c.login = nil
	switch hd.Type {
	case mqtt.TypeDisconnect:
		s.finish(c)
		return false
	case mqtt.TypeAuth:
		s.count.Inc(metric.AuthReceived(byte(mqtt.CodeContinueAuthentication)))
	}
	if err := s.group.X.Answer(cc, hd, body); err != nil {
		s.refuse(c, cc, err)
		return false
	}
	return s.logIn(c, cc, rest, own)
}
