package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"vernemq/broker/msg"
	"vernemq/broker/store/wallog"
)

// Durability is when a write counts as durable.
type Durability string

// The degrees of durability.
const (
	// DurableAck: a ticket is complete once its records are synced to the disk. Nothing that was acknowledged is lost, by a crash or a power cut.
	DurableAck Durability = "ack"
	// DurableInterval: a ticket is complete once the system has the records; they are synced every SyncInterval. A crash of the broker loses nothing, a
	// power cut what was acknowledged in the last SyncInterval. So does a disk that fails and does not come back before Close, which says so.
	DurableInterval Durability = "interval"
	// DurableNone: writes are complete at once and the system syncs them when it likes. A crash loses what was acknowledged in the last moment, a power
	// cut what was in the last half minute or so; what remains is in order and without gaps all the same.
	DurableNone Durability = "none"
)

// Config says where a Durable lies and how it behaves. The zero value of everything but Dir is a sensible default.
type Config struct {
	Dir          string        // belongs to the store alone; made if it is not there
	Existing     bool          // nothing is made: ErrNone if there is no store in Dir
	Durability   Durability    // DurableAck
	SyncInterval time.Duration // 1 s; for DurableInterval
	SegmentBytes int           // 4 MiB; the log is a sequence of files of this size
	MaxBytes     int64         // size of the files; nothing that makes them larger is taken a little below it; 0: no limit
	MaxPending   int64         // bytes that may wait for the disk in memory; 64 MiB
	BallastBytes int64         // kept free for acknowledgements when the disk is full; 8 MiB, negative: none
	CompactRate  int64         // bytes a second that compaction may read while there is no hurry; 8 MiB; negative: none is done but by Compact
	GatherFor    time.Duration // how long acknowledgements by subscribers may wait for others before they are written; 100 ms
	RetryEvery   time.Duration // how often a failed disk is tried again, at first 1/8 of it; 5 s
	Log          *slog.Logger
	FS           wallog.FS // nil: the real one

	// Now is the clock of msg.Message.Deadline, in monotonic nanoseconds. Without one messages with a deadline get back what was left when they were
	// written.
	Now func() int64
	// Wall is Unix time in milliseconds; time.Now without one.
	Wall func() int64
	// ClockSet reports whether Wall can be trusted: until then nothing expires by it. Without one it is trusted.
	ClockSet func() bool
	// Node is stamped on the records.
	Node uint32
	// Progress is told while the store is opened how many bytes of how many have been read.
	Progress func(done, total int64)
}

func (c *Config) defaults() error {
	set := func(x *int64, d int64) {
		if *x == 0 {
			*x = d
		}
	}
	if c.Durability == "" {
		c.Durability = DurableAck
	}
	if c.SyncInterval <= 0 {
		c.SyncInterval = time.Second
	}
	if c.GatherFor <= 0 {
		c.GatherFor = 100 * time.Millisecond
	}
	if c.RetryEvery <= 0 {
		c.RetryEvery = 5 * time.Second
	}
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = 4 << 20
	}
	set(&c.MaxPending, 64<<20)
	set(&c.BallastBytes, 8<<20)
	set(&c.CompactRate, 8<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.FS == nil {
		c.FS = wallog.OS{}
	}
	if c.Now == nil {
		base := time.Now()
		c.Now = func() int64 { return int64(time.Since(base)) }
	}
	if c.Wall == nil {
		c.Wall = func() int64 { return time.Now().UnixMilli() }
	}
	if c.ClockSet == nil {
		c.ClockSet = func() bool { return true }
	}
	switch {
	case c.Dir == "":
		return errors.New("the store needs a directory")
	case c.Durability != DurableAck && c.Durability != DurableInterval && c.Durability != DurableNone:
		return fmt.Errorf("durability %q is none of ack, interval, none", c.Durability)
	case c.SegmentBytes > 1<<30:
		return fmt.Errorf("segments of %d bytes are too large: at most 1 GiB", c.SegmentBytes)
	}
	return nil
}

