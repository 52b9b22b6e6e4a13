package wallog

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// DirPrefix begins the name of the directory of the segments; the salt follows.
const DirPrefix = "log-"

const (
	digestDir = "digest"
	asideDir  = "aside"
)

// maxAside is how many cut-off tails are kept.
const maxAside = 8

// damagedSuffix ends the names of damaged segments that Repair has kept aside.
const damagedSuffix = "-damaged"

// Open opens the log in a directory, or makes one, and calls each for every record, in order; its Record is valid until each returns. A torn
// tail is cut off and kept aside. A log that is damaged elsewhere is read as far as possible, and is read-only: see Damage.
func Open(cfg Config, each func(*Record) error) (*Log, error) {
	if cfg.FS == nil {
		cfg.FS = OS{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Digest == nil {
		cfg.Digest = func(_ byte, payload []byte) int { return len(payload) }
	}
	l := &Log{cfg: cfg, readers: map[uint32]*reader{}}
	if err := l.find(); err != nil {
		return nil, err
	}
	if err := l.list(); err != nil {
		return nil, err
	}
	if err := l.load(each); err != nil {
		_ = l.Close() // only readers are open
		return nil, err
	}
	if cfg.ReadOnly || len(l.damage) > 0 {
		if len(l.segments) == 0 {
			l.segments = []Segment{{ID: 1, First: 1}}
		}
		return l, nil
	}
	if err := l.start(); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// find finds the directory of the segments, or makes it. Its name carries the salt.
func (l *Log) find() error {
	fs := l.cfg.FS
	if !l.cfg.ReadOnly {
		for _, d := range []string{l.cfg.Dir, filepath.Join(l.cfg.Dir, digestDir), filepath.Join(l.cfg.Dir, asideDir)} {
			if err := fs.Mkdir(d); err != nil {
				return fmt.Errorf("making the store's directory: %w", err)
			}
		}
	}
	names, err := fs.ReadDir(l.cfg.Dir)
	if err != nil {
		return err
	}
	var found []string
	for _, name := range names {
		salt, ok := strings.CutPrefix(name, DirPrefix)
		if n, err := strconv.ParseUint(salt, 16, 32); ok && err == nil && len(salt) == 8 {
			l.salt = uint32(n)
			found = append(found, name)
		}
	}
	switch {
	case len(found) > 1:
		return fmt.Errorf("%s holds several logs (%s): move all but the one that is wanted elsewhere", l.cfg.Dir, strings.Join(found, ", "))
	case len(found) == 1:
		l.dir = filepath.Join(l.cfg.Dir, found[0])
		return nil
	case l.cfg.ReadOnly:
		return fmt.Errorf("%s holds no log", l.cfg.Dir)
	}
	l.salt = rand.Uint32()
	l.dir = filepath.Join(l.cfg.Dir, fmt.Sprintf("%s%08x", DirPrefix, l.salt))
	if err := fs.Mkdir(l.dir); err != nil {
		return fmt.Errorf("making the log's directory: %w", err)
	}
	return nil
}

// list finds the segments.
func (l *Log) list() error {
	names, err := l.cfg.FS.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isSegment(name) {
			if len(name) >= 20 && isSegment(name[:20]) {
				return fmt.Errorf("%s does not belong to the log: move it elsewhere", filepath.Join(l.dir, name))
			}
			continue
		}
		first, err := strconv.ParseUint(name, 10, 64)
		if err != nil || first == 0 {
			return fmt.Errorf("%s is no segment of a log: move it elsewhere", filepath.Join(l.dir, name))
		}
		size, err := fileSize(l.cfg.FS, filepath.Join(l.dir, name))
		if err != nil {
			return err
		}
		l.nextID++
		l.segments = append(l.segments, Segment{ID: l.nextID, First: first, Bytes: size})
	}
	return nil
}

// load reads all segments, or their digests.
func (l *Log) load(each func(*Record) error) error {
	var total, done int64
	for _, s := range l.segments {
		total += s.Bytes
	}
	last := uint64(0)
	if len(l.segments) > 0 {
		last = l.segments[0].First - 1
	}
	for i, s := range l.segments {
		switch {
		case s.First > last+1:
			l.damage = append(l.damage, Damage{Segment: s.Name(), From: last + 1, To: s.First - 1, Err: errors.New("a segment before it is missing")})
		case s.First < last+1:
			return fmt.Errorf("segment %s begins with a record that segment %s has already: the files were mixed up; put back a backup",
				s.Name(), l.segments[i-1].Name())
		}
		last = s.First - 1
		newest := i == len(l.segments)-1
		ok := false
		if !newest && !l.cfg.NoDigests {
			var err error
			if last, ok, err = l.readDigest(s, each); err != nil {
				return err
			}
		}
		if !ok {
			var err error
			if last, err = l.loadSegment(i, newest, each); err != nil {
				return err
			}
		}
		done += s.Bytes
		if l.cfg.Progress != nil {
			l.cfg.Progress(done, total)
		}
	}
	l.written.seq = last
	return nil
}

// loadSegment reads one segment and returns the sequence number of its last record.
func (l *Log) loadSegment(i int, newest bool, each func(*Record) error) (last uint64, err error) {
	s := l.segments[i]
	last = s.First - 1
	for off := int64(0); off < s.Bytes; {
		var bad *badRecord
		off, err = l.scan(s, off, 0, last+1, func(r *Record) error {
			last = r.Seq
			return each(r)
		})
		if err == nil {
			return last, nil
		}
		if !errors.As(err, &bad) {
			return last, err
		}
		next, witness, err := l.nextGood(s, off, last)
		if err != nil {
			return last, err
		}
		if newest && !witness {
			if !l.cfg.ReadOnly && len(l.damage) == 0 {
				err = l.cutTail(i, off, bad)
			}
			l.cut = s.Bytes - off
			return last, err
		}
		d := Damage{Segment: s.Name(), Off: off, Bytes: next.off - off, From: last + 1, To: next.seq - 1, Err: bad.err}
		if next.seq == 0 { // none in this segment
			d.To = last + 1
			if !newest {
				d.To = max(d.To, l.segments[i+1].First-1)
				last = d.To
			}
		} else {
			last = next.seq - 1
		}
		l.damage = append(l.damage, d)
		off = next.off
	}
	return last, nil
}

// nextGood searches the first good record behind a bad one; its seq is 0 and its off the segment's end if there is none. witness: a record
// behind the bad one says that the bad one had been synced.
func (l *Log) nextGood(s Segment, off int64, last uint64) (next mark, witness bool, err error) {
	b, err := l.bytes(s, off)
	if err != nil {
		return next, false, err
	}
	next = mark{segment: s.ID, off: s.Bytes}
	for at := 1; at+headerSize < len(b); {
		r, n, err := decode(b[at:], l.salt)
		if err != nil || r.Seq <= last || r.Seq-last > uint64(at)/headerSize+1 {
			at++
			continue
		}
		if next.seq == 0 {
			next = mark{r.Seq, s.ID, off + int64(at)}
		}
		if r.Synced > last {
			return next, true, nil
		}
		at += n
	}
	return next, false, nil
}

// cutTail cuts the newest segment at off and keeps what was behind it aside.
func (l *Log) cutTail(i int, off int64, why error) error {
	s := &l.segments[i]
	b, err := l.bytes(*s, off)
	if err != nil {
		return err
	}
	aside := filepath.Join(l.cfg.Dir, asideDir, fmt.Sprintf("%s-%d", s.Name(), off))
	if err := keepAside(l.cfg.FS, aside, b); err != nil {
		l.cfg.Log.Warn("store: the torn tail of the log could not be kept aside", "file", aside, "error", err)
	}
	l.cfg.Log.Warn("store: the log ends in the middle of a write, as after a power cut; it was cut back to the last good record", "segment",
		s.Name(), "offset", off, "bytes", len(b), "kept", aside, "reason", why)
	l.forget(s.ID)
	if err := truncate(l.cfg.FS, filepath.Join(l.dir, s.Name()), off); err != nil {
		return fmt.Errorf("cutting off a torn tail: %w", err)
	}
	s.Bytes = off
	return nil
}

func keepAside(fs FS, name string, b []byte) error {
	dir := filepath.Dir(name)
	names, err := fs.ReadDir(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, damagedSuffix) }) // those are for the operator to remove
	for i := 0; i <= len(names)-maxAside; i++ {
		if err := fs.Remove(filepath.Join(dir, names[i])); err != nil {
			return err
		}
	}
	return writeFile(fs, name, b)
}

