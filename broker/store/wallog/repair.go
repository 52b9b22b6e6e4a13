package wallog

import (
	"fmt"
	"path/filepath"
)

// maxLost is how many lost records a repair may make up for.
const maxLost = 1 << 24

// Repair mends a damaged log: each damaged segment is written anew with empty records of the given type in the place of those that are lost, and the
// old file is kept aside. It returns what was lost. The log must not be open.
func Repair(cfg Config, filler byte) ([]Damage, error) {
	cfg.ReadOnly, cfg.NoDigests = true, true
	var recs []mended
	l, err := Open(cfg, func(r *Record) error {
		recs = append(recs, mended{r.Seq, r.Place})
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer l.Close() //nolint:errcheck // only read from
	if len(l.damage) == 0 {
		return nil, nil
	}
	if err := l.cfg.FS.Mkdir(filepath.Join(cfg.Dir, asideDir)); err != nil {
		return nil, err
	}
	for _, d := range l.damage {
		if d.To-d.From >= maxLost {
			return l.damage, fmt.Errorf("too much is lost to be mended, or files of several stores were mixed up; put back a backup: %w", d)
		}
	}
	// A segment that is missing as a whole is written too: its records are all lost.
	damaged := map[string]bool{}
	for _, d := range l.damage {
		damaged[d.Segment] = true
	}
	for i, s := range l.segments {
		if !damaged[s.Name()] {
			continue
		}
		end := uint64(0) // first record behind the segment, if it is known
		if i+1 < len(l.segments) {
			end = l.segments[i+1].First
		}
		if err := l.mend(s, end, recs, filler); err != nil {
			return l.damage, err
		}
	}
	return l.damage, l.fillGaps(filler)
}

type mended struct {
	seq   uint64
	place Place
}

// mend writes one segment anew. end is the sequence number that follows it, 0 if it is the newest.
func (l *Log) mend(s Segment, end uint64, recs []mended, filler byte) error {
	var out []byte
	next := s.First
	fill := func(to uint64) {
		for ; next < to; next++ {
			out = appendEntry(out, l.salt, next, next-1, filler, nil)
		}
	}
	for _, r := range recs {
		if r.place.Segment != s.ID {
			continue
		}
		fill(r.seq)
		b, err := l.pread(s.ID, r.place.Off, make([]byte, r.place.Size))
		if err != nil {
			return err
		}
		out = append(out, b...)
		next++
	}
	for _, d := range l.damage {
		if d.Segment == s.Name() && end == 0 {
			fill(d.To + 1)
		}
	}
	if end != 0 {
		fill(end)
	}
	name := filepath.Join(l.dir, s.Name())
	aside := filepath.Join(l.cfg.Dir, asideDir, s.Name()+damagedSuffix)
	old, err := readFile(l.cfg.FS, name)
	if err != nil {
		return err
	}
	if err := keepAside(l.cfg.FS, aside, old); err != nil {
		return fmt.Errorf("keeping the damaged segment aside: %w", err)
	}
	_ = l.cfg.FS.Remove(l.digestName(s.First)) // most have none
	return l.replace(name, out)
}

// replace puts a file in the place of another, whole or not at all.
func (l *Log) replace(name string, b []byte) error {
	fs, tmp := l.cfg.FS, filepath.Join(l.cfg.Dir, "mended.new")
	if err := writeFile(fs, tmp, b); err != nil {
		return fmt.Errorf("writing %s anew: %w", name, err)
	}
	if err := fs.Rename(tmp, name); err != nil {
		return err
	}
	return fs.SyncDir(l.dir)
}

// fillGaps writes the segments that are missing.
func (l *Log) fillGaps(filler byte) error {
	for _, d := range l.damage {
		if d.Bytes > 0 || d.Off > 0 {
			continue // inside a segment
		}
		missing := false
		for i, s := range l.segments {
			missing = missing || i > 0 && s.Name() == d.Segment && d.To == s.First-1
		}
		if !missing {
			continue
		}
		var out []byte
		for seq := d.From; seq <= d.To; seq++ {
			out = appendEntry(out, l.salt, seq, seq-1, filler, nil)
		}
		if err := l.replace(filepath.Join(l.dir, segmentName(d.From)), out); err != nil {
			return err
		}
	}
	return nil
}
