package wallog

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tidwall/wal"
)

// Config says where a log lies and how it is kept.
type Config struct {
	FS           FS     // nil: the real one
	Dir          string // holds the directories log-SALT, digest and aside
	SegmentBytes int    // a segment is closed once it has this many bytes
	Log          *slog.Logger
	// Digest returns how many bytes at the begin of a payload the index needs; the rest is left out of digests.
	Digest func(typ byte, payload []byte) int
	// Progress is told while the log is opened how many bytes of how many have been read; nil if nobody asks.
	Progress func(done, total int64)
	// NoDigests reads every segment itself.
	NoDigests bool
	// ReadOnly looks at the log as it is: a torn tail stays, nothing can be written.
	ReadOnly bool
}

// Segment describes a segment file.
type Segment struct {
	ID    uint32 // as in Place
	First uint64 // sequence number of its first record
	Bytes int64
}

// Name is the name of the segment's file.
func (s Segment) Name() string { return segmentName(s.First) }

// Log is an open log. Write, Sync, Recover, Drop and Close belong to one goroutine; everything else may be called from any.
type Log struct {
	cfg  Config
	dir  string // of the segments
	salt uint32
	w    Writer

	written, synced mark
	batch           wal.Batch
	redo            *Batch // written and acknowledged, but not synced when the log broke
	broken          error
	dropped         int  // since w was opened
	dirty           bool // the directory has removals that are not synced: the next must wait, or a crash could leave a gap
	bytesWritten    int64
	nextID          uint32

	mu       sync.Mutex // guards what follows
	segments []Segment  // by age; the last one is written to
	readers  map[uint32]*reader
	buffers  sync.Pool // of Read, as *[]byte
	clock    uint64

	damage []Damage
	cut    int64
}

// mark is an end of the log: behind which record, and where.
type mark struct {
	seq     uint64
	segment uint32
	off     int64
}

// maxDropped is how many segments may be dropped before tidwall/wal is opened again to forget them: it keeps about 100 bytes for each.
const maxDropped = 4096

// ErrReadOnly is returned by writes to a log that is damaged or was opened to look at.
var ErrReadOnly = errors.New("the log is read-only")

// Last returns the sequence number of the last record that was written.
func (l *Log) Last() uint64 { return l.written.seq }

// Damage returns the damaged places found when the log was opened. A damaged log is read-only until Repair has mended it.
func (l *Log) Damage() []Damage { return l.damage }

// CutBytes returns how many bytes of a torn tail were cut off when the log was opened.
func (l *Log) CutBytes() int64 { return l.cut }

// BytesWritten returns how many bytes went to segments since the log was opened. It belongs to the writing goroutine.
func (l *Log) BytesWritten() int64 { return l.bytesWritten }

// Segments returns the segments, eldest first. The last one is being written to.
func (l *Log) Segments() []Segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Segment(nil), l.segments...)
}

// Usage returns how many segments there are and how many bytes they have.
func (l *Log) Usage() (n int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		bytes += s.Bytes
	}
	return len(l.segments), bytes
}

// Eldest returns the eldest segment and the sequence number of the first record behind it, unless it is the one being written to.
func (l *Log) Eldest() (s Segment, next uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segments) < 2 {
		return Segment{}, 0, false
	}
	return l.segments[0], l.segments[1].First, true
}

// Write writes the batch, syncs it if that is asked for, and fills in its Places. After an error nothing of the batch counts as written, and
// the log is broken: only Recover helps, and the same batch may be written then.
func (l *Log) Write(b *Batch, sync bool) error {
	if err := l.usable(); err != nil {
		return err
	}
	before := l.written
	l.batch.Clear()
	for i := range b.Len() {
		seq := before.seq + uint64(i) + 1
		f := b.frame(i)
		seal(f, l.salt, seq, l.synced.seq, b.types[i])
		l.batch.Write(seq, f)
	}
	if err := l.w.WriteBatch(&l.batch); err != nil {
		l.broken = fmt.Errorf("writing to the log: %w", err)
		return l.broken
	}
	if err := l.place(b); err != nil {
		l.broken, l.written = err, before
		return err
	}
	if !sync {
		return nil
	}
	if err := l.Sync(); err != nil {
		l.written = before
		return err
	}
	return nil
}

