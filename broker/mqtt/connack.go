package mqtt

// Connack is a CONNACK.
type Connack struct {
	SessionPresent bool // goes with CodeSuccess only; MQTT 3.1 does not have it
	Code           Code
	Props          Properties // MQTT 5
}

// Decode decodes the body of a CONNACK. A return code of MQTT 3.x becomes the reason code it stands for.
func (p *Connack) Decode(body []byte, v Version) error {
	*p = Connack{}
	if len(body) < 2 {
		return ErrTruncated.about(TypeConnack.String())
	}
	flags, code, b := body[0], body[1], body[2:]
	if v == V31 {
		flags = 0 // reserved there, and said to be unused
	}
	if flags&^1 != 0 {
		return ErrConnackFlags // [MQTT-3.2.2-1]
	}
	p.SessionPresent = flags == 1
	switch {
	case v.Is5():
		p.Code = Code(code)
		if !p.Code.ValidIn(TypeConnack) {
			return ErrReasonCode // [MQTT-3.2.2-8]
		}
	case int(code) < len(connackCodes):
		p.Code = connackCodes[code]
	default:
		return ErrReasonCode
	}
	if p.SessionPresent && p.Code != CodeSuccess {
		return ErrSessionPresent // [MQTT-3.2.2-6]
	}
	return decodeTail(&p.Props, b, v, TypeConnack)
}

// decodeTail decodes what ends a packet of type t: the property block of MQTT 5, or nothing.
func decodeTail(p *Properties, b []byte, v Version, t Type) (err error) {
	if v.Is5() {
		if *p, b, err = takeProperties(b, 1<<t); err != nil {
			return err
		}
	}
	if len(b) > 0 {
		return ErrTrailingBytes.about(t.String())
	}
	return nil
}

// Size is the size of the encoded packet, in bytes.
func (p *Connack) Size(v Version) int { return PacketSize(p.bodySize(v)) }

func (p *Connack) bodySize(v Version) int {
	if v.Is5() {
		return 2 + propertiesSize(p.Props.Len())
	}
	return 2
}

// Append appends the packet. For MQTT 3.x it writes Code.ConnackReturn. Session present goes out with success only [MQTT-3.2.2-6].
func (p *Connack) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(TypeConnack)<<4, p.bodySize(v))
	var flags byte
	if p.SessionPresent && p.Code == CodeSuccess && v != V31 {
		flags = 1
	}
	if v.Is5() {
		return appendProperties(append(dst, flags, byte(p.Code)), p.Props)
	}
	return append(dst, flags, p.Code.ConnackReturn())
}
