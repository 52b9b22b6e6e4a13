package mqtt

import "encoding/binary"

// takeProperties cuts a property block with its length off the front of b and checks it: every property is defined, may be in the packet
// (in has one bit), occurs as often as it may and has a value in range.
func takeProperties(b []byte, in uint16) (p Properties, rest []byte, err error) {
	if len(b) > 0 && b[0] == 0 {
		return Properties{}, b[1:], nil
	}
	size, n, err := readVarint(b, true)
	if err != nil {
		return p, nil, err
	}
	if n == 0 || size > len(b)-n {
		return p, nil, ErrTruncated.about("properties")
	}
	p, err = checkProperties(b[n:n+size:n+size], in)
	return p, b[n+size:], err
}

// ParseProperties checks a raw block, without its length, as decoding a packet of type t does, and takes it without copying.
func ParseProperties(raw []byte, t Type) (Properties, error) {
	return checkProperties(raw[:len(raw):len(raw)], 1<<t)
}

// ParseWillProperties is ParseProperties for the properties of a will.
func ParseWillProperties(raw []byte) (Properties, error) {
	return checkProperties(raw[:len(raw):len(raw)], inWill)
}

func checkProperties(raw []byte, in uint16) (Properties, error) {
	p := Properties{raw: raw}
	for rest := raw; len(rest) > 0; {
		id, value, next, ok := cutProperty(rest)
		row := id.row()
		switch {
		case row.enc == encNone:
			return p, ErrProperty.about(id.String())
		case row.in&in == 0:
			return p, ErrPropertyPlace.about(id.String())
		case p.set&id.bit() != 0 && row.many&in == 0:
			return p, ErrPropertyTwice.about(id.String())
		case !ok:
			return p, cutError(id, rest[1:])
		}
		if err := checkValue(row, value); err != nil {
			return p, err.about(id.String())
		}
		p.set |= id.bit()
		rest = next
	}
	if p.set&(1<<PropAuthData|1<<PropAuthMethod) == 1<<PropAuthData {
		return p, ErrAuthDataAlone
	}
	return p, nil
}

// cutError says why cutProperty could not find the end of the value of id.
func cutError(id PropID, value []byte) error {
	if id.row().enc == encVarint {
		if _, _, err := readVarint(value, true); err != nil {
			return err
		}
	}
	return ErrTruncated.about(id.String())
}

// checkValue refuses values that the property's row does not allow.
func checkValue(row *propRow, value []byte) *Error {
	switch row.enc {
	case encString:
		if !ValidString(value[2:]) {
			return ErrString
		}
	case encTopic:
		if !ValidString(value[2:]) {
			return ErrString
		}
		if !ValidTopicName(value[2:]) {
			return ErrResponseTopic
		}
	case encPair:
		cut := 2 + int(binary.BigEndian.Uint16(value))
		if !ValidString(value[2:cut]) || !ValidString(value[cut+2:]) {
			return ErrString
		}
	case encByte, encUint16, encUint32, encVarint:
		if v := number(row.enc, value); v < row.min || v > row.max {
			if row.bad != nil {
				return row.bad
			}
			return ErrPropertyValue
		}
	}
	return nil
}
