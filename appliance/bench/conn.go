package bench

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// maxPending is how many bytes may wait for a connection whose peer does not read, beyond one batch.
const maxPending = 16 << 20

// conn is one client. Its loop alone touches it.
type conn struct {
	fd     int    // -1: closed
	slot   int32  // index in the loop's table
	gen    uint32 // counts the descriptors it had: events of an earlier one are stale
	number int    // which of its kind it is, across loops
	kind   kind

	opening bool // connect(2) goes on
	online  bool // CONNACK has come
	present bool // the broker had its session
	blocked bool // waits for the socket to become writable
	queued  bool // is in the loop's ready list
	leaving bool // DISCONNECT was sent, and the broker is to close
	subs    int  // SUBACKs that have come

	dialled   int64  // when
	lastWrite int64  // when, for the keep-alive
	left      []byte // beginning of a packet whose end has not come
	out       []byte // what the socket did not take, from off on
	off       int

	pub  *publisher
	have *checker
}

// kind tells clients apart in their identifiers.
type kind uint8

const (
	kindPublisher  kind = 'p'
	kindSubscriber kind = 's'
	kindIdle       kind = 'i'
	kindStorm      kind = 'c'
	kindSession    kind = 'o' // persistent
)

// client makes a connection that is yet to be dialled.
func (l *loop) client(k kind, number int) *conn {
	c := &conn{fd: -1, slot: int32(len(l.conns)), kind: k, number: number}
	l.conns = append(l.conns, c)
	return c
}

// dial opens the connection and sends its CONNECT. With fresh a session that exists is ended.
func (l *loop) dial(c *conn, fresh bool) error {
	l.dials++
	fd, waiting, err := l.target.open(l.dials*len(l.run.loops) + l.number)
	if err != nil {
		return err
	}
	c.gen++
	c.fd, c.opening, c.online, c.present, c.blocked, c.leaving = fd, waiting, false, false, waiting, false
	c.left, c.out, c.off = c.left[:0], c.out[:0], 0
	c.dialled = now()
	ev := l.interest(c)
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		l.drop(c)
		return fmt.Errorf("epoll: %w", err)
	}
	l.send(c, l.connectPacket(c, fresh))
	return nil
}

// connectPacket encodes the CONNECT of a client into the loop's buffer.
func (l *loop) connectPacket(c *conn, fresh bool) []byte {
	cfg := &l.run.cfg
	id := append(l.scratch[:0], "bench-"...)
	id = append(append(id, l.run.name...), '-', byte(c.kind))
	id = strconv.AppendInt(id, int64(c.number), 10)
	l.scratch = id
	p := mqtt.Connect{Version: cfg.Version, CleanStart: fresh, KeepAlive: uint16(cfg.KeepAlive), ClientID: id, Username: l.run.user, HasUsername: cfg.User != "",
		Password: cfg.Password, HasPassword: cfg.Password != nil}
	if !fresh && cfg.Version.Is5() {
		p.Props.AddUint(mqtt.PropSessionExpiry, 3600)
	}
	l.build = p.Append(l.build[:0])
	return l.build
}

func (l *loop) interest(c *conn) unix.EpollEvent {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: c.slot, Pad: int32(c.gen)}
	if c.blocked {
		ev.Events |= unix.EPOLLOUT
	}
	return ev
}

// block asks, or asks no more, to be told when the socket is writable.
func (l *loop) block(c *conn, blocked bool) {
	if c.blocked != blocked {
		c.blocked = blocked
		ev := l.interest(c)
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &ev)
	}
}

// send writes b, and keeps what the socket does not take.
func (l *loop) send(c *conn, b []byte) {
	if c.fd < 0 || len(b) == 0 {
		return
	}
	c.lastWrite = l.now
	if !c.blocked {
		n, errno := rawWrite(c.fd, b)
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			l.lose(c, errno)
			return
		}
		b = b[n:]
	}
	if len(b) == 0 {
		return
	}
	if len(c.out)-c.off > maxPending+len(b) {
		l.lose(c, errors.New("the broker does not read"))
		return
	}
	c.out = append(c.out, b...)
	l.block(c, true)
}

// writable sends what waited.
func (l *loop) writable(c *conn) {
	if c.opening {
		if code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
			l.lose(c, fmt.Errorf("connect: %w", unix.Errno(code)))
			return
		}
		c.opening = false
	}
	for c.off < len(c.out) {
		n, errno := rawWrite(c.fd, c.out[c.off:])
		if errno == unix.EAGAIN {
			return
		}
		if errno != 0 && errno != unix.EINTR {
			l.lose(c, errno)
			return
		}
		c.off += n
	}
	c.out, c.off = c.out[:0], 0
	l.block(c, false)
	l.ready(c)
}

// hangUp says goodbye and closes.
func (l *loop) hangUp(c *conn) {
	if c.fd >= 0 {
		l.build = (&mqtt.Disconnect{}).Append(l.build[:0], l.run.cfg.Version)
		l.send(c, l.build)
		l.drop(c)
	}
}

// leave says goodbye to all of a list and waits until the broker has closed: then it has taken notice.
func (l *loop) leave(list []*conn) {
	for _, c := range list {
		l.build = (&mqtt.Disconnect{}).Append(l.build[:0], l.run.cfg.Version)
		c.leaving = true
		l.send(c, l.build)
	}
	l.collect(func() bool { return !slices.ContainsFunc(list, func(c *conn) bool { return c.fd >= 0 }) })
	for _, c := range list {
		l.drop(c)
	}
}

// lose closes a connection that ended without being asked to.
func (l *loop) lose(c *conn, reason error) {
	if c.fd < 0 {
		return
	}
	if !c.leaving {
		l.tally.closed++
		l.run.complain("a connection was lost", reason)
	}
	l.drop(c)
}

func (l *loop) drop(c *conn) {
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
		c.fd, c.online = -1, false
	}
}

// rawWrite is write(2) without the scheduler's hearing of it: the socket does not block. n is 0 if errno is not.
func rawWrite(fd int, b []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// rawRead is read(2), likewise.
func rawRead(fd int, b []byte) (n int, errno unix.Errno) {
	r, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}