// Durable is the Store on disk: a log of checked records, an index of what they say in memory, payloads only in the log. Records are gathered
// in a batch while the batch before is written and synced: one goroutine writes, and everybody who waited is answered by one sync.
type Durable struct {
	cfg    Config
	log    *wallog.Log
	lock   *os.File
	run    uint64
	raised atomic.Int32 // version of the files

	mu          sync.Mutex // guards what follows; held for moments only, never during a write
	changed     *sync.Cond // done, synced, failing, closed or the segments changed
	x           *index
	clock       hybrid
	pending     *batch // being filled; its ticket is next
	writing     *batch // with the writer, nil if none
	spare       *batch
	seq         uint64 // of the last record that was given one
	next        Ticket
	done        Ticket
	told        Ticket // of done, what completers know
	awaited     Ticket // the last one that somebody waits for although DurableNone lets nobody wait
	compacting  bool
	tellWanted  bool   // a round of compaction is over, on which others may have waited
	synced      uint64 // sequence number
	runAt       uint64 // sequence number of the living run record
	syncWanted  bool
	dropWanted  bool
	dropErr     error
	completers  []Completer
	failing     error // the disk; nothing is durable meanwhile
	full        bool  // the ballast was given away
	dead        error // writes are refused for good
	closed      bool
	usage       int64
	segments    int
	stats       Stats
	reading     sync.WaitGroup
	damage      error  // of a segment that was to be compacted
	compactTo   uint32 // segment up to which Compact wants everything compacted
	compactErr  error  // what came of that
	compactedAt int64  // foreign when compaction last went on
	holds       int    // backups that need the segments as they are

	wake, tidy chan struct{}
	unhurried  *time.Timer // makes a batch urgent that holds nothing but what can wait
	quit       chan struct{}
	stopped    sync.WaitGroup
	readers    chan struct{} // limits concurrent reads
}

var _ Store = (*Durable)(nil)

// batch is the records that wait for the next write.
type batch struct {
	wallog.Batch
	ticket  Ticket
	first   uint64 // sequence number of its first record
	version int    // of the store, at least, for its records; 0: any
	urgent  bool   // somebody may wait for it, or it has waited long enough itself
	placed  []placing
}

// placing says what to do with the place of a record: it is that of a message or of a retained one.
type placing struct {
	record  int
	message uint32
	gen     uint32
	name    name
}

// ErrNone is returned where a store should be and is none.
var ErrNone = errors.New("there is no store")

// ErrLocked is returned by Open when another process has the store.
var ErrLocked = errors.New("another broker uses the store")

// Open opens the store in a directory, or makes one. A damaged store is opened read-only: see Degraded.
func Open(cfg Config) (*Durable, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	if cfg.Existing {
		if _, err := checkVersion(cfg.FS, cfg.Dir, false); err != nil {
			return nil, err
		}
	}
	if err := cfg.FS.Mkdir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("making the store's directory: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s, err := open(cfg, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func open(cfg Config, lock *os.File) (*Durable, error) {
	v, err := checkVersion(cfg.FS, cfg.Dir, true)
	if err != nil {
		return nil, err
	}
	s := &Durable{cfg: cfg, lock: lock, x: newIndex(), wake: make(chan struct{}, 1), tidy: make(chan struct{}, 1), quit: make(chan struct{}),
		readers: make(chan struct{}, 4), next: 1}
	s.changed = sync.NewCond(&s.mu)
	s.clock.node = cfg.Node
	s.raised.Store(int32(v))
	r := replay{x: s.x}
	s.x.byOrigin = &origins{}
	l, err := wallog.Open(logConfig(cfg), r.record)
	if err != nil {
		return nil, err
	}
	s.x.settle()
	s.log, s.seq, s.run = l, l.Last(), r.run+1
	s.x.lastKey = max(s.x.lastKey, r.lastKey)
	s.synced, s.clock.last = s.seq, r.max
	s.pending, s.spare = &batch{ticket: 1, first: s.seq + 1}, &batch{}
	s.segments, s.usage = l.Usage()
	s.stats.CutBytes = l.CutBytes()
	if d := l.Damage(); len(d) > 0 {
		s.dead = fmt.Errorf("the store in %s is damaged and read-only; nothing is acknowledged until it is mended: \"vernemq store verify\" tells more, "+
			"\"vernemq store repair\" mends what can be mended: %w", cfg.Dir, d[0])
		cfg.Log.Error("store: damaged", "error", s.dead, "places", len(d))
		return s, nil
	}
	s.cfg.Log.Info("store: open", "sessions", len(s.x.sessions), "messages", s.x.messages.used(), "retained", len(s.x.retained),
		"segments", s.segments, "bytes", s.usage)
	s.ballast(true)
	s.mu.Lock()
	s.runAt = s.carried(0, s.put(typeRun, func(b []byte) []byte { return appendRun(b, s.run, s.x.lastKey) }))
	s.mu.Unlock()
	s.stopped.Add(2)
	s.unhurried = time.AfterFunc(cfg.GatherFor, s.urgeNow)
	go s.write()
	go s.maintain()
	return s, nil
}

func logConfig(c Config) wallog.Config {
	return wallog.Config{FS: c.FS, Dir: c.Dir, SegmentBytes: c.SegmentBytes, Log: c.Log, Digest: keep, Progress: c.Progress}
}

// hurried reports whether those who wait for the disk have to wait for compaction too, because old segments are not cleared away as fast as new
// ones are filled. The lock is held.
func (s *Durable) hurried() bool {
	return s.compacting && s.holds == 0 && s.failing == nil && s.dead == nil && !s.closed && s.usage > 2*s.x.live+int64(s.cfg.SegmentBytes)*7/4
}

// tell returns whom to tell of what is done, nobody if they have to wait or know. The lock is held.
func (s *Durable) tell() (upTo Ticket, cs []Completer) {
	if s.done == s.told || s.hurried() || s.cfg.Durability == DurableNone && s.awaited <= s.told {
		return 0, nil
	}
	s.told = s.done
	return s.done, s.completers
}

// Notify implements Store. c is told at once what is durable already: a call that writes nothing may return a ticket of before.
func (s *Durable) Notify(c Completer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.completers = append(s.completers[:len(s.completers):len(s.completers)], c)
	c.Durable(s.done, s.unusable()) // with the lock held: else a batch committed meanwhile could be told first
}

// Degraded returns why the store is read-only: it is damaged, or was lost beyond what can be made good while it runs. Nil if it is not.
func (s *Durable) Degraded() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// Health returns why messages are refused at the moment, nil if they are not.
func (s *Durable) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuses()
}

