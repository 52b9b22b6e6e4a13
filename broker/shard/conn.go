package shard

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
	"vernemq/broker/wheel"
)

// conn is one connection. Conns live in pages and are reused; gen tells their lives apart. An idle one holds no buffer.
type conn struct {
	out   session.Output
	s     *session.Session // nil until CONNECT is accepted, and again when the connection is no longer the session's
	login *session.Connect // its CONNECT, while the client is asked for more than that
	left  []byte           // received and not parsed yet: part of a packet, or input that waits while paused
	timer wheel.Timer
	lst   *Listener
	peer  netip.AddrPort

	opened   int64 // monotonic nanoseconds
	lastRead int64 // monotonic nanoseconds
	rateEnd  int64 // monotonic nanoseconds at which the client may publish rateLeft messages again
	rateLeft int32
	fd       int32
	gen      uint32

	keepAlive uint16       // seconds; 0 none
	version   mqtt.Version // 0 until CONNECT
	pausedFor pause
	readable  bool // the socket may have more
	hup       bool // the peer has closed its side, or worse
	listed    bool // on Shard.more
	closing   bool // what is gathered goes out, then the connection ends
	lingering bool // our side is shut down; the peer's rest is read and thrown away
	doomed    bool // on Shard.dead
	over      bool // above its listener's limit: its CONNECT is refused
}

// pause is the set of reasons not to read a connection.
type pause uint8

const (
	pauseParked pause = 1 << iota // the exchange asked for it: a hook or the store has to answer
	pauseOutput                   // the client does not read what it is sent
	pauseLane                     // another shard's mailbox is full
	pauseLogin                    // CONNECT is being checked
	pauseRate                     // the client published its share of this second
	pauseMemory                   // the client publishes and memory is short
)

// conn returns the connection of an index.
func (s *Shard) conn(i uint32) *conn { return &s.conns[i/connPage][i%connPage] }

// newConn takes a free conn for a socket and registers it.
func (s *Shard) newConn(fd int, l *Listener, peer netip.AddrPort) (*conn, error) {
	if len(s.freeConns) == 0 {
		base := uint32(len(s.conns) * connPage)
		s.conns = append(s.conns, new([connPage]conn))
		for i := uint32(connPage); i > 0; i-- {
			c := s.conn(base + i - 1)
			c.fd = -1
			c.out.Handle = base + i - 1
			s.freeConns = append(s.freeConns, base+i-1)
		}
	}
	c := s.conn(s.freeConns[len(s.freeConns)-1])
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(c.out.Handle), Pad: int32(c.gen)}
	if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return nil, err
	}
	s.freeConns = s.freeConns[:len(s.freeConns)-1]
	c.fd, c.lst, c.peer = int32(fd), l, peer
	c.opened, c.lastRead = s.home.T.Now, s.home.T.Now
	c.timer.Index = c.out.Handle
	s.open++
	return c, nil
}

// free gives a conn back whose socket is closed or moved.
func (s *Shard) free(c *conn) {
	s.home.T.Wheel.Stop(&c.timer)
	s.keepLeft(c, nil)
	s.home.T.Sink.Release(&c.out)
	handle, gen, dirty, listed := c.out.Handle, c.gen+1, c.out.Dirty, c.listed
	*c = conn{fd: -1, gen: gen, listed: listed}
	c.out.Handle, c.out.Dirty = handle, dirty
	s.freeConns = append(s.freeConns, handle)
	s.open--
}

// doom closes a connection at the end of the turn. Whatever its session is, it goes offline with its will, unless it is detached already.
func (s *Shard) doom(c *conn) {
	if !c.doomed && c.fd >= 0 {
		c.doomed = true
		s.dead = append(s.dead, c)
	}
}

