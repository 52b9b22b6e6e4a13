package shard

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// What an epoll event belongs to: its Fd field holds a connection's index, or one of these.
const (
	fdWake     = -1
	fdListener = -2 // and below: listeners
)

// wait returns the number of events. After a turn that had work it looks once without waiting, by a call the scheduler need not know of;
// then it sleeps in the kernel until something happens or a timer is due.
func (s *Shard) wait() int {
	if s.hot || s.pending.Load() > 0 {
		if n := s.poll(); n > 0 {
			return n
		}
		if len(s.more) > 0 || s.mailLeft || s.pending.Load() > 0 || s.home.Working() {
			return 0
		}
	}
	s.sleeping.Store(true)
	defer s.sleeping.Store(false)
	if s.pending.Load() > 0 {
		return 0
	}
	ms := -1
	if ns := s.home.T.Wheel.Sleep(s.group.now()); ns >= 0 {
		ms = int((ns + 999_999) / 1_000_000)
	}
	n, err := unix.EpollWait(s.ep, s.events, ms)
	if err != nil {
		return 0 // EINTR
	}
	return n
}

// poll asks for events without waiting.
func (s *Shard) poll() int {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.ep), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)), 0, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// wake ends the loop's sleep, if it sleeps.
func (s *Shard) wake() {
	if s.sleeping.Load() && s.sleeping.CompareAndSwap(true, false) {
		one := [8]byte{1}
		_, _ = unix.Write(s.wakeFD, one[:])
	}
}

// event handles the readiness of one descriptor.
func (s *Shard) event(ev *unix.EpollEvent) {
	switch {
	case ev.Fd == fdWake:
	case ev.Fd <= fdListener:
		s.accept(s.listeners[fdListener-ev.Fd])
	default:
		c := s.conn(uint32(ev.Fd))
		if c.fd < 0 || c.gen != uint32(ev.Pad) {
			return // closed earlier in this turn
		}
		if ev.Events&unix.EPOLLOUT != 0 && c.out.Blocked {
			c.out.Blocked = false
			s.flush(&c.out)
			s.drained(c)
		}
		if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				c.hup = true
			}
			c.readable = true
			if c.pausedFor == 0 {
				s.read(c)
			}
		}
	}
}
