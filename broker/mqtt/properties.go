package mqtt

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Properties is the property block of a packet, kept as it is on the wire: without its length, with a set of the identifiers that occur.
// What decoding gives is valid; accessors look through the block, which is short, and allocate nothing. The zero value is an empty block.
//
// A copy shares its bytes with the original. The Add methods and Reset never write into the buffer of a decoded packet: the first Add to
// such a block moves it to memory of its own.
type Properties struct {
	raw []byte
	set uint64 // bit 1<<id, and the bit owned
}

const (
	owned    = 1 << 63 // raw is memory of the block's own
	allProps = 1<<numProps - 1
)

// bit is the bit of id in a set; ids beyond the table have none.
func (id PropID) bit() uint64 { return 1 << id & allProps }

// forwarded are the properties of a PUBLISH or a will that a server hands on unchanged [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16]
// [MQTT-3.3.2-17] [MQTT-3.3.2-20].
const forwarded = 1<<PropPayloadFormat | 1<<PropContentType | 1<<PropResponseTopic | 1<<PropCorrelationData | 1<<PropUserProperty

// Len is the size of the block in bytes, without its length.
func (p Properties) Len() int { return len(p.raw) }

// Raw gives the encoded block, without its length. It belongs to p.
func (p Properties) Raw() []byte { return p.raw }

// Has tells whether id occurs.
func (p Properties) Has(id PropID) bool { return p.set&id.bit() != 0 }

// Equal tells whether both blocks are the same, byte for byte.
func (p Properties) Equal(q Properties) bool { return bytes.Equal(p.raw, q.raw) }

// Clone gives a copy with bytes of its own, with room for extra bytes more.
func (p Properties) Clone(extra int) Properties {
	if len(p.raw)+extra == 0 {
		return Properties{}
	}
	return Properties{append(make([]byte, 0, len(p.raw)+extra), p.raw...), p.set | owned}
}

// Uint gives the (first) value of a number, whatever its width. ok is false if id does not occur or is no number.
func (p Properties) Uint(id PropID) (v uint32, ok bool) {
	b, ok := p.find(id)
	enc := id.row().enc
	if !ok || !enc.number() {
		return 0, false
	}
	return number(enc, b), true
}

// Bytes gives the value of a string or of binary data. It belongs to p. ok is false if id does not occur or is something else.
func (p Properties) Bytes(id PropID) (v []byte, ok bool) {
	switch id.row().enc {
	case encString, encTopic, encBinary:
	default:
		return nil, false
	}
	if b, ok := p.find(id); ok {
		return b[2:], true
	}
	return nil, false
}

// User gives the user properties in order [MQTT-3.3.2-18]. The slices belong to p.
func (p Properties) User() iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if !p.Has(PropUserProperty) {
			return
		}
		for rest := p.raw; len(rest) > 0; {
			id, value, next, ok := cutProperty(rest)
			if !ok {
				return
			}
			if id == PropUserProperty {
				k, tail, _ := takeField(value)
				v, _, _ := takeField(tail)
				if !yield(k, v) {
					return
				}
			}
			rest = next
		}
	}
}

// SubscriptionIDs gives the subscription identifiers of a PUBLISH from a server, in order.
func (p Properties) SubscriptionIDs() iter.Seq[uint32] {
	return func(yield func(id uint32) bool) {
		if !p.Has(PropSubscriptionID) {
			return
		}
		p.Each(func(id PropID, value []byte) bool { return id != PropSubscriptionID || yield(number(encVarint, value)) })
	}
}

// Each calls f with every property in order, until f returns false. value is encoded as on the wire and belongs to p.
func (p Properties) Each(f func(id PropID, value []byte) bool) {
	for rest := p.raw; len(rest) > 0; {
		id, value, next, ok := cutProperty(rest)
		if !ok || !f(id, value) {
			return
		}
		rest = next
	}
}

// CheckSender refuses what the sender of a packet of type t may not say, though the packet may carry it: a client sends no Subscription
// Identifier in a PUBLISH [MQTT-3.3.4-6] and no Server Reference in a DISCONNECT, a server no Session Expiry Interval in a DISCONNECT
// [MQTT-3.14.2-2].
func (p Properties) CheckSender(t Type, client bool) error {
	if t != TypePublish && t != TypeDisconnect || len(p.raw) == 0 {
		return nil
	}
	for id := range PropID(numProps) {
		if !p.Has(id) {
			continue
		}
		only := propTable[id].client
		if client {
			only = propTable[id].server
		}
		if only>>t&1 == 1 {
			return ErrPropertySender.about(id.String())
		}
	}
	return nil
}

// AppendForward appends the raw properties of a PUBLISH or will that go to subscribers unchanged and in order: payload format, content
// type, response topic, correlation data, user properties. Message expiry, topic alias and subscription identifiers are not among them:
// whoever sends on sets his own.
func (p Properties) AppendForward(dst []byte) []byte {
	if p.set&allProps&^forwarded == 0 {
		return append(dst, p.raw...)
	}
	for rest := p.raw; len(rest) > 0; {
		id, _, next, ok := cutProperty(rest)
		if !ok {
			break
		}
		if forwarded&id.bit() != 0 {
			dst = append(dst, rest[:len(rest)-len(next)]...)
		}
		rest = next
	}
	return dst
}

// PropertiesOf takes a raw block that was checked before, such as what AppendForward made. It keeps raw and does not validate again;
// what follows a malformed property is left out.
func PropertiesOf(raw []byte) Properties {
	p := Properties{raw: raw[:len(raw):len(raw)]}
	for rest := raw; len(rest) > 0; {
		id, _, next, ok := cutProperty(rest)
		if !ok {
			p.raw = raw[: len(raw)-len(rest) : len(raw)-len(rest)]
			break
		}
		p.set |= id.bit()
		rest = next
	}
	return p
}

// find gives the encoded value of the first property id.
func (p Properties) find(id PropID) ([]byte, bool) {
	if !p.Has(id) {
		return nil, false
	}
	for rest := p.raw; len(rest) > 0; {
		got, value, next, ok := cutProperty(rest)
		if !ok {
			break
		}
		if got == id {
			return value, true
		}
		rest = next
	}
	return nil, false
}

// number decodes the value of a number.
func number(enc encoding, b []byte) uint32 {
	switch enc {
	case encByte:
		return uint32(b[0])
	case encUint16:
		return uint32(binary.BigEndian.Uint16(b))
	case encUint32:
		return binary.BigEndian.Uint32(b)
	case encVarint:
		v, _, _ := readVarint(b, false)
		return uint32(v)
	}
	return 0
}

// cutProperty cuts the first property off b. It checks that it lies within b, and nothing else.
func cutProperty(b []byte) (id PropID, value, rest []byte, ok bool) {
	id, b = PropID(b[0]), b[1:]
	n := 0
	switch id.row().enc {
	case encByte:
		n = 1
	case encUint16:
		n = 2
	case encUint32:
		n = 4
	case encVarint:
		_, n, _ = readVarint(b, true)
	case encString, encTopic, encBinary:
		n = fieldEnd(b, 0)
	case encPair:
		n = fieldEnd(b, fieldEnd(b, 0))
	}
	if n == 0 || n > len(b) {
		return id, nil, nil, false
	}
	return id, b[:n:n], b[n:], true
}

// fieldEnd is where the field that starts at the offset from ends, beyond b if b is too short.
func fieldEnd(b []byte, from int) int {
	if len(b) < from+2 {
		return from + 2
	}
	return from + 2 + int(binary.BigEndian.Uint16(b[from:]))
}
