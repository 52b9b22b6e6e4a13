package shard

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"vernemq/broker/metric"
	"vernemq/broker/session"
)

// flush writes what an output has gathered, as far as the socket takes it.
func (s *Shard) flush(o *session.Output) {
	if o.Blocked {
		s.compact(o)
		s.home.T.Sink.Account(o)
		return
	}
	c := s.conn(o.Handle)
	if c.fd < 0 {
		s.home.T.Sink.Release(o)
		return
	}
	for o.Sent < len(o.Buf) {
		b := o.Buf[o.Sent:]
		n, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch e {
		case 0:
			o.Sent += int(n)
			s.count.Add(metric.BytesSent, uint64(n))
		case unix.EAGAIN:
			o.Blocked = true
			s.home.T.Sink.Account(o)
			return
		case unix.EINTR:
		default:
			s.home.T.Sink.Release(o)
			s.doom(c)
			return
		}
	}
	s.home.T.Sink.Release(o)
	if c.closing && !c.lingering {
		s.shut(c)
	}
}

// compact moves the unsent rest of a blocked output to the front of its buffer, when the sent part is the larger one.
func (s *Shard) compact(o *session.Output) {
	if o.Sent > 64<<10 && o.Sent > len(o.Buf)/2 {
		n := copy(o.Buf, o.Buf[o.Sent:])
		o.Buf, o.Sent = o.Buf[:n], 0
	}
}

// drained goes on with what waited for the socket to take more.
func (s *Shard) drained(c *conn) {
	if c.fd < 0 || c.out.Blocked || c.closing {
		return
	}
	s.resume(c, pauseOutput)
	if c.s != nil && c.s.Waits() {
		s.home.Pump(c.s)
	}
}