// bury closes the doomed.
func (s *Shard) bury() {
	for i := 0; i < len(s.dead); i++ {
		c := s.dead[i]
		if c.s != nil {
			sess := c.s
			c.s = nil
			s.home.Closed(sess, false)
		}
		_ = unix.Close(int(c.fd))
		s.count.Inc(metric.SocketClose)
		c.lst.release(c.over)
		s.free(c)
	}
	clear(s.dead)
	s.dead = s.dead[:0]
}

// closeAll ends the loop: every socket is closed as it is.
func (s *Shard) closeAll() {
	for _, page := range s.conns {
		for i := range page {
			if c := &page[i]; c.fd >= 0 {
				_ = unix.Close(int(c.fd))
				c.lst.release(c.over)
			}
		}
	}
	s.closeFDs()
}

// finish ends a connection in order: what is gathered goes out, our side is shut down, and the peer has a moment to read it. A plain close
// would reset the connection if unread input waits, and take the last packet with it.
func (s *Shard) finish(c *conn) {
	if c.closing || c.fd < 0 {
		return
	}
	c.closing = true
	c.s, c.pausedFor = nil, 0
	s.keepLeft(c, nil)
	s.home.T.Wheel.Arm(&c.timer, s.home.T.Now+int64(2*time.Second))
	s.home.T.Sink.Touch(&c.out) // the flush of this turn goes on from here
}

// shut is called when everything went out of a closing connection.
func (s *Shard) shut(c *conn) {
	if c.hup || unix.Shutdown(int(c.fd), unix.SHUT_WR) != nil {
		s.doom(c)
		return
	}
	c.lingering = true
	if c.readable {
		s.discard(c)
	}
}

// discard reads and throws away.
func (s *Shard) discard(c *conn) {
	for range 4 {
		n, err := unix.Read(int(c.fd), s.rbuf)
		if n == 0 || err != nil && err != unix.EAGAIN && err != unix.EINTR {
			s.doom(c)
			return
		}
		// As in read: a short read has emptied the socket, and the end of the stream, which may be known by now, has to be read.
		if n < len(s.rbuf) && !c.hup {
			c.readable = false
			return
		}
	}
}

// Kick implements exchange.Loop.
func (s *Shard) Kick(o *session.Output) { s.finish(s.conn(o.Handle)) }

// Resume implements exchange.Loop. What was published while the connection was parked, by the answer of a provider, may have filled a mailbox.
func (s *Shard) Resume(o *session.Output) {
	c := s.conn(o.Handle)
	if c.pausedFor&(pauseParked|pauseLane) == pauseParked && s.anyLaneFull() {
		s.waitForLane(c)
	}
	s.resume(c, pauseParked)
}

func (s *Shard) resume(c *conn, why pause) {
	if c.fd < 0 || c.pausedFor&why == 0 {
		return
	}
	c.pausedFor &^= why
	if c.out.Throttle > 0 {
		s.hold(c)
	}
	if c.pausedFor == 0 && !c.closing && (c.readable || len(c.left) > 0) {
		s.list(c)
	}
	if c.s != nil && c.s.Waits() {
		s.home.Pump(c.s)
	}
}

// list puts c on the list of those whose input goes on in the next turn.
func (s *Shard) list(c *conn) {
	if !c.listed {
		c.listed = true
		s.more = append(s.more, c)
	}
}

// goOn handles input that did not fit an earlier turn.
func (s *Shard) goOn() {
	list := s.more
	s.more = s.moreSpare[:0]
	for _, c := range list {
		c.listed = false
		if c.fd >= 0 && c.pausedFor == 0 && !c.doomed {
			s.read(c)
		}
	}
	clear(list)
	s.moreSpare = list[:0]
}

