package mqtt

import "encoding/binary"

// The flags of a PUBLISH in its fixed header.
const (
	flagRetain = 1
	flagDup    = 8
)

// Publish is a PUBLISH. Slices of a decoded one belong to the body it was decoded from.
type Publish struct {
	Topic    []byte // empty only with a topic alias
	Payload  []byte
	Props    Properties // MQTT 5
	PacketID uint16     // 0 at QoS 0
	QoS      byte
	Dup      bool
	Retain   bool
}

// Decode decodes the body of a PUBLISH. flags are those of its fixed header. It does not allocate, but for an error's text.
func (p *Publish) Decode(flags byte, body []byte, v Version) error {
	if len(body) < 2 {
		return ErrTruncated.about("topic name")
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	if at > len(body) {
		return ErrTruncated.about("topic name")
	}
	p.Topic = body[2:at:at]
	if !validTopicBytes(p.Topic) {
		return topicError(p.Topic)
	}
	p.QoS, p.Retain, p.Dup, p.PacketID = flags>>1&3, flags&flagRetain != 0, flags&flagDup != 0, 0
	switch p.QoS {
	case 0:
		if p.Dup {
			return ErrDupQoS0 // [MQTT-3.3.1-2]
		}
	case 3:
		return ErrPublishQoS // [MQTT-3.3.1-4]
	default:
		if at+2 > len(body) {
			return ErrTruncated.about("packet identifier")
		}
		p.PacketID = binary.BigEndian.Uint16(body[at:])
		if p.PacketID == 0 {
			return ErrPacketID // [MQTT-2.2.1-3]
		}
		at += 2
	}
	p.Payload = body[at:len(body):len(body)]
	p.Props = Properties{}
	if v.Is5() {
		var err error
		if p.Props, p.Payload, err = takeProperties(p.Payload, inPublish); err != nil {
			return err
		}
	}
	if len(p.Topic) == 0 && !p.Props.Has(PropTopicAlias) {
		return ErrTopicEmpty // [MQTT-4.7.3-1], 3.3.2.1
	}
	return nil
}

// Size is the size of the encoded packet in bytes; AppendWith's extra properties count extra bytes. It tells whether the packet fits the
// Maximum Packet Size of its receiver [MQTT-3.1.2-24].
func (p *Publish) Size(v Version, extra int) int { return PacketSize(p.bodySize(v, extra)) }

func (p *Publish) bodySize(v Version, extra int) int {
	n := fieldSize(p.Topic) + len(p.Payload)
	if p.QoS > 0 {
		n += 2
	}
	if v.Is5() {
		n += propertiesSize(p.Props.Len() + extra)
	}
	return n
}

// Append appends the packet. A packet whose body would exceed MaxBody cannot be written: dst comes back as it was. Fields are not
// validated; a topic of more than 65,535 bytes is cut.
func (p *Publish) Append(dst []byte, v Version) []byte { return p.AppendWith(dst, v, nil) }

// AppendWith is Append with more properties after those of p: extra is encoded, without a length. So the properties that all receivers
// share need no copy to get an expiry, an alias or subscription identifiers. Before MQTT 5 there are neither.
func (p *Publish) AppendWith(dst []byte, v Version, extra []byte) []byte {
	body := p.bodySize(v, len(extra))
	if body > MaxBody {
		return dst
	}
	first := byte(TypePublish)<<4 | p.QoS<<1
	if p.Retain {
		first |= flagRetain
	}
	if p.Dup {
		first |= flagDup
	}
	dst = appendField(appendHeader(dst, first, body), p.Topic)
	if p.QoS > 0 {
		dst = binary.BigEndian.AppendUint16(dst, p.PacketID)
	}
	if v.Is5() {
		dst = AppendVarint(dst, p.Props.Len()+len(extra))
		dst = append(dst, p.Props.raw...)
		dst = append(dst, extra...)
	}
	return append(dst, p.Payload...)
}
