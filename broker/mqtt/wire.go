package mqtt

import "encoding/binary"

// MaxBody is the largest remaining length the protocol can express, in bytes.
const MaxBody = 268_435_455

// readVarint decodes the variable byte integer at the start of b. n is its size; 0 means that b ends inside it. minimal refuses padding.
func readVarint(b []byte, minimal bool) (v, n int, err error) {
	for i, c := range b {
		v |= int(c&0x7F) << (7 * i)
		if c < 0x80 {
			if minimal && c == 0 && i > 0 {
				return 0, 0, ErrPaddedVarint // [MQTT-1.5.5-1]
			}
			return v, i + 1, nil
		}
		if i == 3 {
			return 0, 0, ErrMalformedVarint
		}
	}
	return 0, 0, nil
}

// VarintSize is the size of v as a variable byte integer, in bytes.
func VarintSize(v int) int {
	switch {
	case v < 1<<7:
		return 1
	case v < 1<<14:
		return 2
	case v < 1<<21:
		return 3
	}
	return 4
}

// AppendVarint appends v, which is at most MaxBody.
func AppendVarint(dst []byte, v int) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// takeUint16 cuts a two byte integer off the front of b.
func takeUint16(b []byte) (v uint16, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(b), b[2:], true
}

// takeField cuts a string or binary field with its two byte length off the front of b. The field has no spare capacity.
func takeField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < end {
		return nil, nil, false
	}
	return b[2:end:end], b[end:], true
}

// takeString is takeField for a UTF-8 string; what names the field in errors.
func takeString(b []byte, what string) (s, rest []byte, err error) {
	s, rest, ok := takeField(b)
	if !ok {
		return nil, nil, ErrTruncated.about(what)
	}
	if !ValidString(s) {
		return nil, nil, ErrString.about(what)
	}
	return s, rest, nil
}

// takePacketID cuts a packet identifier off the front of b and refuses zero [MQTT-2.2.1-3].
func takePacketID(b []byte) (id uint16, rest []byte, err error) {
	id, rest, ok := takeUint16(b)
	if !ok {
		return 0, nil, ErrTruncated.about("packet identifier")
	}
	if id == 0 {
		return 0, nil, ErrPacketID
	}
	return id, rest, nil
}

// clip keeps a field within what its length can say. A longer one is a mistake of the caller; cutting keeps the stream in step.
func clip(b []byte) []byte {
	if len(b) > maxField {
		return b[:maxField]
	}
	return b
}

// fieldSize is the size of a string or binary field with its length, in bytes.
func fieldSize(b []byte) int { return 2 + len(clip(b)) }

// appendField appends a string or binary field with its length.
func appendField(dst, b []byte) []byte {
	b = clip(b)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(b)))
	return append(dst, b...)
}