// place finds out where the records of a batch were written, by the rule of tidwall/wal: a segment ends with the record that fills it.
func (l *Log) place(b *Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.Places = b.Places[:0]
	tail := &l.segments[len(l.segments)-1]
	cycled := false
	next := func(first uint64) {
		l.nextID++
		l.segments = append(l.segments, Segment{ID: l.nextID, First: first})
		tail, cycled = &l.segments[len(l.segments)-1], true
	}
	limit := int64(l.cfg.SegmentBytes)
	if tail.Bytes > limit {
		next(l.written.seq + 1)
	}
	for i := range b.Len() {
		n := len(b.frame(i))
		n += uvarintLen(uint64(n))
		b.Places = append(b.Places, Place{tail.ID, uint32(tail.Bytes), uint32(n)})
		tail.Bytes += int64(n)
		l.bytesWritten += int64(n)
		l.written.seq++
		if tail.Bytes >= limit {
			next(l.written.seq + 1)
		}
	}
	l.written.segment, l.written.off = tail.ID, tail.Bytes
	if !cycled {
		return nil
	}
	if err := l.w.ClearCache(); err != nil {
		return fmt.Errorf("after a new segment: %w", err)
	}
	if err := l.cfg.FS.SyncDir(l.dir); err != nil {
		return fmt.Errorf("making a new segment durable: %w", err)
	}
	return nil
}

// Sync makes everything durable that was written.
func (l *Log) Sync() error {
	if err := l.usable(); err != nil {
		return err
	}
	if l.synced == l.written {
		return nil
	}
	if err := l.w.Sync(); err != nil {
		l.broken = fmt.Errorf("syncing the log: %w", err)
		return l.broken
	}
	l.synced = l.written
	return nil
}

func (l *Log) usable() error {
	switch {
	case len(l.damage) > 0:
		return fmt.Errorf("%w: %w", ErrReadOnly, l.damage[0])
	case l.cfg.ReadOnly:
		return ErrReadOnly
	}
	return l.broken
}

// Recover makes a broken log usable again: closes it, cuts it back to what is surely on disk, opens it, and writes again what had been written
// without an error but was not synced. It may be called until it succeeds.
func (l *Log) Recover() error {
	if l.cfg.ReadOnly || len(l.damage) > 0 {
		return l.usable()
	}
	if l.broken == nil {
		return nil
	}
	if l.redo == nil {
		b, err := l.unsynced()
		if err != nil {
			return err
		}
		l.redo = b
	}
	if l.w != nil {
		_ = l.w.Close() // it is in error: what it has to say is known
		l.w = nil
	}
	if err := l.cutBack(); err != nil {
		return err
	}
	w, err := l.cfg.FS.OpenWriter(l.dir, l.cfg.SegmentBytes)
	if err != nil {
		return fmt.Errorf("opening the log again: %w", err)
	}
	l.w, l.broken, l.dropped = w, nil, 0
	if l.redo.Len() > 0 {
		if err := l.Write(l.redo, true); err != nil {
			return err
		}
	}
	l.redo = nil
	return nil
}

// unsynced reads what was written but not synced back from the file, as long as the system's memory has it.
func (l *Log) unsynced() (*Batch, error) {
	b := &Batch{}
	if l.synced.seq == l.written.seq {
		return b, nil
	}
	for _, s := range l.Segments() {
		if s.ID < l.synced.segment || s.ID > l.written.segment {
			continue
		}
		from := int64(0)
		if s.ID == l.synced.segment {
			from = l.synced.off
		}
		_, err := l.Scan(s.ID, from, 0, func(r *Record) error {
			if r.Seq > l.synced.seq && r.Seq <= l.written.seq {
				b.End(append(b.Add(r.Type), r.Payload...))
			}
			return nil
		})
		if err != nil && uint64(b.Len()) < l.written.seq-l.synced.seq {
			return nil, fmt.Errorf("reading back what was not synced: %w", err)
		}
	}
	return b, nil
}