// writeFile writes a whole file, synced.
func writeFile(fs FS, name string, b []byte) error {
	f, err := fs.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// start opens the log for writing. What is in it is made durable first: it may have been written but not synced before a crash.
func (l *Log) start() error {
	fs := l.cfg.FS
	if n := len(l.segments); n > 0 {
		s := l.segments[n-1]
		f, err := fs.OpenFile(filepath.Join(l.dir, s.Name()), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("syncing the log: %w", err)
		}
	}
	w, err := fs.OpenWriter(l.dir, l.cfg.SegmentBytes)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	l.w = w
	if len(l.segments) == 0 {
		l.nextID = 1
		l.segments = []Segment{{ID: 1, First: 1}}
	}
	if err := fs.SyncDir(l.dir); err != nil {
		return fmt.Errorf("syncing the log: %w", err)
	}
	tail := l.segments[len(l.segments)-1]
	l.written.segment, l.written.off = tail.ID, tail.Bytes
	l.synced = l.written
	return nil
}

func segmentName(first uint64) string { return fmt.Sprintf("%020d", first) }

func isSegment(name string) bool {
	if len(name) != 20 {
		return false
	}
	for i := range len(name) {
		if name[i] < '0' || name[i] > '9' {
			return false
		}
	}
	return true
}

func fileSize(fs FS, name string) (int64, error) {
	f, err := fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	n, err := f.Size()
	return n, errors.Join(err, f.Close())
}

func truncate(fs FS, name string, size int64) error {
	f, err := fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// bytes returns a segment from off to its end.
func (l *Log) bytes(s Segment, off int64) ([]byte, error) {
	r, err := l.acquire(s.ID, s.First)
	if err != nil {
		return nil, err
	}
	defer l.release(r)
	b := make([]byte, s.Bytes-off)
	if n, err := r.f.ReadAt(b, off); err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return nil, fmt.Errorf("reading segment %s: %w", s.Name(), err)
	}
	return b, nil
}
