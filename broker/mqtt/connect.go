package mqtt

import "encoding/binary"

// bridgeBit in the protocol level marks a bridge: 0x83 is MQTT 3.1, 0x84 is MQTT 3.1.1 (mosquitto's convention).
const bridgeBit = 0x80

// The two protocol names. The first belongs to MQTT 3.1, whatever level comes with it; the second to all that followed.
const (
	name31 = "MQIsdp"
	name   = "MQTT"
)

// The connect flags.
const (
	flagReserved   = 0x01
	flagCleanStart = 0x02
	flagWill       = 0x04
	flagWillQoS    = 0x18
	flagWillRetain = 0x20
	flagPassword   = 0x40
	flagUsername   = 0x80
)

// Connect is a CONNECT. Slices of a decoded one belong to the body it was decoded from.
type Connect struct {
	Version    Version
	Bridge     bool   // the level had the bridge bit
	CleanStart bool   // clean session in MQTT 3.x
	KeepAlive  uint16 // seconds; 0 none
	ClientID   []byte
	Props      Properties

	HasWill bool
	Will    Will

	HasUsername, HasPassword bool
	Username, Password       []byte
}

// Will is the message that a client leaves behind for when its connection ends without a DISCONNECT.
type Will struct {
	Topic, Payload []byte
	QoS            byte
	Retain         bool
	Props          Properties
}

// Decode decodes the body of a CONNECT. When the protocol is not one of ours the error's code is CodeUnsupportedProtocolVersion and Version
// holds the level that was asked for; with any other error Version tells how to answer, if the packet got that far (else it is 0).
func (p *Connect) Decode(body []byte) error {
	*p = Connect{}
	flags, b, err := p.decodeProtocol(body)
	if err != nil {
		return err
	}
	if err := checkConnectFlags(flags, p.Version); err != nil {
		return err
	}
	p.CleanStart = flags&flagCleanStart != 0
	if p.Version.Is5() {
		if p.Props, b, err = takeProperties(b, inConnect); err != nil {
			return err
		}
	}
	if p.ClientID, b, err = takeString(b, "client identifier"); err != nil { // [MQTT-3.1.3-3] [MQTT-3.1.3-4]
		return err
	}
	if flags&flagWill != 0 {
		p.HasWill = true
		p.Will.QoS = flags & flagWillQoS >> 3
		p.Will.Retain = flags&flagWillRetain != 0
		if b, err = p.Will.decode(b, p.Version); err != nil {
			return err
		}
	}
	return p.decodeLogin(flags, b)
}

// decodeProtocol decodes what comes before the properties: protocol name and level, connect flags, keep alive.
func (p *Connect) decodeProtocol(body []byte) (flags byte, rest []byte, err error) {
	proto, b, ok := takeField(body)
	if !ok || len(b) < 1 {
		return 0, nil, ErrTruncated.about("protocol name and level")
	}
	level := b[0]
	p.Version = Version(level)
	switch string(proto) {
	case name31:
		p.Version, p.Bridge = V31, level&bridgeBit != 0
	case name:
		switch level {
		case byte(V311), byte(V5):
		case byte(V311) | bridgeBit:
			p.Version, p.Bridge = V311, true
		default:
			return 0, nil, ErrProtocolLevel // [MQTT-3.1.2-2]
		}
	default:
		return 0, nil, ErrProtocolName // [MQTT-3.1.2-1]
	}
	if len(b) < 4 {
		return 0, nil, ErrTruncated.about("connect flags and keep alive")
	}
	p.KeepAlive = binary.BigEndian.Uint16(b[2:])
	return b[1], b[4:], nil
}

func checkConnectFlags(flags byte, v Version) error {
	switch {
	case flags&flagReserved != 0:
		return ErrConnectFlags // [MQTT-3.1.2-3]
	case flags&flagWill == 0 && flags&(flagWillQoS|flagWillRetain) != 0:
		return ErrWillFlags // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]
	case flags&flagWillQoS == flagWillQoS:
		return ErrWillQoS // [MQTT-3.1.2-12]
	case flags&flagPassword != 0 && flags&flagUsername == 0 && !v.Is5():
		return ErrPasswordFlag // [MQTT-3.1.2-22] of 3.1.1
	}
	return nil
}

