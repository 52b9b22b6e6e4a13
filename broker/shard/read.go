package shard

import (
	"errors"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// The bounds of reading.
const (
	maxConnectBody  = 384 << 10 // bytes of a CONNECT: five longest fields and their properties fit
	maxControlBody  = 1 << 20   // bytes of any other packet that is no PUBLISH: its handling must fit a turn
	smallLeft       = 32 << 10  // a remainder up to this is copied in front of the next read
	deliveriesATurn = 4096      // one connection's share of a turn
	inputMost       = 256 << 20 // bytes of unparsed input that all connections may hold together, where memory is plenty
	inputLeast      = 16 << 20
)

// budget counts the bytes of unparsed input of all shards.
type budget struct {
	used  atomic.Int64
	limit int64
}

// inputLimit is the bound of unparsed input: an eighth of the memory the broker may use, if that is known.
func inputLimit(memory int64) int64 {
	if memory <= 0 {
		return inputMost
	}
	return min(max(memory/8, inputLeast), inputMost)
}

// keepLeft makes b the connection's remainder and keeps the broker-wide count; false when that is above its limit.
func (s *Shard) keepLeft(c *conn, b []byte) bool {
	d := int64(cap(b) - cap(c.left))
	c.left = b
	if d == 0 {
		return true
	}
	return s.group.budget.used.Add(d) <= s.group.budget.limit || d < 0
}

// read takes input of a connection: its remainder first, then at most one buffer full from the socket.
func (s *Shard) read(c *conn) {
	if c.lingering {
		s.discard(c)
		return
	}
	if c.closing || c.doomed {
		return
	}
	if !c.readable {
		if len(c.left) > 0 {
			s.parse(c, c.left, true)
		}
		return
	}
	off := 0
	if len(c.left) <= smallLeft {
		off = copy(s.rbuf, c.left)
	}
	buf := s.rbuf[off:]
	if s.home.Pressure() >= exchange.Pause {
		buf = buf[:readShort]
	}
	n, err := s.readInto(c, buf)
	if n <= 0 {
		switch {
		case n == 0 || err != unix.EAGAIN && err != unix.EINTR:
			if n < 0 && err != unix.ECONNRESET {
				s.count.Inc(metric.SocketError)
			}
			s.doom(c)
		case err == unix.EAGAIN:
			c.readable = false
			if len(c.left) > 0 {
				s.parse(c, c.left, true)
			}
		default:
			s.list(c)
		}
		return
	}
	s.count.Add(metric.BytesReceived, uint64(n))
	c.lastRead = s.home.T.Now
	// A short read has emptied the socket: the next edge tells of more. The end of the stream has to be read, though.
	if n < len(buf) && !c.hup {
		c.readable = false
	}
	if off == len(c.left) {
		s.parse(c, s.rbuf[:off+n], false)
	} else if s.keepLeft(c, append(c.left, s.rbuf[:n]...)) {
		s.parse(c, c.left, true)
	} else {
		s.fail(c, errBudget)
	}
	if c.readable && c.fd >= 0 && c.pausedFor == 0 && !c.closing && !c.doomed {
		s.list(c)
	}
}

func (s *Shard) readInto(c *conn, b []byte) (int, error) {
	n, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if e != 0 {
		return -1, e
	}
	return int(n), nil
}

var errBudget = &mqtt.Error{Code: mqtt.CodeQuotaExceeded, Text: "too much unfinished input in all connections together"}

// parse handles the packets in data, as far as the connection may go on; the rest becomes its remainder. own: data is c.left already.
func (s *Shard) parse(c *conn, data []byte, own bool) {
	start := s.home.Delivered
	for len(data) > 0 {
		if c.out.Blocked && c.out.Unsent() > session.MaxUnsent {
			c.pausedFor |= pauseOutput
		}
		if c.pausedFor != 0 {
			break
		}
		if s.home.Delivered-start > deliveriesATurn {
			s.list(c)
			break
		}
		hd, ok, err := mqtt.ReadHeader(data, s.maxBody(c), c.version)
		if err == nil && hd.Body > maxControlBody && hd.Type != mqtt.TypePublish {
			err = mqtt.ErrPacketTooLarge
		}
		if err != nil {
			s.protocolError(c, err)
			return
		}
		size := hd.Size + hd.Body
		if ok && s.pressed(c, hd) || !ok || len(data) < size {
			break
		}
		frame := data[:size]
		if c.s == nil {
			if !s.connect(c, hd, frame, data[size:], own) {
				return
			}
			data = data[size:]
			continue
		}
		s.laneFull = false
		res, err := s.home.Receive(c.s, hd, frame)
		if err != nil {
			s.protocolError(c, err)
			return
		}
		data = data[size:]
		switch res {
		case exchange.Park:
			c.pausedFor |= pauseParked
		case exchange.Close:
			c.s = nil
			s.closeAfterFlush(c)
			return
		}
		if limit := c.s.MaxMessageRate(&s.home.T); limit > 0 && hd.Type == mqtt.TypePublish {
			s.throttle(c, limit)
		}
		if c.out.Throttle > 0 {
			s.hold(c)
		}
		if s.laneFull {
			s.waitForLane(c)
		}
	}
	s.keepRest(c, data, own)
}

// keepRest stores what was not parsed.
func (s *Shard) keepRest(c *conn, data []byte, own bool) {
	if c.fd < 0 || c.closing || c.doomed {
		return
	}
	switch {
	case len(data) == 0:
		s.keepLeft(c, nil)
	case own:
		s.keepLeft(c, data)
	default:
		if cap(c.left) < len(data) || cap(c.left) > 4*len(data)+64 {
			if !s.keepLeft(c, append([]byte(nil), data...)) {
				s.fail(c, errBudget)
			}
			return
		}
		s.keepLeft(c, append(c.left[:0], data...))
	}
}

// closeAfterFlush ends a connection whose client said goodbye: nothing more is owed to it but what is gathered.
func (s *Shard) closeAfterFlush(c *conn) {
	if c.out.Unsent() == 0 {
		s.doom(c)
		return
	}
	s.finish(c)
}

// maxBody is the largest packet body a connection may send.
func (s *Shard) maxBody(c *conn) int {
	if c.s == nil {
		return maxConnectBody
	}
	return c.s.MaxBody(&s.home.T)
}

// protocolError ends a connection that broke the protocol.
func (s *Shard) protocolError(c *conn, err error) {
	if errors.Is(err, mqtt.ErrPacketTooLarge) {
		s.count.Inc(metric.MqttInvalidMsgSizeError + c.v5())
	}
	if c.s == nil {
		s.finish(c) // nothing is owed to a peer that did not get as far as CONNECT
		return
	}
	s.group.log.Info("connection closed for a protocol error", "client_id", c.s.ID.ClientID, "mountpoint", c.s.ID.Mountpoint,
		"peer", c.peer.String(), "error", err.Error())
	s.fail(c, err)
}
