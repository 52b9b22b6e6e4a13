package mqtt

import "encoding/binary"

// The Add methods append one property. They return false and add nothing if id is not of that kind, the value is not allowed, or id may
// occur only once and is there. Which packet the block is for is the caller's affair.

// AddUint adds a number; the width follows from id.
func (p *Properties) AddUint(id PropID, v uint32) bool {
	row := id.row()
	if !row.enc.number() || v < row.min || v > row.max || !p.free(id, row) {
		return false
	}
	b := append(p.raw, byte(id))
	switch row.enc {
	case encByte:
		b = append(b, byte(v))
	case encUint16:
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	case encUint32:
		b = binary.BigEndian.AppendUint32(b, v)
	case encVarint:
		b = AppendVarint(b, int(v))
	}
	p.raw, p.set = b, p.set|id.bit()|owned
	return true
}

// AddBytes adds a string or binary data; it copies v. Strings have to be valid, and nothing is longer than 65,535 bytes.
func (p *Properties) AddBytes(id PropID, v []byte) bool {
	row := id.row()
	switch row.enc {
	case encString:
		if !ValidString(v) {
			return false
		}
	case encTopic:
		if !ValidTopicName(v) {
			return false
		}
	case encBinary:
		if len(v) > maxField {
			return false
		}
	default:
		return false
	}
	if !p.free(id, row) {
		return false
	}
	p.raw = appendField(append(p.raw, byte(id)), v)
	p.set |= id.bit() | owned
	return true
}

// AddUser adds a user property; it copies k and v, which have to be valid strings.
func (p *Properties) AddUser(k, v []byte) bool {
	if !ValidString(k) || !ValidString(v) {
		return false
	}
	p.raw = appendField(appendField(append(p.raw, byte(PropUserProperty)), k), v)
	p.set |= PropUserProperty.bit() | owned
	return true
}

// Reset empties the block. Memory of its own is kept for the next Add.
func (p *Properties) Reset() {
	if p.set&owned == 0 {
		*p = Properties{}
		return
	}
	p.raw, p.set = p.raw[:0], owned
}

// free tells whether id may be added.
func (p *Properties) free(id PropID, row *propRow) bool { return p.set&id.bit() == 0 || row.many != 0 }

// propertiesSize is the size of a block of n bytes with its length.
func propertiesSize(n int) int { return VarintSize(n) + n }

// appendProperties appends the block with its length.
func appendProperties(dst []byte, p Properties) []byte {
	return append(AppendVarint(dst, len(p.raw)), p.raw...)
}
