package wallog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxReaders is how many segments are held open for reading.
const maxReaders = 16

// Reads of neighbouring records are one read if the gap between them is at most gapBytes and all is at most runBytes.
const (
	gapBytes = 32 << 10
	runBytes = 1 << 20
)

// scanMore is how much a scan reads beyond where it is to end, for the record that is there.
const scanMore = 4 << 10

// ErrGone is returned for a record whose segment was dropped: ask again where it is.
var ErrGone = errors.New("the segment was dropped")

// ErrDamaged is returned when a record in the middle of a log is found to be damaged.
var ErrDamaged = errors.New("the log is damaged")

type reader struct {
	f    File
	id   uint32
	refs int
	used uint64
	dead bool
}

// acquire opens a segment for reading; give it back with release.
func (l *Log) acquire(id uint32, first uint64) (*reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	if r := l.readers[id]; r != nil {
		r.refs++
		r.used = l.clock
		return r, nil
	}
	f, err := l.cfg.FS.OpenFile(filepath.Join(l.dir, segmentName(first)), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if len(l.readers) >= maxReaders {
		var eldest *reader
		for _, r := range l.readers {
			if r.refs == 0 && (eldest == nil || r.used < eldest.used) {
				eldest = r
			}
		}
		if eldest != nil {
			l.forget(eldest.id)
		}
	}
	r := &reader{f: f, id: id, refs: 1, used: l.clock}
	l.readers[id] = r
	return r, nil
}

func (l *Log) release(r *reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.refs--; r.refs == 0 && r.dead {
		_ = r.f.Close() // only read from
	}
}

// forget closes a segment's reader once nobody uses it. l.mu is held, or nobody else has the log yet.
func (l *Log) forget(id uint32) {
	r := l.readers[id]
	if r == nil {
		return
	}
	delete(l.readers, id)
	r.dead = true
	if r.refs == 0 {
		_ = r.f.Close() // only read from
	}
}

// segment returns a segment by its ID.
func (l *Log) segment(id uint32) (Segment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.segments) - 1; i >= 0; i-- {
		if l.segments[i].ID == id {
			return l.segments[i], true
		}
	}
	return Segment{}, false
}

// Read reads the records at the given places, which are best in order of segment and offset, and calls got for each with its number and what
// was found: ErrGone, or another error if it cannot be read or is damaged. The payload is valid until got returns.
func (l *Log) Read(places []Place, got func(i int, r Record, err error)) {
	kept, ok := l.buffers.Get().(*[]byte)
	if !ok {
		kept = new([]byte)
	}
	defer l.buffers.Put(kept)
	buf := *kept
	for i := 0; i < len(places); {
		from, end := places[i].Off, places[i].Off+places[i].Size
		n := i + 1
		for n < len(places) && places[n].Segment == places[i].Segment && places[n].Off >= from {
			e := max(end, places[n].Off+places[n].Size)
			if int64(places[n].Off)-int64(end) > gapBytes || e-from > runBytes {
				break
			}
			end = e
			n++
		}
		if uint32(cap(buf)) < end-from {
			buf = make([]byte, end-from)
			if len(buf) <= 2*runBytes {
				*kept = buf
			}
		}
		b, err := l.pread(places[i].Segment, from, buf[:end-from])
		for ; i < n; i++ {
			p := places[i]
			var r Record
			e := err
			if e == nil {
				at := p.Off - from
				if int(at) >= len(b) {
					e = errShort
				} else {
					r, _, e = decode(b[at:min(int(at+p.Size), len(b))], l.salt)
				}
			}
			r.Place = p
			got(i, r, e)
		}
	}
}

func (l *Log) pread(id, off uint32, b []byte) ([]byte, error) {
	s, ok := l.segment(id)
	if !ok {
		return nil, ErrGone
	}
	r, err := l.acquire(id, s.First)
	if err != nil {
		if _, ok := l.segment(id); !ok {
			return nil, ErrGone
		}
		return nil, err
	}
	defer l.release(r)
	n, err := r.f.ReadAt(b, int64(off))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading segment %s at byte %d: %w", s.Name(), off, err)
	}
	return b[:n], nil
}

// badRecord ends a scan.
type badRecord struct {
	segment string
	off     int64
	err     error
}

func (b *badRecord) Error() string {
	return fmt.Sprintf("segment %s at byte %d: %v", b.segment, b.off, b.err)
}

func (b *badRecord) Unwrap() []error { return []error{b.err, ErrDamaged} }

// Scan calls f for the records of a segment from off on, for at least atMost bytes of them (0: all), and returns where it ended. The Record is valid until
// f returns.
func (l *Log) Scan(id uint32, off, atMost int64, f func(*Record) error) (end int64, err error) {
	s, ok := l.segment(id)
	if !ok {
		return off, ErrGone
	}
	return l.scan(s, off, atMost, 0, f)
}

// scan is Scan; with a sequence number next other than 0 the records have to follow from there.
func (l *Log) scan(s Segment, off, atMost int64, next uint64, f func(*Record) error) (int64, error) {
	r, err := l.acquire(s.ID, s.First)
	if err != nil {
		return off, err
	}
	defer l.release(r)
	limit := s.Bytes
	if atMost > 0 {
		limit = min(limit, off+atMost)
	}
	size := min(s.Bytes-off, limit-off+scanMore, runBytes)
	buf := make([]byte, 0, size)
	at := 0 // of the next record in buf, whose first byte is that of the segment at base
	base := off
	for off < limit {
		rec, n, err := decode(buf[at:], l.salt)
		if errors.Is(err, errShort) && base+int64(len(buf)) < s.Bytes {
			if base, buf, err = refill(r.f, s.Bytes, off, max(n, int(size)), buf); err != nil {
				return off, fmt.Errorf("reading segment %s: %w", s.Name(), err)
			}
			at = 0
			continue
		}
		if err == nil && next != 0 && rec.Seq != next {
			err = errSequence
		}
		if err != nil {
			return off, &badRecord{s.Name(), off, err}
		}
		rec.Place = Place{s.ID, uint32(off), uint32(n)}
		if err := f(&rec); err != nil {
			return off, err
		}
		at += n
		off += int64(n)
		if next != 0 {
			next++
		}
	}
	return off, nil
}

// refill reads n bytes at off, or what there is up to size.
func refill(f File, size, off int64, n int, buf []byte) (int64, []byte, error) {
	n = int(min(int64(n), size-off))
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	n, err := f.ReadAt(buf[:n], off)
	if err != nil && (!errors.Is(err, io.EOF) || n == 0) {
		return off, nil, err
	}
	return off, buf[:n], nil
}
