package shard

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// Rules are what a listener demands of its clients; see exchange.
type Rules = exchange.Rules

// connect handles the first packet of a connection. It reports whether parsing goes on here with what follows; own as in parse.
func (s *Shard) connect(c *conn, hd mqtt.Header, frame, rest []byte, own bool) bool {
	if hd.Type != mqtt.TypeConnect { // [MQTT-3.1.0-1]
		s.finish(c)
		return false
	}
	var p mqtt.Connect
	err := p.Decode(frame[hd.Size:])
	c.version = p.Version
	v := metric.ID(0)
	if p.Version.Is5() {
		v = 1
	}
	s.count.Inc(metric.MqttConnectReceived + v)
	var cc *session.Connect
	if err == nil {
		cc, err = s.group.X.Check(&p, &c.lst.Rules, c.peer)
	}
	if err != nil {
		s.refuse(c, err)
		return false
	}
	c.keepAlive = p.KeepAlive
	gen := c.gen
	pending, err := s.group.X.Authenticate(cc, &c.lst.Rules, func(err error) {
		s.Post(func() {
			if c.gen == gen && c.pausedFor&pauseLogin != 0 {
				s.loggedIn(c, cc, err)
			}
		})
	})
	switch {
	case pending:
		c.pausedFor |= pauseLogin
		s.keepRest(c, rest, own)
		return false
	case err != nil:
		s.refuse(c, err)
		return false
	}
	return s.enter(c, cc, rest)
}

// loggedIn goes on with a connection whose login was answered later.
func (s *Shard) loggedIn(c *conn, cc *session.Connect, err error) {
	c.pausedFor &^= pauseLogin
	if err != nil {
		s.refuse(c, err)
		return
	}
	if s.enter(c, cc, c.left) && (c.readable || len(c.left) > 0) {
		s.list(c)
	}
}

// enter brings an accepted client to the shard of its session; it reports whether that is this one.
func (s *Shard) enter(c *conn, cc *session.Connect, rest []byte) bool {
	to := s.group.ShardOf(cc.ID)
	if to == s.id {
		return s.register(c, cc)
	}
	t := s.group.shards[to]
	fd, lst, peer, opened, gone := c.fd, c.lst, c.peer, c.opened, c.hup
	left := append([]byte(nil), rest...)
	_ = unix.EpollCtl(s.ep, unix.EPOLL_CTL_DEL, int(fd), nil)
	s.free(c)
	t.Post(func() { t.adopt(fd, lst, peer, opened, gone, cc, left) })
	return false
}

// adopt takes over a connection that another shard accepted.
func (s *Shard) adopt(fd int32, lst *Listener, peer netip.AddrPort, opened int64, gone bool, cc *session.Connect, left []byte) {
	c, err := s.newConn(int(fd), lst, peer)
	if err != nil {
		s.group.log.Error("cannot watch a connection", "peer", peer.String(), "error", err)
		_ = unix.Close(int(fd))
		s.count.Inc(metric.SocketClose)
		lst.Active.Add(-1)
		return
	}
	c.opened, c.version, c.keepAlive, c.hup = opened, cc.Version, cc.KeepAlive, gone
	c.readable = true
	s.keepLeft(c, left)
	if s.register(c, cc) {
		s.list(c)
	}
}

// register makes the client known. It reports whether the connection lives.
func (s *Shard) register(c *conn, cc *session.Connect) bool {
	sess, held, err := s.home.Connect(cc, &c.out)
	if err != nil {
		s.refuse(c, err)
		return false
	}
	c.s = sess
	s.home.T.Wheel.Stop(&c.timer)
	s.armConn(c)
	if held {
		c.pausedFor |= pauseParked
	} else if sess.Waits() {
		s.home.Pump(sess)
	}
	return true
}

// refuse answers a CONNECT with the reason and ends the connection. A peer that sent no CONNECT we can read gets no answer in MQTT 3.x.
func (s *Shard) refuse(c *conn, err error) {
	code := mqtt.CodeOf(err)
	s.group.log.Info("client refused", "listener", c.lst.Rules.Listener, "peer", c.peer.String(), "reason", err.Error())
	p := mqtt.Connack{Code: code}
	v := c.version
	sink := &s.home.T.Sink
	switch {
	case v.Is5():
		s.count.Inc(metric.ConnackSent(byte(code)))
		sink.Touch(&c.out)
		c.out.Buf = p.Append(c.out.Buf, v)
	case v != 0 && code != mqtt.CodeMalformedPacket && code != mqtt.CodeProtocolError:
		if code == mqtt.CodeUnsupportedProtocolVersion {
			v = mqtt.V311 // [MQTT-3.1.2-2]: the answer of 3.1.1, whatever was asked for
		}
		s.count.Inc(metric.ConnackReturned(p.Code.ConnackReturn()))
		sink.Touch(&c.out)
		c.out.Buf = p.Append(c.out.Buf, v)
	}
	s.finish(c)
}
