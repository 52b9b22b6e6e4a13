package mqtt

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Eight bytes at a step: in a word whose bytes are all below 0x80, subtracting one from each sets a high bit exactly when one was zero
// (a borrow can only start at a zero), and a byte equal to c is a zero after exclusive or with c.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	plus  = '+' * ones
	hash  = '#' * ones
)

// maxField is the longest string or binary field, in bytes.
const maxField = 65535

// ValidString tells whether b may stand in a packet as a UTF-8 string: well-formed, without surrogates and overlong forms [MQTT-1.5.4-1],
// without U+0000 [MQTT-1.5.4-2], at most 65,535 bytes.
func ValidString(b []byte) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		if (x|(x-ones))&highs != 0 {
			return validStringSlow(b, i)
		}
	}
	if len(b) >= 8 { // the last word, overlapping the one before
		if x := binary.LittleEndian.Uint64(b[len(b)-8:]); (x|(x-ones))&highs != 0 {
			return validStringSlow(b, i)
		}
		return len(b) <= maxField
	}
	for ; i < len(b); i++ {
		if b[i]-1 >= 0x7F {
			return validStringSlow(b, i)
		}
	}
	return len(b) <= maxField
}

// validStringSlow looks at b from i on, where something else than ASCII begins.
func validStringSlow(b []byte, i int) bool {
	return len(b) <= maxField && bytes.IndexByte(b[i:], 0) < 0 && utf8.Valid(b[i:])
}

// ValidTopicName tells whether b may be the topic name of a PUBLISH: a valid string, not empty [MQTT-4.7.3-1], without wildcards
// [MQTT-3.3.2-2].
func ValidTopicName(b []byte) bool { return len(b) > 0 && validTopicBytes(b) }

// validTopicBytes is ValidTopicName for a name that may be empty.
func validTopicBytes(b []byte) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		if (x|(x-ones)|((x^plus)-ones)|((x^hash)-ones))&highs != 0 {
			return validTopicSlow(b, i)
		}
	}
	if len(b) >= 8 {
		if x := binary.LittleEndian.Uint64(b[len(b)-8:]); (x|(x-ones)|((x^plus)-ones)|((x^hash)-ones))&highs != 0 {
			return validTopicSlow(b, i)
		}
		return len(b) <= maxField
	}
	for ; i < len(b); i++ {
		if c := b[i]; c-1 >= 0x7F || c == '+' || c == '#' {
			return validTopicSlow(b, i)
		}
	}
	return len(b) <= maxField
}

func validTopicSlow(b []byte, i int) bool {
	return validStringSlow(b, i) && bytes.IndexByte(b[i:], '+') < 0 && bytes.IndexByte(b[i:], '#') < 0
}

// topicError says what is wrong with a topic name that validTopicBytes refused.
func topicError(b []byte) error {
	if !ValidString(b) {
		return ErrString.about("topic name")
	}
	return ErrTopicName
}
