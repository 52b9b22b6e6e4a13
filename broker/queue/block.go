package queue

import (
	"encoding/binary"

	"vernemq/broker/msg"
)

// blockLen is how many items a block has at most.
const blockLen = 64

// block is a row of packed items: their number in one byte, then what tells each from the one before, of which the first has none but zeros.
//
//	1 byte    bits 0-1 the QoS; of the others each tells that a field differs and follows
//	varint    difference of the low halves of Ref, the place in the store: zigzag, for it may be negative
//	varint    Size, Flags, SubID, Group, Since, the high half of Ref and a QoS above 2, as far as they follow
type block struct {
	b    []byte
	msgs *[blockLen]*msg.Message // nil: no item has a message
}

// What an item's first byte says.
const (
	strangeQoS = 3
	hasSize    = 1 << 2
	hasFlags   = 1 << 3
	hasSubID   = 1 << 4
	hasGroup   = 1 << 5
	hasSince   = 1 << 6
	hasHigh    = 1 << 7
)

// maxPacked is more than an item takes.
const maxPacked = 1 + 8*binary.MaxVarintLen32

func (k *block) len() int { return int(k.b[0]) }

// push adds an item to a block that is not full, after last.
func (k *block) push(last, it *Item) {
	var item [maxPacked]byte
	p := packItem(item[:0], last, it)
	if need := len(k.b) + len(p); need > cap(k.b) { // most queues are short: not to the double
		k.b = append(make([]byte, 0, (need+max(15, need/8))&^15), k.b...)
	}
	if it.Msg != nil {
		if k.msgs == nil {
			k.msgs = &[blockLen]*msg.Message{}
		}
		k.msgs[k.len()] = it.Msg
	}
	k.b = append(k.b, p...)
	k.b[0]++
}

// unpack appends the items to dst.
func (k *block) unpack(dst []Item) []Item {
	var it Item
	b := k.b[1:]
	for i := range k.len() {
		b = unpackItem(b, &it)
		if k.msgs != nil {
			it.Msg = k.msgs[i]
		}
		dst = append(dst, it)
	}
	return dst
}

func packItem(b []byte, last, it *Item) []byte {
	at := len(b)
	b = append(b, min(it.QoS, strangeQoS))
	d := int32(uint32(it.Ref) - uint32(last.Ref))
	b = binary.AppendUvarint(b, uint64(uint32(d<<1)^uint32(d>>31)))
	field := func(bit byte, old, v uint32) {
		if v != old {
			b[at] |= bit
			b = binary.AppendUvarint(b, uint64(v))
		}
	}
	field(hasSize, last.Size, it.Size)
	field(hasFlags, uint32(last.Flags), uint32(it.Flags))
	field(hasSubID, last.SubID, it.SubID)
	field(hasGroup, uint32(last.Group), uint32(it.Group))
	field(hasSince, uint32(last.Since), uint32(it.Since))
	field(hasHigh, uint32(last.Ref>>32), uint32(it.Ref>>32))
	if it.QoS >= strangeQoS {
		b = append(b, it.QoS)
	}
	return b
}

// unpackItem makes of the item before the one that is packed at the begin of b, but for its message, and returns what follows it.
func unpackItem(b []byte, it *Item) []byte {
	what := b[0]
	b = b[1:]
	next := func() uint32 {
		if v := b[0]; v < 0x80 {
			b = b[1:]
			return uint32(v)
		}
		v, n := binary.Uvarint(b)
		b = b[n:]
		return uint32(v)
	}
	d := next()
	low, high := uint32(it.Ref)+(d>>1^-(d&1)), uint32(it.Ref>>32)
	if what&hasSize != 0 {
		it.Size = next()
	}
	if what&hasFlags != 0 {
		it.Flags = byte(next())
	}
	if what&hasSubID != 0 {
		it.SubID = next()
	}
	if what&hasGroup != 0 {
		it.Group = uint16(next())
	}
	if what&hasSince != 0 {
		it.Since = uint16(next())
	}
	if what&hasHigh != 0 {
		high = next()
	}
	it.Ref = uint64(high)<<32 | uint64(low)
	if it.QoS = what & strangeQoS; it.QoS == strangeQoS {
		it.QoS, b = b[0], b[1:]
	}
	return b
}
