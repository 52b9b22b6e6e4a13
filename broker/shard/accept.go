package shard

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"vernemq/broker/metric"
)

// accepting is a listening socket on one shard.
type accepting struct {
	fd   int
	l    *Listener
	gone bool
}

const acceptsATurn = 64

// Listen makes shard i of the group accept on fd, a non-blocking listening socket that the group owns from now on, unless there is an error.
func (g *Group) Listen(i, fd int, l *Listener) error {
	s := g.shards[i]
	var err error
	s.Do(func() {
		k := len(s.listeners)
		for j, a := range s.listeners {
			if a.gone {
				k = j
			}
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: int32(fdListener - k)} // loops may share one: one is enough to wake
		if err = unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return
		}
		if k == len(s.listeners) {
			s.listeners = append(s.listeners, nil)
		}
		s.listeners[k] = &accepting{fd: fd, l: l}
	})
	return err
}

// Unlisten makes all shards stop accepting for l. What waits in the accept queues is accepted first if drain is set: closing the last descriptor of
// a socket resets it.
func (g *Group) Unlisten(l *Listener, drain bool) {
	g.Each(func(s *Shard) {
		for _, a := range s.listeners {
			if a.l == l && !a.gone {
				for drain && s.accept(a) == acceptsATurn {
				}
				a.gone = true
				_ = unix.EpollCtl(s.ep, unix.EPOLL_CTL_DEL, a.fd, nil) // closing does not while others have the socket open
				_ = unix.Close(a.fd)
			}
		}
	})
}

// accept takes connections from a listening socket and returns how many it tried.
func (s *Shard) accept(a *accepting) (n int) {
	if a.gone {
		return 0
	}
	for ; n < acceptsATurn; n++ {
		fd, peer, err := s.accept4(a.fd)
		switch err {
		case 0:
			s.accepted(fd, peer, a.l)
		case unix.EMFILE, unix.ENFILE:
			s.shed(a)
			return n
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return n
		}
	}
	return n
}

// accepted begins a connection.
func (s *Shard) accepted(fd int, peer netip.AddrPort, l *Listener) {
	set := l.Settings()
	over, ok := l.admit()
	if over {
		s.count.Inc(metric.SocketRefused)
	}
	if !ok {
		_ = unix.Close(fd)
		return
	}
	l.Total.Add(1)
	s.count.Inc(metric.SocketOpen)
	c, err := s.newConn(fd, l, peer)
	if err != nil {
		s.group.log.Error("cannot watch a connection", "listener", set.Rules.Listener, "error", err)
		_ = unix.Close(fd)
		s.count.Inc(metric.SocketClose)
		l.release(over)
		return
	}
	c.over = over
	s.home.T.Wheel.Arm(&c.timer, s.home.T.Now+int64(set.ConnectTimeout))
}

// shed refuses one connection when the process has no descriptor left: else the queue would stay full and the loop spin.
func (s *Shard) shed(a *accepting) {
	s.count.Inc(metric.SocketError)
	if s.spareFD >= 0 {
		_ = unix.Close(s.spareFD)
	}
	if fd, _, err := unix.Accept4(a.fd, unix.SOCK_CLOEXEC); err == nil {
		_ = unix.Close(fd)
		s.count.Inc(metric.SocketRefused)
	}
	s.spareFD, _ = unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// accept4 takes one connection without allocating: a storm of connections makes no garbage here.
func (s *Shard) accept4(fd int) (int, netip.AddrPort, unix.Errno) {
	size := uint32(unsafe.Sizeof(s.sockaddr))
	n, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&s.sockaddr)), uintptr(unsafe.Pointer(&size)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if e != 0 {
		return -1, netip.AddrPort{}, e
	}
	port := func(p uint16) uint16 { b := (*[2]byte)(unsafe.Pointer(&p)); return uint16(b[0])<<8 | uint16(b[1]) }
	switch s.sockaddr.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.sockaddr))
		return int(n), netip.AddrPortFrom(netip.AddrFrom4(a.Addr), port(a.Port)), 0
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.sockaddr))
		return int(n), netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), port(a.Port)), 0
	}
	return int(n), netip.AddrPort{}, 0
}
