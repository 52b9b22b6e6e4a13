package wallog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// headerSize is what a record costs beside its payload and tidwall/wal's uvarint, in bytes.
const headerSize = 21

// MaxPayload is the most bytes a payload may have. MQTT packets have at most 256 MiB; recipients come on top.
const MaxPayload = 1 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Record is one record as read. Payload is valid until the next one is read unless the reader says otherwise.
type Record struct {
	Seq     uint64
	Synced  uint64 // the last sequence number known to be synced when it was written
	Type    byte
	Payload []byte
	Place   Place
	Digest  bool // Payload is what the Digest function kept of it
}

// Place is where a record lies: its segment, and offset and length in that in bytes, tidwall/wal's header included. The zero Place is nowhere.
type Place struct {
	Segment uint32 // counted from 1 since the log was opened
	Off     uint32
	Size    uint32
}

// The ways in which a record can be bad.
var (
	errShort    = errors.New("it ends in the middle of a record")
	errLength   = errors.New("the length of a record makes no sense")
	errChecksum = errors.New("the checksum of a record does not match")
	errSequence = errors.New("a record is out of sequence")
)

func uvarintLen(x uint64) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}

// seal fills in the header of a frame whose payload stands behind it already.
func seal(frame []byte, salt uint32, seq, synced uint64, typ byte) {
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-headerSize))
	binary.LittleEndian.PutUint64(frame[8:], seq)
	binary.LittleEndian.PutUint32(frame[16:], uint32(min(seq-synced, 1<<32-1)))
	frame[20] = typ
	binary.LittleEndian.PutUint32(frame, crc32.Update(salt, castagnoli, frame[4:]))
}

// appendEntry appends a whole record as tidwall/wal writes it.
func appendEntry(dst []byte, salt uint32, seq, synced uint64, typ byte, payload []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(headerSize+len(payload)))
	at := len(dst)
	dst = append(dst, make([]byte, headerSize)...)
	dst = append(dst, payload...)
	seal(dst[at:], salt, seq, synced, typ)
	return dst
}

// decode reads the record at the begin of b, whose payload stays a part of b. n is how many bytes it takes; with errShort it is how many
// bytes would be needed, at least.
func decode(b []byte, salt uint32) (r Record, n int, err error) {
	size, head := binary.Uvarint(b)
	switch {
	case head == 0:
		return r, len(b) + 1, errShort
	case head < 0 || size < headerSize || size > MaxPayload+headerSize || head != uvarintLen(size):
		return r, 0, errLength
	case uint64(len(b)-head) < headerSize:
		return r, head + headerSize, errShort
	}
	f := b[head:]
	if uint64(binary.LittleEndian.Uint32(f[4:]))+headerSize != size {
		return r, 0, errLength
	}
	n = head + int(size)
	if len(b) < n {
		return r, n, errShort
	}
	f = b[head:n]
	if binary.LittleEndian.Uint32(f) != crc32.Update(salt, castagnoli, f[4:]) {
		return r, 0, errChecksum
	}
	seq, back := binary.LittleEndian.Uint64(f[8:]), uint64(binary.LittleEndian.Uint32(f[16:]))
	if seq == 0 || back > seq {
		return r, 0, errSequence
	}
	return Record{Seq: seq, Synced: seq - back, Type: f[20], Payload: f[headerSize:]}, n, nil
}

// Batch gathers records that are written with one write. The zero Batch is ready; it is not safe for concurrent use.
type Batch struct {
	Places []Place // of each record, once it was written
	buf    []byte
	ends   []int
	types  []byte
}

// Add begins a record and returns the buffer to append its payload to; give the result to End.
func (b *Batch) Add(typ byte) []byte {
	b.types = append(b.types, typ)
	return append(b.buf, make([]byte, headerSize)...)
}

// End finishes the record that Add began.
func (b *Batch) End(buf []byte) {
	b.buf = buf
	b.ends = append(b.ends, len(buf))
}

// Len returns the number of records.
func (b *Batch) Len() int { return len(b.ends) }

// Bytes returns how many bytes are gathered.
func (b *Batch) Bytes() int { return len(b.buf) }

// Record returns type and payload of the i-th record, which stay the Batch's.
func (b *Batch) Record(i int) (typ byte, payload []byte) {
	f := b.frame(i)
	return b.types[i], f[headerSize:]
}

func (b *Batch) frame(i int) []byte {
	at := 0
	if i > 0 {
		at = b.ends[i-1]
	}
	return b.buf[at:b.ends[i]:b.ends[i]]
}

// Reset empties the batch and keeps at most keep bytes of its memory.
func (b *Batch) Reset(keep int) {
	if cap(b.buf) > keep {
		b.buf = nil
	}
	b.Places, b.buf, b.ends, b.types = b.Places[:0], b.buf[:0], b.ends[:0], b.types[:0]
}

// Damage is a place in the log where records should be and are not.
type Damage struct {
	Segment string // file name
	Off     int64  // where it begins
	Bytes   int64  // how long it is
	From    uint64 // first lost sequence number
	To      uint64 // last lost sequence number
	Err     error
}

func (d Damage) Error() string {
	return fmt.Sprintf("segment %s is damaged at byte %d (%d bytes, records %d to %d are lost): %v", d.Segment, d.Off, d.Bytes, d.From, d.To, d.Err)
}

// Unwrap returns what was found.
func (d Damage) Unwrap() error { return d.Err }
