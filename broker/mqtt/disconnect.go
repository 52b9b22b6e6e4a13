package mqtt

// Disconnect is a DISCONNECT. Before MQTT 5 only clients send it, and it is empty.
type Disconnect struct {
	Code  Code       // MQTT 5
	Props Properties // MQTT 5
}

// Decode decodes the body of a DISCONNECT. In MQTT 5 code and properties may be left out when they say nothing.
func (p *Disconnect) Decode(body []byte, v Version) error {
	return decodeReason(&p.Code, &p.Props, body, v, TypeDisconnect) // [MQTT-3.14.2-1]
}

// decodeReason decodes a body of reason code and properties, both of which may be missing from the end.
func decodeReason(c *Code, p *Properties, body []byte, v Version, t Type) error {
	*c, *p = CodeSuccess, Properties{}
	if len(body) == 0 {
		return nil
	}
	if !v.Is5() {
		return ErrTrailingBytes.about(t.String())
	}
	*c = Code(body[0])
	if !c.ValidIn(t) {
		return ErrReasonCode.about(t.String())
	}
	if len(body) == 1 {
		return nil
	}
	return decodeTail(p, body[1:], v, t)
}

// Size is the size of the encoded packet, in bytes.
func (p *Disconnect) Size(v Version) int { return PacketSize(shortTail(p.Code, p.Props, v)) }

// Append appends the packet in its shortest form.
func (p *Disconnect) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(TypeDisconnect)<<4, shortTail(p.Code, p.Props, v))
	return appendShortTail(dst, p.Code, p.Props, v)
}

// Auth is an AUTH, which MQTT 5 alone has.
type Auth struct {
	Code  Code // CodeSuccess, CodeContinueAuthentication or CodeReauthenticate
	Props Properties
}

// Decode decodes the body of an AUTH. Only an empty one, which means success, may go without an authentication method.
func (p *Auth) Decode(body []byte, v Version) error {
	if !v.Is5() {
		return ErrPacketType
	}
	if err := decodeReason(&p.Code, &p.Props, body, v, TypeAuth); err != nil { // [MQTT-3.15.2-1]
		return err
	}
	if len(body) > 0 && !p.Props.Has(PropAuthMethod) {
		return ErrAuthMethod
	}
	return nil
}

// Size is the size of the encoded packet, in bytes.
func (p *Auth) Size(v Version) int { return PacketSize(shortTail(p.Code, p.Props, v)) }

// Append appends the packet in its shortest form. Before MQTT 5 there is none: dst comes back as it was.
func (p *Auth) Append(dst []byte, v Version) []byte {
	if !v.Is5() {
		return dst
	}
	dst = appendHeader(dst, byte(TypeAuth)<<4, shortTail(p.Code, p.Props, v))
	return appendShortTail(dst, p.Code, p.Props, v)
}