// decode decodes the fields of a will and gives what follows them.
func (w *Will) decode(b []byte, v Version) (rest []byte, err error) {
	if v.Is5() {
		if w.Props, b, err = takeProperties(b, inWill); err != nil {
			return nil, err
		}
	}
	var ok bool
	if w.Topic, b, ok = takeField(b); !ok {
		return nil, ErrTruncated.about("will topic")
	}
	if !validTopicBytes(w.Topic) { // [MQTT-3.1.3-11]
		return nil, topicError(w.Topic)
	}
	if len(w.Topic) == 0 {
		return nil, ErrTopicEmpty.about("will")
	}
	if w.Payload, b, ok = takeField(b); !ok {
		return nil, ErrTruncated.about("will payload")
	}
	return b, nil
}

// decodeLogin decodes user name and password, which end the packet. In MQTT 3.1 the length of the packet takes precedence over their flags:
// a name or password that is announced and then not there at all is absent, and no error.
func (p *Connect) decodeLogin(flags byte, b []byte) (err error) {
	absent := func() bool { return p.Version == V31 && len(b) == 0 }
	if flags&flagUsername != 0 && !absent() {
		p.HasUsername = true
		if p.Username, b, err = takeString(b, "user name"); err != nil { // [MQTT-3.1.3-12]
			return err
		}
	}
	if flags&flagPassword != 0 && !absent() {
		var ok bool
		p.HasPassword = true
		if p.Password, b, ok = takeField(b); !ok {
			return ErrTruncated.about("password")
		}
	}
	if len(b) > 0 {
		return ErrTrailingBytes.about(TypeConnect.String())
	}
	return nil
}

// Size is the size of the encoded packet, in bytes.
func (p *Connect) Size() int { return PacketSize(p.bodySize()) }

func (p *Connect) bodySize() int {
	n := 2 + len(name) + 4 + fieldSize(p.ClientID)
	if p.Version == V31 {
		n += len(name31) - len(name)
	}
	if p.Version.Is5() {
		n += propertiesSize(p.Props.Len())
	}
	if p.HasWill {
		n += fieldSize(p.Will.Topic) + fieldSize(p.Will.Payload)
		if p.Version.Is5() {
			n += propertiesSize(p.Will.Props.Len())
		}
	}
	if p.HasUsername {
		n += fieldSize(p.Username)
	}
	if p.HasPassword {
		n += fieldSize(p.Password)
	}
	return n
}

// Append appends the packet in the form of p.Version, which has to be one of ours. Fields are not validated; those that are longer than a
// field can be are cut.
func (p *Connect) Append(dst []byte) []byte {
	dst = appendHeader(dst, byte(TypeConnect)<<4, p.bodySize())
	proto, level := name, byte(p.Version)
	if p.Version == V31 {
		proto = name31
	}
	if p.Bridge && !p.Version.Is5() {
		level |= bridgeBit
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(proto)))
	dst = append(dst, proto...)
	dst = append(dst, level, p.flags())
	dst = binary.BigEndian.AppendUint16(dst, p.KeepAlive)
	if p.Version.Is5() {
		dst = appendProperties(dst, p.Props)
	}
	dst = appendField(dst, p.ClientID)
	if p.HasWill {
		if p.Version.Is5() {
			dst = appendProperties(dst, p.Will.Props)
		}
		dst = appendField(appendField(dst, p.Will.Topic), p.Will.Payload)
	}
	if p.HasUsername {
		dst = appendField(dst, p.Username)
	}
	if p.HasPassword {
		dst = appendField(dst, p.Password)
	}
	return dst
}

// flags gives the connect flags.
func (p *Connect) flags() (f byte) {
	set := func(on bool, bit byte) {
		if on {
			f |= bit
		}
	}
	set(p.CleanStart, flagCleanStart)
	set(p.HasWill, flagWill|p.Will.QoS<<3)
	set(p.HasWill && p.Will.Retain, flagWillRetain)
	set(p.HasPassword, flagPassword)
	set(p.HasUsername, flagUsername)
	return f
}
