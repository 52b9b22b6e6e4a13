package mqtt

import "encoding/binary"

// Suback is a SUBACK: one code for each entry of the SUBSCRIBE, in its order [MQTT-3.9.3-1].
type Suback struct {
	PacketID uint16
	Props    Properties // MQTT 5
	Codes    []Code
}

// Decode decodes the body of a SUBACK. Codes is copied into the memory it has.
func (p *Suback) Decode(body []byte, v Version) (err error) {
	if p.PacketID, body, err = takePacketID(body); err != nil {
		return err
	}
	p.Props = Properties{}
	if v.Is5() {
		if p.Props, body, err = takeProperties(body, inSuback); err != nil {
			return err
		}
	}
	p.Codes, err = takeCodes(p.Codes[:0], body, v, TypeSuback) // [MQTT-3.9.3-2]
	return err
}

// takeCodes appends the codes that end a SUBACK or UNSUBACK to dst.
func takeCodes(dst []Code, b []byte, v Version, t Type) ([]Code, error) {
	if len(b) == 0 {
		return dst, ErrNoCodes.about(t.String())
	}
	for _, c := range b {
		c := Code(c)
		if !c.ValidIn(t) || !v.Is5() && c > CodeUnspecifiedError {
			return dst, ErrReasonCode.about(t.String())
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// Size is the size of the encoded packet, in bytes.
func (p *Suback) Size(v Version) int { return PacketSize(p.bodySize(v)) }

func (p *Suback) bodySize(v Version) int {
	n := 2 + len(p.Codes)
	if v.Is5() {
		n += propertiesSize(p.Props.Len())
	}
	return n
}

// Append appends the packet. Before MQTT 5 every refusal is written as 0x80, the only one there is.
func (p *Suback) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(TypeSuback)<<4, p.bodySize(v))
	dst = binary.BigEndian.AppendUint16(dst, p.PacketID)
	if v.Is5() {
		dst = appendProperties(dst, p.Props)
	}
	for _, c := range p.Codes {
		if c.Failed() && !v.Is5() {
			c = CodeUnspecifiedError
		}
		dst = append(dst, byte(c))
	}
	return dst
}

// Unsuback is an UNSUBACK: in MQTT 5 with one code for each entry of the UNSUBSCRIBE, in its order [MQTT-3.11.3-1]; before, without.
type Unsuback struct {
	PacketID uint16
	Props    Properties // MQTT 5
	Codes    []Code     // MQTT 5
}

// Decode decodes the body of an UNSUBACK. Codes is copied into the memory it has.
func (p *Unsuback) Decode(body []byte, v Version) (err error) {
	p.Props, p.Codes = Properties{}, p.Codes[:0]
	if p.PacketID, body, err = takePacketID(body); err != nil {
		return err
	}
	if !v.Is5() {
		if len(body) > 0 {
			return ErrTrailingBytes.about(TypeUnsuback.String())
		}
		return nil
	}
	if p.Props, body, err = takeProperties(body, inUnsuback); err != nil {
		return err
	}
	p.Codes, err = takeCodes(p.Codes, body, v, TypeUnsuback) // [MQTT-3.11.3-2]
	return err
}

// Size is the size of the encoded packet, in bytes.
func (p *Unsuback) Size(v Version) int { return PacketSize(p.bodySize(v)) }

func (p *Unsuback) bodySize(v Version) int {
	if v.Is5() {
		return 2 + propertiesSize(p.Props.Len()) + len(p.Codes)
	}
	return 2
}

// Append appends the packet.
func (p *Unsuback) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(TypeUnsuback)<<4, p.bodySize(v))
	dst = binary.BigEndian.AppendUint16(dst, p.PacketID)
	if !v.Is5() {
		return dst
	}
	dst = appendProperties(dst, p.Props)
	for _, c := range p.Codes {
		dst = append(dst, byte(c))
	}
	return dst
}
