package mqtt

import "strconv"

// Version is a protocol level as in the CONNECT packet, without the bit that marks a bridge. 0 stands for "not known yet".
type Version byte

// The protocol levels of this codec.
const (
	V31  Version = 3
	V311 Version = 4
	V5   Version = 5
)

// Is5 tells whether packets of this version carry properties and reason codes.
func (v Version) Is5() bool { return v == V5 }

// String gives the name of the version, e.g. "3.1.1".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return "level " + strconv.Itoa(int(v))
}

// Type is the type of a control packet, the high half of its first byte.
type Type byte

// The control packets.
const (
	TypeConnect Type = 1 + iota
	TypeConnack
	TypePublish
	TypePuback
	TypePubrec
	TypePubrel
	TypePubcomp
	TypeSubscribe
	TypeSuback
	TypeUnsubscribe
	TypeUnsuback
	TypePingreq
	TypePingresp
	TypeDisconnect
	TypeAuth
)

var typeNames = [16]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String gives the name of the packet as the specification writes it, e.g. "PUBLISH".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}
