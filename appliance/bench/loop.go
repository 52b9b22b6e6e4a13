package bench

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// wakeSlot stands for the loop's own eventfd in an event.
const wakeSlot = -1

// briefly is how long a wait may be that the scheduler does not hear of. Such a wait keeps the thread's processor, so waking up is cheap.
const briefly = 10 * time.Millisecond

// loop is one event loop. During a phase of a run one goroutine, locked to its thread, calls its methods; between phases nobody does.
type loop struct {
	run    *run
	number int
	target *target

	epoll, wakeFD int
	events        []unix.EpollEvent
	conns         []*conn

	in        []byte // what is read
	build     []byte // what is about to be written
	acks      []byte // acknowledgements for the connection that is being read
	scratch   []byte
	publish   mqtt.Publish
	ack       mqtt.Ack
	now       int64
	moved     int64 // when something last went out or came in
	dials     int
	nextPing  int64
	pingAfter int64
	pingFrom  int

	publishers, subscribers []*conn
	list, spare             []*conn // ready: connections that may have something to do
	onReady                 func(*conn)

	tally   tally
	shown   shownTally
	latency histogram
	lag     histogram // how late messages with a due time were sent
	answers histogram // from when a message was due to its PUBACK or PUBREC

	owes     []bool // by loop: something for its publishers arrived in this turn
	nudged   atomic.Bool
	sleeping atomic.Bool
}

// tally counts what happened on a loop.
type tally struct {
	published, acked, refused                               int64
	delivered, duplicated, reordered, corrupted, unexpected int64
	connected, subscribed, closed                           int64
}

func (t *tally) add(o *tally) {
	t.published += o.published
	t.acked += o.acked
	t.refused += o.refused
	t.delivered += o.delivered
	t.duplicated += o.duplicated
	t.reordered += o.reordered
	t.corrupted += o.corrupted
	t.unexpected += o.unexpected
	t.connected += o.connected
	t.subscribed += o.subscribed
	t.closed += o.closed
}

// shownTally is what others may see of a tally while the loop runs; written once a turn.
type shownTally struct{ connected, published, unique, acked, arrival, moved atomic.Int64 }

var epoch = time.Now()

// now is the generator's clock, in nanoseconds. All loops share it.
func now() int64 { return int64(time.Since(epoch)) }

func newLoop(r *run, number int) (*loop, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	l := &loop{run: r, number: number, target: r.address.target(), epoll: ep, wakeFD: wake, events: make([]unix.EpollEvent, 512), owes: make([]bool, r.cfg.Threads)}
	l.in = make([]byte, max(256<<10, 2*(r.cfg.Size+1024)))
	l.pingAfter = int64(r.cfg.KeepAlive) * int64(time.Second) / 2
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &ev); err != nil {
		l.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return l, nil
}

// close takes leave of the broker and closes all connections and the loop.
func (l *loop) close() {
	for _, c := range l.conns {
		l.hangUp(c)
	}
	_ = unix.Close(l.wakeFD)
	_ = unix.Close(l.epoll)
}

// poll waits at most d for events, handles them, and returns how many there were. With d of 0 it does not wait.
func (l *loop) poll(d time.Duration) int {
	if d > 0 {
		l.sleeping.Store(true)
		if l.nudged.Load() {
			d = 0
		}
	}
	n := l.wait(d)
	l.sleeping.Store(false)
	l.now = now()
	for i := range n {
		l.event(&l.events[i])
	}
	if l.nudged.Load() && l.nudged.Swap(false) {
		for _, c := range l.publishers {
			l.ready(c)
		}
	}
	l.pings()
	l.show()
	return n
}

// wait is epoll_pwait2(2): nanoseconds matter when messages have a due time.
func (l *loop) wait(d time.Duration) int {
	ns := int64(max(d, 0))
	ts := [2]int64{ns / 1e9, ns % 1e9} // 64 bits each on all machines
	var n uintptr
	var errno unix.Errno
	if d <= briefly {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)),
			uintptr(unsafe.Pointer(&ts)), 0, 0)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)),
			uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
	switch errno {
	case 0:
		return int(n)
	case unix.ENOSYS: // before Linux 5.11; rounded down, so that what is due is not late
		n, err := unix.EpollWait(l.epoll, l.events, int(d/time.Millisecond))
		if err == nil {
			return n
		}
	}
	return 0
}

func (l *loop) event(ev *unix.EpollEvent) {
	if ev.Fd == wakeSlot {
		var b [8]byte
		_, _ = rawRead(l.wakeFD, b[:])
		return
	}
	c := l.conns[ev.Fd]
	if c.fd < 0 || int32(c.gen) != ev.Pad {
		return // closed earlier in this turn
	}
	if ev.Events&unix.EPOLLOUT != 0 || c.opening {
		l.writable(c)
	}
	if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 && c.fd >= 0 {
		l.readable(c)
	}
}

// ready puts a connection on the list of those that may have something to do.
func (l *loop) ready(c *conn) {
	if !c.queued && c.fd >= 0 && (c.pub != nil || l.onReady != nil) {
		c.queued = true
		l.list = append(l.list, c)
	}
}

// show publishes the counters, and wakes loops whose publishers wait for what arrived here.
func (l *loop) show() {
	l.shown.connected.Store(l.tally.connected)
	l.shown.published.Store(l.tally.published)
	l.shown.acked.Store(l.tally.acked)
	l.shown.moved.Store(l.moved)
	if unique := l.tally.delivered - l.tally.duplicated; unique != l.shown.unique.Load() {
		l.shown.unique.Store(unique)
		l.shown.arrival.Store(l.now)
	}
	for i, owed := range l.owes {
		if owed {
			l.owes[i] = false
			l.run.loops[i].nudge()
		}
	}
}

// nudge lets the loop look at its publishers again; any goroutine may call it.
func (l *loop) nudge() {
	l.nudged.Store(true)
	if l.sleeping.Load() && l.sleeping.CompareAndSwap(true, false) {
		one := [8]byte{1}
		_, _ = rawWrite(l.wakeFD, one[:])
	}
}

// pings keeps silent connections alive, a part of them at a time.
func (l *loop) pings() {
	if l.pingAfter == 0 || l.now < l.nextPing {
		return
	}
	const step = int64(100 * time.Millisecond)
	l.nextPing = l.now + step
	// All are visited within half of what is left after pingAfter.
	n := min(len(l.conns), int(int64(len(l.conns))*step*2/l.pingAfter)+1)
	for range n {
		l.pingFrom = (l.pingFrom + 1) % len(l.conns)
		if c := l.conns[l.pingFrom]; c.online && l.now-c.lastWrite >= l.pingAfter {
			l.build = mqtt.AppendPingreq(l.build[:0])
			l.send(c, l.build)
		}
	}
}
