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

// brief is how long, in milliseconds, a loop that just had work waits by a call the scheduler does not know of.
const brief = 10

// wait returns the number of events. It goes to sleep in three steps, each only if the one before found nothing:
//
//  1. look, without waiting (after a turn that had work)
//  2. wait up to brief in a raw system call: the thread keeps its processor, and waking costs the kernel's switch and nothing else. A
//     collection that has to stop the world interrupts the call by its signal, and waits for brief at worst.
//  3. wait in a system call the scheduler knows of, for as long as it takes: an idle broker costs nothing.
//
// Measured on 2 cores beside a load generator, one loop, medians of 5 interleaved runs, broker CPU seconds per million messages:
//
//	                                 20,000 msg/s one by one     5,000 msg/s QoS 1     50 pairs QoS 1, saturated
//	thread locked, steps 1 and 3      9.9   p99 348 us           24.0   p99 170 us     0.60
//	not locked, steps 1 and 3         9.4   p99 324 us           28.3   p99 381 us     0.66
//	parked in Go's poller             9.2   p99 2081 us          17.6   p99 118 us     0.64, 20 % less throughput
//	steps 1 and 2, brief 1 ms, 3      8.8   p99 324 us           24.1   p99 141 us     0.56
//	steps 1, 2 and 3, locked          6.6   p99 260 us           18.4   p99 186 us     0.57
//	steps 1, 2 and 3, not locked     11.2   p99 532 us           27.5   p99 274 us     0.63
//	bare relay (no sessions)          8.3   p99 315 us           28.1   p99 174 us     0.33
//
// Locking matters because a loop that moves between threads leaves its caches behind, and step 2 because each sleep that the scheduler
// hears of costs it a hand-over of the processor, a futex call and a look around for other work.
func (s *Shard) wait() int {
	if s.hot || s.pending.Load() > 0 {
		if n := s.poll(0); n > 0 {
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
	if s.hot {
		short := brief
		if ms >= 0 {
			short = min(ms, brief)
		}
		if n := s.poll(short); n != 0 || short == ms {
			return max(n, 0)
		}
		if ms >= 0 {
			ms -= short
		}
		if s.pending.Load() > 0 {
			return 0
		}
	}
	n, err := unix.EpollWait(s.ep, s.events, ms)
	if err != nil {
		return 0 // EINTR
	}
	return n
}

// poll asks for events by a raw call and waits at most ms milliseconds; -1 if it was interrupted.
func (s *Shard) poll(ms int) int {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(s.ep), uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events)), uintptr(ms), 0, 0)
	if e != 0 {
		return -1
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
