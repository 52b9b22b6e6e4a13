package mqtt

// Header is a fixed header.
type Header struct {
	Type  Type
	Flags byte // low half of the first byte
	Size  int  // bytes of the fixed header, 2 to 5
	Body  int  // remaining length: bytes that follow the fixed header
}

// plainFirst tells which first bytes are right in every version and need no look at the body's length: they may take the short way of
// ReadHeader.
var plainFirst = func() (t [256]bool) {
	for b := range t {
		typ, flags := Type(b>>4), byte(b&15)
		switch typ {
		case 0, TypeAuth, TypePingreq, TypePingresp:
		default:
			t[b] = checkFirst(typ, flags, V311) == nil
		}
	}
	return t
}()

// ReadHeader decodes the fixed header at the start of b. ok is false while more bytes are needed. What can be refused is refused with the
// fewest bytes that show it: a wrong type or wrong flags with the first one [MQTT-2.2.2-2], a packet that is too long with its length.
//
// maxBody is the largest remaining length to accept, in bytes; 0 is the protocol's own limit. v is the version of the connection, 0 before
// the CONNECT is known.
func ReadHeader(b []byte, maxBody int, v Version) (h Header, ok bool, err error) {
	// The short way: a length of one or two bytes, not padded, below maxBody (0 wraps to the largest number).
	if len(b) >= 2 && plainFirst[b[0]] {
		body, size := int(b[1]), 2
		if body >= 0x80 && len(b) >= 3 && b[2]-1 < 0x7F {
			body, size = body&0x7F|int(b[2])<<7, 3
		}
		if (body < 0x80 || size == 3) && uint(body) <= uint(maxBody-1) {
			return Header{Type(b[0] >> 4), b[0] & 15, size, body}, true, nil
		}
	}
	return readHeader(b, maxBody, v)
}

func readHeader(b []byte, maxBody int, v Version) (h Header, ok bool, err error) {
	if len(b) == 0 {
		return h, false, nil
	}
	h.Type, h.Flags = Type(b[0]>>4), b[0]&15
	if err := checkFirst(h.Type, h.Flags, v); err != nil {
		return Header{}, false, err
	}
	body, n, err := readVarint(b[1:], v.Is5())
	switch {
	case err != nil:
		return Header{}, false, err
	case n == 0:
		return Header{}, false, nil
	case maxBody > 0 && body > maxBody:
		return Header{}, false, ErrPacketTooLarge
	case body > 0 && (h.Type == TypePingreq || h.Type == TypePingresp):
		return Header{}, false, ErrTrailingBytes.about(h.Type.String())
	}
	h.Size, h.Body = 1+n, body
	return h, true, nil
}

// checkFirst refuses a type or flags that version v does not have.
func checkFirst(t Type, flags byte, v Version) error {
	switch t {
	case 0:
		return ErrPacketType
	case TypePublish:
		if flags&6 == 6 {
			return ErrPublishQoS // [MQTT-3.3.1-4]
		}
		return nil
	case TypePubrel, TypeSubscribe, TypeUnsubscribe:
		// In MQTT 3.1 these are QoS 1 messages, which a client may repeat with DUP set.
		if flags == 2 || v == V31 && flags == 10 {
			return nil
		}
		return ErrFlags.about(t.String()) // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
	case TypeAuth:
		if !v.Is5() {
			return ErrPacketType
		}
	}
	if flags != 0 {
		return ErrFlags.about(t.String())
	}
	return nil
}

// appendHeader appends a fixed header. first is type and flags.
func appendHeader(dst []byte, first byte, body int) []byte {
	return AppendVarint(append(dst, first), body)
}

// PacketSize is the size of a packet whose body has so many bytes, with its fixed header, in bytes.
func PacketSize(body int) int { return 1 + VarintSize(body) + body }

// AppendPingreq appends a PINGREQ.
func AppendPingreq(dst []byte) []byte { return append(dst, byte(TypePingreq)<<4, 0) }

// AppendPingresp appends a PINGRESP.
func AppendPingresp(dst []byte) []byte { return append(dst, byte(TypePingresp)<<4, 0) }
