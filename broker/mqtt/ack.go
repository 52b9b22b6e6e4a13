package mqtt

import "encoding/binary"

// Ack is a PUBACK, PUBREC, PUBREL or PUBCOMP.
type Ack struct {
	Type     Type
	PacketID uint16
	Code     Code       // MQTT 5; CodeSuccess before
	Props    Properties // MQTT 5
}

// Decode decodes the body of an acknowledgement of type t. In MQTT 5 code and properties may be left out when they say nothing.
func (p *Ack) Decode(t Type, body []byte, v Version) (err error) {
	p.Type, p.Code, p.Props = t, CodeSuccess, Properties{}
	var b []byte
	if p.PacketID, b, err = takePacketID(body); err != nil {
		return err
	}
	if len(b) == 0 {
		return nil
	}
	if !v.Is5() {
		return ErrTrailingBytes.about(t.String())
	}
	p.Code = Code(b[0])
	if !p.Code.ValidIn(t) { // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
		return ErrReasonCode.about(t.String())
	}
	if len(b) == 1 {
		return nil
	}
	return decodeTail(&p.Props, b[1:], v, t)
}

// Size is the size of the encoded packet, in bytes.
func (p *Ack) Size(v Version) int { return PacketSize(p.bodySize(v)) }

func (p *Ack) bodySize(v Version) int { return 2 + shortTail(p.Code, p.Props, v) }

// shortTail is the size of a reason code and properties that may be left out from the end as far as they say nothing.
func shortTail(c Code, p Properties, v Version) int {
	switch {
	case !v.Is5():
		return 0
	case p.Len() > 0:
		return 1 + propertiesSize(p.Len())
	case c != CodeSuccess:
		return 1
	}
	return 0
}

// appendShortTail writes what shortTail counted.
func appendShortTail(dst []byte, c Code, p Properties, v Version) []byte {
	switch shortTail(c, p, v) {
	case 0:
		return dst
	case 1:
		return append(dst, byte(c))
	}
	return appendProperties(append(dst, byte(c)), p)
}

// Append appends the packet in its shortest form.
func (p *Ack) Append(dst []byte, v Version) []byte {
	first := byte(p.Type) << 4
	if p.Type == TypePubrel {
		first |= 2 // [MQTT-3.6.1-1]
	}
	dst = appendHeader(dst, first, p.bodySize(v))
	dst = binary.BigEndian.AppendUint16(dst, p.PacketID)
	return appendShortTail(dst, p.Code, p.Props, v)
}
