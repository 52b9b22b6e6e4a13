package mqtt

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// codesOf lists the reason codes of each packet, from the packets' own chapters of the specification and from the table in 2.4, where the
// two differ (0x8C in a DISCONNECT) from both.
var codesOf = map[Type][]Code{
	TypeConnack: {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95,
		0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F},
	TypePuback:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	TypePubrec:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	TypePubrel:   {0x00, 0x92},
	TypePubcomp:  {0x00, 0x92},
	TypeSuback:   {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
	TypeUnsuback: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
	TypeDisconnect: {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
		0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2},
	TypeAuth: {0x00, 0x18, 0x19},
}

func TestCodesOfPackets(t *testing.T) {
	for typ := range Type(255) {
		var got []Code
		for c := range 256 {
			if Code(c).ValidIn(typ) {
				got = append(got, Code(c))
			}
		}
		if diff := cmp.Diff(codesOf[typ], got); diff != "" {
			t.Errorf("codes of %v (-want +got):\n%s", typ, diff)
		}
	}
}

// TestNames asks every name that the tables have to give, and one beyond.
func TestNames(t *testing.T) {
	seen := map[string]Code{}
	for i := range 256 {
		c := Code(i)
		s := c.String()
		if other, ok := seen[s]; ok {
			t.Errorf("%#x and %#x are both %q", byte(other), i, s)
		}
		seen[s] = c
		if defined := codeTable[c].in != 0; defined == strings.HasPrefix(s, "reason code 0x") {
			t.Errorf("%#x is defined: %v, but is called %q", i, defined, s)
		}
	}
	for got, want := range map[string]string{
		TypePubcomp.String(): "PUBCOMP", Type(0).String(): "reserved", Type(16).String(): "type 16",
		V31.String(): "3.1", V311.String(): "3.1.1", V5.String(): "5.0", Version(6).String(): "level 6",
		PropReasonString.String(): "Reason String", PropID(0x04).String(): "property 0x04", PropID(0xFF).String(): "property 0xFF",
		CodeReceiveMaximumExceeded.String(): "receive maximum exceeded", Code(0x7F).String(): "reason code 0x7F",
	} {
		if got != want {
			t.Errorf("name is %q, want %q", got, want)
		}
	}
}

func TestConnackReturn(t *testing.T) {
	want := map[Code]byte{
		CodeSuccess: 0, CodeUnsupportedProtocolVersion: 1, CodeClientIdentifierNotValid: 2, CodeServerUnavailable: 3,
		CodeBadUserNameOrPassword: 4, CodeNotAuthorized: 5, CodeBanned: 5, CodeBadAuthenticationMethod: 5,
	}
	for i := range 256 {
		w, ok := want[Code(i)]
		if !ok {
			w = 3
		}
		if got := Code(i).ConnackReturn(); got != w {
			t.Errorf("%v is return code %d, want %d", Code(i), got, w)
		}
	}
	for r, c := range connackCodes {
		if got := c.ConnackReturn(); int(got) != r {
			t.Errorf("return code %d is %v, which is return code %d", r, c, got)
		}
	}
}

// TestRefusalsBefore5 holds what codes that only MQTT 5 has become on the wire of 3.x.
func TestRefusalsBefore5(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    any
		v    Version
		want string
	}{
		{"suback", &Suback{PacketID: 1, Codes: []Code{CodeGrantedQoS1, CodeNotAuthorized, CodeQuotaExceeded}}, V311, "90 05 0001 01 80 80"},
		{"connack", &Connack{Code: CodeServerShuttingDown, Props: props(PropReasonString, "x")}, V311, "20 02 00 03"},
		{"connack, session present and refused", &Connack{SessionPresent: true, Code: CodeNotAuthorized}, V5, "20 03 00 87 00"},
		{"connack 3.1, session present", &Connack{SessionPresent: true}, V31, "20 02 00 00"},
		{"puback", &Ack{Type: TypePuback, PacketID: 1, Code: CodeNotAuthorized, Props: props(PropReasonString, "x")}, V311, "40 02 0001"},
		{"unsuback", &Unsuback{PacketID: 1, Codes: []Code{CodeNoSubscriptionExisted}}, V31, "b0 02 0001"},
		{"publish", &Publish{Topic: []byte("a"), Props: props(PropPayloadFormat, 1)}, V311, "30 03 0001 'a'"},
		{"disconnect", &Disconnect{Code: CodeDisconnectWithWill, Props: props(PropSessionExpiry, 1)}, V311, "e0 00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := wire(tt.want)
			got, size := appendPacket(nil, tt.p, tt.v)
			if diff := cmp.Diff(want, got); diff != "" || size != len(want) {
				t.Errorf("encoded, size said to be %d (-want +got):\n%s", size, diff)
			}
		})
	}
	if b := new(Auth).Append(nil, V311); len(b) > 0 {
		t.Errorf("AUTH before MQTT 5 is % x, want nothing", b)
	}
	if err := new(Auth).Decode(nil, V311); err != ErrPacketType {
		t.Errorf("AUTH before MQTT 5 decodes with %v, want %v", err, ErrPacketType)
	}
}