// The reasons for refusing messages.
var (
	errFull  = errors.New("the disk is full: no more messages are stored until space returns")
	errLimit = errors.New("the store has reached its largest size (store.max_size)")
	errBusy  = errors.New("too much waits for the disk")
	errEnd   = errors.New("the store is closed")
)

// unusable returns why nothing can be done with the store, nil if it can. The lock is held.
func (s *Durable) unusable() error {
	switch {
	case s.dead != nil:
		return s.dead
	case s.closed:
		return errEnd
	}
	return s.failing
}

// refuses is Health with the lock held.
func (s *Durable) refuses() error {
	err := s.unusable()
	switch {
	case err != nil:
		return err
	case s.full:
		return errFull
	case int64(s.pending.Bytes()) > s.cfg.MaxPending:
		return errBusy
	case s.cfg.MaxBytes > 0 && s.usage+s.underway() >= s.limit():
		return errLimit
	}
	return nil
}

// Full implements Store.
func (s *Durable) Full() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(); !errors.Is(err, errBusy) {
		return err
	}
	return nil
}

// limit is from which size on nothing is taken that makes the store larger. What is left to MaxBytes is for acknowledgements, deletions and
// compaction.
func (s *Durable) limit() int64 {
	return s.cfg.MaxBytes - min(s.cfg.MaxBytes/8, 2*int64(s.cfg.SegmentBytes))
}

// underway is how many bytes are not in the files yet, or not counted there. The lock is held.
func (s *Durable) underway() int64 {
	n := int64(s.pending.Bytes())
	if s.writing != nil {
		n += int64(s.writing.Bytes())
	}
	return n
}

// Close implements Store.
func (s *Durable) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	close(s.quit)
	if s.unhurried != nil { // else the store was read-only
		s.unhurried.Stop()
	}
	s.stopped.Wait()
	s.reading.Wait()
	s.mu.Lock()
	failing := s.failing
	if s.dead == nil {
		s.dead = errEnd
	}
	s.mu.Unlock()
	return errors.Join(failing, s.log.Close(), s.lock.Close())
}

// hybrid is a hybrid logical clock: wall milliseconds in the upper 48 bits, a counter below.
type hybrid struct {
	last uint64
	node uint32
}

func (h *hybrid) stamp(wall int64) msg.Stamp {
	h.last = max(h.last+1, uint64(max(wall, 0))<<16)
	return msg.Stamp{Time: h.last, Node: h.node}
}
