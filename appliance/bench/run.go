package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInterrupted is returned by Run when the context ended before there was anything to report.
var ErrInterrupted = errors.New("interrupted before the measurement began")

// maxProblems is how many different problems a result tells.
const maxProblems = 8

// run is one run of a mode.
type run struct {
	cfg      Config
	id       uint32
	name     string // id in hexadecimal: part of all topics and client identifiers, so that runs do not meet
	user     []byte
	address  address
	loops    []*loop
	stop     atomic.Bool
	windowed bool  // publishers wait for their messages to arrive
	fan      int64 // deliveries of each message

	publishers []*publisher // by number
	writtenOff int64        // messages that are not waited for any more

	phase      atomic.Pointer[phase]
	mu         sync.Mutex
	problems   []string
	setUpError error
}

// phase is what a run is doing.
type phase struct {
	name  string
	began int64
}

// Run makes the load that cfg asks for and reports what came of it. An error means that there is nothing to report: the configuration is wrong,
// or the broker could not be reached or did not let the clients in. What went wrong later is in the result. When ctx ends, the result tells of
// what was done until then. One process may do several runs at a time.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	m := findMode(cfg.Mode)
	if m == nil {
		return nil, fmt.Errorf("there is no mode %q", cfg.Mode)
	}
	cfg = cfg.fill(m)
	if err := cfg.check(m); err != nil {
		return nil, err
	}
	if err := checkFiles(m.sockets(&cfg)); err != nil {
		return nil, err
	}
	if _, err := sample(cfg.PIDs, false); err != nil {
		return nil, err
	}
	r, err := newRun(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer r.close()
	defer context.AfterFunc(ctx, func() { r.stop.Store(true) })()
	if cfg.Progress != nil {
		defer r.report(cfg.Progress)()
	}
	result := newResult(&r.cfg)
	own := ownCPU()
	if err := m.run(ctx, r, result); err != nil {
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		return nil, err
	}
	result.Interrupted = ctx.Err() != nil
	result.set("generator_cpu_seconds", ownCPU()-own)
	r.judge(result)
	return result, nil
}

func newRun(ctx context.Context, cfg Config) (*run, error) {
	addr, err := resolve(ctx, cfg.Addr)
	if err != nil {
		return nil, err
	}
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, id: binary.BigEndian.Uint32(seed[:]), user: []byte(cfg.User), address: addr, fan: 1}
	r.name = fmt.Sprintf("%08x", r.id)
	r.enter("connecting")
	for i := range cfg.Threads {
		l, err := newLoop(r, i)
		if err != nil {
			r.close()
			return nil, err
		}
		r.loops = append(r.loops, l)
	}
	return r, nil
}

func (r *run) close() {
	for _, l := range r.loops {
		l.close()
	}
}

// enter names what is done from now on.
func (r *run) enter(name string) { r.phase.Store(&phase{name, now()}) }

// stopped says whether the run is to end with what it has.
func (r *run) stopped() bool { return r.stop.Load() }

// complain notes a problem for the result. The first few different ones are kept.
func (r *run) complain(what string, reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := what + ": " + reason.Error(); len(r.problems) < maxProblems && !slices.Contains(r.problems, text) {
		r.problems = append(r.problems, text)
	}
	if r.setUpError == nil {
		r.setUpError = fmt.Errorf("%s: %w", what, reason)
	}
}

// stall notes that the run does not come on, and ends it.
func (r *run) stall(format string, args ...any) {
	r.complain("stalled", fmt.Errorf(format, args...))
	r.stop.Store(true)
}

// each runs f for all loops, each on a thread of its own, and waits for them.
func (r *run) each(f func(*loop) error) error {
	errs := make([]error, len(r.loops))
	var all sync.WaitGroup
	for i, l := range r.loops {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			// Without it the kernel may let timers be 50 us late.
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
			defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()
			l.now = now()
			errs[i] = f(l)
			l.show()
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// total adds the loops' tallies up. No loop may run.
func (r *run) total() (t tally) {
	for _, l := range r.loops {
		t.add(&l.tally)
	}
	return t
}

// report calls f each second until the function it returns is called.
func (r *run) report(f func(*Progress)) (end func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			ph := r.phase.Load()
			p := Progress{Phase: ph.name, Elapsed: time.Duration(now() - ph.began)}
			for _, l := range r.loops {
				p.Connected += l.shown.connected.Load()
				p.Published += l.shown.published.Load()
				p.Delivered += l.shown.unique.Load()
			}
			f(&p)
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}