// cutBack makes the files end where the synced records end.
func (l *Log) cutBack() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	names, err := l.cfg.FS.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("cutting the tail back: %w", err)
	}
	tail := 0
	for l.segments[tail].ID != l.synced.segment {
		tail++
	}
	keep := l.segments[tail].Name()
	for _, name := range slices.Backward(names) { // newest first, one after the other: a crash in between must not leave a gap
		if !isSegment(name) || name <= keep {
			continue
		}
		if err := l.cfg.FS.Remove(filepath.Join(l.dir, name)); err != nil {
			return fmt.Errorf("cutting the tail back: %w", err)
		}
		if err := l.cfg.FS.SyncDir(l.dir); err != nil {
			return fmt.Errorf("cutting the tail back: %w", err)
		}
	}
	if err := truncate(l.cfg.FS, filepath.Join(l.dir, keep), l.synced.off); err != nil {
		return fmt.Errorf("cutting the tail back: %w", err)
	}
	if err := l.cfg.FS.SyncDir(l.dir); err != nil {
		return fmt.Errorf("cutting the tail back: %w", err)
	}
	for _, s := range l.segments[tail+1:] {
		l.forget(s.ID)
	}
	l.segments = l.segments[:tail+1]
	l.segments[tail].Bytes = l.synced.off
	l.written = l.synced
	l.nextID = l.segments[tail].ID // what is written again comes to lie where it was
	return nil
}

// Drop removes the eldest segment, of which nothing is needed any more, and its digest. What replaced its records must have been synced.
func (l *Log) Drop() error {
	if err := l.usable(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segments) < 2 {
		return errors.New("the only segment of the log is in use")
	}
	if l.dirty {
		if err := l.cfg.FS.SyncDir(l.dir); err != nil {
			return fmt.Errorf("removing a segment: %w", err)
		}
		l.dirty = false
	}
	s := l.segments[0]
	if err := l.cfg.FS.Remove(filepath.Join(l.dir, s.Name())); err != nil {
		return fmt.Errorf("removing a segment: %w", err)
	}
	l.dirty = true
	l.segments = append(l.segments[:0:0], l.segments[1:]...)
	l.forget(s.ID)
	_ = l.cfg.FS.Remove(l.digestName(s.First)) // a cache, and often not there
	if err := l.cfg.FS.SyncDir(l.dir); err != nil {
		return fmt.Errorf("removing a segment: %w", err)
	}
	l.dirty = false
	if l.dropped++; l.dropped < maxDropped {
		return nil
	}
	return l.reopen()
}

// reopen lets tidwall/wal forget the segments that were dropped. l.mu is held.
func (l *Log) reopen() error {
	err := l.w.Close()
	l.w = nil
	if err == nil {
		l.synced = l.written // it syncs
		l.w, err = l.cfg.FS.OpenWriter(l.dir, l.cfg.SegmentBytes)
	}
	if err != nil {
		l.broken = fmt.Errorf("opening the log again: %w", err)
		return l.broken
	}
	l.dropped = 0
	return nil
}

// Close syncs and closes the log. One that is broken is closed as it is, and says so.
func (l *Log) Close() error {
	var err error
	if !l.cfg.ReadOnly && len(l.damage) == 0 {
		err = l.Sync()
	}
	if l.w != nil {
		err = errors.Join(err, l.w.Close())
		l.w = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.readers {
		l.forget(id)
	}
	l.cfg.ReadOnly = true
	return err
}

// Dir returns the directory of the segments.
func (l *Log) Dir() string { return l.dir }