// connTimer handles the timer of a connection: connect timeout, keep alive, lifetime, the end of lingering.
func (s *Shard) connTimer(c *conn) {
	now := s.home.T.Now
	switch {
	case c.fd < 0:
	case c.closing:
		s.doom(c)
	case c.s == nil:
		s.count.Inc(metric.SocketCloseTimeout)
		s.doom(c)
	case c.pausedFor&pauseRate != 0 && now >= c.rateEnd:
		s.resume(c, pauseRate)
		s.armConn(c)
	case c.expired(now):
		s.count.Inc(metric.ClientLifetimeExpired + c.v5())
		s.fail(c, errLifetime)
	case c.keepAlive > 0 && c.pausedFor&^pauseOutput != 0 && now >= c.lastRead+c.keepNanos():
		c.lastRead = now // it is us who do not read: its time begins again
		s.armConn(c)
	case c.keepAlive > 0 && now >= c.lastRead+c.keepNanos():
		s.count.Inc(metric.ClientKeepaliveExpired + c.v5())
		s.fail(c, errKeepAlive) // [MQTT-3.1.2-22]
	default:
		s.armConn(c)
	}
}

// expired reports whether the connection is older than it may get.
func (c *conn) expired(now int64) bool {
	l := c.lifetime()
	return l > 0 && now >= c.opened+int64(l)
}

// v5 is 1 for MQTT 5 and 0 for others: the offset of a metric with the label mqtt_version.
func (c *conn) v5() metric.ID {
	if c.version.Is5() {
		return 1
	}
	return 0
}

func (c *conn) keepNanos() int64 { return int64(c.keepAlive) * 1_500_000_000 }

// armConn arms the timer of a connected client for the first of its deadlines.
func (s *Shard) armConn(c *conn) {
	at := int64(-1)
	if c.keepAlive > 0 {
		at = c.lastRead + c.keepNanos()
	}
	if c.pausedFor&pauseRate != 0 && (at < 0 || c.rateEnd < at) {
		at = c.rateEnd
	}
	if l := c.lifetime(); l > 0 {
		if end := c.opened + int64(l); at < 0 || end < at {
			at = end
		}
	}
	if at >= 0 {
		s.home.T.Wheel.Arm(&c.timer, at)
	}
}

// throttle counts a publish against max_message_rate. With the last one of a second the connection is not read until the next: nothing is
// lost, and TCP tells the client.
func (s *Shard) throttle(c *conn, limit int) {
	now := s.home.T.Now
	if now >= c.rateEnd {
		c.rateEnd, c.rateLeft = now+1e9, int32(min(limit, math.MaxInt32))
	}
	if c.rateLeft--; c.rateLeft <= 0 {
		s.count.Inc(metric.MqttMessageRatePaused + c.v5())
		c.pausedFor |= pauseRate
		s.armConn(c)
	}
}

// hold leaves a connection unread for as long as the exchange says.
func (s *Shard) hold(c *conn) {
	c.rateEnd = max(c.rateEnd, s.home.T.Now+int64(c.out.Throttle))
	c.out.Throttle = 0
	c.pausedFor |= pauseRate
	s.armConn(c)
}

// lifetime is how long a connection may last; 0: for ever.
func (c *conn) lifetime() time.Duration {
	l := c.lst.Settings().MaxLifetime
	if c.s == nil {
		return l
	}
	return c.s.MaxLifetime(l)
}

var (
	errLifetime  = &mqtt.Error{Code: mqtt.CodeMaximumConnectTime, Text: "maximum connection lifetime reached"}
	errKeepAlive = &mqtt.Error{Code: mqtt.CodeKeepAliveTimeout, Text: "nothing received within one and a half times the keep alive"}
)

// Disconnect ends the connections of a client, by its main session, for a reason that an MQTT 5 client is told. Only for functions that run on
// the loop.
func (s *Shard) Disconnect(x *session.Session, err error) {
	if x.Several != nil {
		for _, o := range slices.Clone(x.Several.Others) {
			s.fail(s.conn(o.Out.Handle), err)
		}
	}
	if x.Online() {
		s.fail(s.conn(x.Out.Handle), err)
	}
}

// fail ends a session's connection for a reason that an MQTT 5 client is told.
func (s *Shard) fail(c *conn, err error) {
	if c.s != nil {
		sess := c.s
		s.home.Fail(sess, err)
	}
	s.finish(c)
}
