package wallog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A digest file is this, the size of the segment (8 bytes), the number of its records (8), for each record its type (1 byte), its length on disk and the
// length of what was kept (uvarints) and that; and a salted CRC-32C of everything.
const digestMagic = "vmqdig1\n"

func (l *Log) digestName(first uint64) string {
	return filepath.Join(l.cfg.Dir, digestDir, segmentName(first))
}

// WriteDigest writes the digest of a closed segment. It does so only if that saves at least half of the segment. It is not synced: a bad one
// is noticed by its checksum. It may run beside everything else.
func (l *Log) WriteDigest(id uint32) (bytes int64, err error) {
	s, ok := l.segment(id)
	if !ok {
		return 0, ErrGone
	}
	b := append(make([]byte, 0, s.Bytes/8), digestMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Bytes))
	b = append(b, make([]byte, 8)...)
	count := uint64(0)
	errLarge := errors.New("too large")
	_, err = l.scan(s, 0, 0, s.First, func(r *Record) error {
		count++
		b = append(b, r.Type)
		b = binary.AppendUvarint(b, uint64(r.Place.Size))
		keep := r.Payload[:l.cfg.Digest(r.Type, r.Payload)]
		b = binary.AppendUvarint(b, uint64(len(keep)))
		b = append(b, keep...)
		if int64(len(b)) > s.Bytes/2 {
			return errLarge
		}
		return nil
	})
	if errors.Is(err, errLarge) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint64(b[len(digestMagic)+8:], count)
	b = binary.LittleEndian.AppendUint32(b, crc32.Update(l.salt, castagnoli, b))
	fs, name := l.cfg.FS, l.digestName(s.First)
	f, err := fs.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, fmt.Errorf("writing a digest: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = fs.Rename(name+".new", name)
	}
	if err != nil {
		_ = fs.Remove(name + ".new") // perhaps there was no room for it
		return 0, fmt.Errorf("writing a digest: %w", err)
	}
	return int64(len(b)), nil
}

// HasDigest reports whether a segment has a digest, good or bad.
func (l *Log) HasDigest(first uint64) bool {
	_, err := fileSize(l.cfg.FS, l.digestName(first))
	return err == nil
}

// ForgetDigest removes the digest of a segment, if it has one.
func (l *Log) ForgetDigest(first uint64) error {
	if err := l.cfg.FS.Remove(l.digestName(first)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a digest: %w", err)
	}
	return nil
}

// readDigest calls each for the records of a segment as its digest has them. ok is false if there is no good one; then nothing was called.
func (l *Log) readDigest(s Segment, each func(*Record) error) (last uint64, ok bool, err error) {
	last = s.First - 1
	b, err := readFile(l.cfg.FS, l.digestName(s.First))
	if err != nil {
		return last, false, nil //nolint:nilerr // then the segment itself is read
	}
	recs, good := parseDigest(b, l.salt, s)
	if !good {
		l.cfg.Log.Warn("store: a digest is bad; the segment is read instead", "segment", s.Name())
		return last, false, nil
	}
	off := uint32(0)
	var r Record
	for len(recs) > 0 {
		typ := recs[0]
		size, n := binary.Uvarint(recs[1:])
		recs = recs[1+n:]
		keep, n := binary.Uvarint(recs)
		recs = recs[n:]
		last++
		r = Record{Seq: last, Type: typ, Payload: recs[:keep:keep], Place: Place{s.ID, off, uint32(size)}, Digest: true}
		recs = recs[keep:]
		off += uint32(size)
		if err := each(&r); err != nil {
			return last, true, err
		}
	}
	return last, true, nil
}

// parseDigest checks a digest wholly and returns the part with the records.
func parseDigest(b []byte, salt uint32, s Segment) (recs []byte, ok bool) {
	const head = len(digestMagic) + 16
	if len(b) < head+4 || string(b[:len(digestMagic)]) != digestMagic {
		return nil, false
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Update(salt, castagnoli, body) != sum || int64(binary.LittleEndian.Uint64(b[len(digestMagic):])) != s.Bytes {
		return nil, false
	}
	count, total := uint64(0), uint64(0)
	for recs = body[head:]; len(recs) > 0; count++ {
		size, n := binary.Uvarint(recs[1:])
		if n <= 0 || size < headerSize || size > MaxPayload {
			return nil, false
		}
		recs = recs[1+n:]
		keep, n := binary.Uvarint(recs)
		if n <= 0 || keep > uint64(len(recs)-n) {
			return nil, false
		}
		recs = recs[n+int(keep):]
		total += size
	}
	if count != binary.LittleEndian.Uint64(b[len(digestMagic)+8:]) || total != uint64(s.Bytes) {
		return nil, false
	}
	return body[head:], true
}

func readFile(fs FS, name string) ([]byte, error) {
	f, err := fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], errors.Join(err, f.Close())
}
