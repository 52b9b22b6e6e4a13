package shard

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// connect handles the first packet of a connection. It reports whether parsing goes on here with what follows; own as in parse.
func (s *Shard) connect(c *conn, hd mqtt.Header, frame, rest []byte, own bool) bool {
	if c.login != nil {
		return s.answered(c, hd, frame[hd.Size:], rest, own)
	}
	if hd.Type != mqtt.TypeConnect { // [MQTT-3.1.0-1]
		s.finish(c)
		return false
	}
	var p mqtt.Connect
	err := p.Decode(frame[hd.Size:])
	c.version = p.Version
	s.count.Inc(metric.MqttConnectReceived + c.v5())
	var cc *session.Connect
	if err == nil && c.over {
		err = errFull
	}
	if err == nil && !c.lst.mayConnect(s.home.T.Now) {
		s.count.Inc(metric.MqttConnectionRateError + c.v5())
		err = errRate
	}
	if err == nil && s.home.Pressure() >= exchange.Refuse {
		s.count.Inc(metric.OverloadConnectionsRefused)
		err = exchange.ErrOverload
	}
	if err == nil {
		cc, err = s.group.X.Check(&p, &c.lst.Settings().Rules, c.peer)
	}
	if err != nil {
		s.refuse(c, cc, err)
		return false
	}
	return s.logIn(c, cc, rest, own)
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
		lst.release(false)
		return
	}
	if s.draining { // it was on its way between two loops, and this one has told its connections already
		s.doom(c)
		return
	}
	c.opened, c.version, c.hup = opened, cc.Version, gone
	c.readable = true
	s.keepLeft(c, left)
	if s.register(c, cc) {
		s.list(c)
	}
}

// errFull refuses a client whose listener has as many connections as it may; before MQTT 5 it gets return code 3.
var errFull = &mqtt.Error{Code: mqtt.CodeQuotaExceeded, Text: "the listener has max_connections"}

// errRate refuses a client whose listener has let in as many in this second as it may; before MQTT 5 it gets return code 3.
var errRate = &mqtt.Error{Code: mqtt.CodeConnectionRateExceeded, Text: "the listener has reached max_connection_rate"}

// register makes the client known. It reports whether the connection lives.
func (s *Shard) register(c *conn, cc *session.Connect) bool {
	sess, held, err := s.home.Connect(cc, &c.out)
	if err != nil {
		s.refuse(c, cc, err)
		return false
	}
	c.s, c.keepAlive = sess, cc.KeepAlive
	s.home.T.Wheel.Stop(&c.timer)
	s.armConn(c)
	if held {
		c.pausedFor |= pauseParked
	} else if sess.Waits() {
		s.home.Pump(sess)
	}
	return true
}

// refuse answers a CONNECT with the reason and ends the connection; cc is nil if it was not even read. A peer that sent no CONNECT we can read
// gets no answer in MQTT 3.x.
func (s *Shard) refuse(c *conn, cc *session.Connect, err error) {
	if err != exchange.ErrOverload && err != errFull && err != errRate { // counted; the first is told once, when it began
		s.group.log.Info("client refused", "listener", c.lst.Settings().Rules.Listener, "peer", c.peer.String(), "reason", err.Error())
	}
	v, said := c.version, mqtt.CodeOf(err)
	if v != 0 && (v.Is5() || said != mqtt.CodeMalformedPacket && said != mqtt.CodeProtocolError) {
		if !v.Is5() && said == mqtt.CodeUnsupportedProtocolVersion {
			v = mqtt.V311 // [MQTT-3.1.2-2]: the answer of 3.1.1, whatever was asked for
		}
		code, frame := exchange.Refused(v, cc, err)
		if v.Is5() {
			s.count.Inc(metric.ConnackSent(byte(code)))
		} else {
			s.count.Inc(metric.ConnackReturned(code.ConnackReturn()))
		}
		s.home.T.Sink.Touch(&c.out)
		c.out.Buf = append(c.out.Buf, frame...)
	}
	s.finish(c)
}
