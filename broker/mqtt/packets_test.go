package mqtt

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// roundTrips drives decoding and encoding. canon is what encoding gives where the packet has a shorter form than the one that came in.
var roundTrips = []struct {
	name  string
	v     Version
	wire  string
	want  any
	canon string
}{
	// CONNECT
	{name: "connect 3.1", v: V31, wire: "10 0f 0006 'MQIsdp' 03 02 003c 0001 'a'",
		want: &Connect{Version: V31, CleanStart: true, KeepAlive: 60, ClientID: []byte("a")}},
	{name: "connect 3.1 as a bridge", v: V31, wire: "10 0f 0006 'MQIsdp' 83 00 003c 0001 'a'",
		want: &Connect{Version: V31, Bridge: true, KeepAlive: 60, ClientID: []byte("a")}},
	{name: "connect 3.1 under another level", v: V31, wire: "10 0f 0006 'MQIsdp' 04 02 003c 0001 'a'",
		want:  &Connect{Version: V31, CleanStart: true, KeepAlive: 60, ClientID: []byte("a")},
		canon: "10 0f 0006 'MQIsdp' 03 02 003c 0001 'a'"},
	{name: "connect 3.1 announces a user name and has none", v: V31, wire: "10 0f 0006 'MQIsdp' 03 c2 003c 0001 'a'",
		want:  &Connect{Version: V31, CleanStart: true, KeepAlive: 60, ClientID: []byte("a")},
		canon: "10 0f 0006 'MQIsdp' 03 02 003c 0001 'a'"},
	{name: "connect 3.1 announces a password and has none", v: V31, wire: "10 12 0006 'MQIsdp' 03 c2 003c 0001 'a' 0001 'u'",
		want: &Connect{Version: V31, CleanStart: true, KeepAlive: 60, ClientID: []byte("a"),
			HasUsername: true, Username: []byte("u")},
		canon: "10 12 0006 'MQIsdp' 03 82 003c 0001 'a' 0001 'u'"},
	{name: "connect 3.1.1, no client identifier", v: V311, wire: "10 0c 0004 'MQTT' 04 02 0000 0000",
		want: &Connect{Version: V311, CleanStart: true}},
	{name: "connect 3.1.1 as a bridge", v: V311, wire: "10 0e 0004 'MQTT' 84 00 ffff 0002 'br'",
		want: &Connect{Version: V311, Bridge: true, KeepAlive: 65535, ClientID: []byte("br")}},
	{name: "connect 3.1.1 with everything", v: V311,
		wire: "10 1c 0004 'MQTT' 04 f6 003c 0001 'c' 0003 'w/t' 0002 00ff 0001 'u' 0001 'p'",
		want: &Connect{Version: V311, CleanStart: true, KeepAlive: 60, ClientID: []byte("c"),
			HasWill: true, Will: Will{Topic: []byte("w/t"), Payload: []byte{0, 0xFF}, QoS: 2, Retain: true},
			HasUsername: true, Username: []byte("u"), HasPassword: true, Password: []byte("p")}},
	{name: "connect 3.1.1, empty will payload, name and password", v: V311,
		wire: "10 16 0004 'MQTT' 04 cc 0000 0001 'c' 0001 'w' 0000 0000 0000",
		want: &Connect{Version: V311, ClientID: []byte("c"), HasWill: true, Will: Will{Topic: []byte("w"), Payload: []byte{}, QoS: 1},
			HasUsername: true, Username: []byte{}, HasPassword: true, Password: []byte{}}},
	{name: "connect 5", v: V5, wire: "10 0d 0004 'MQTT' 05 02 003c 00 0000", want: &Connect{Version: V5, CleanStart: true, KeepAlive: 60}},
	{name: "connect 5, password alone", v: V5, wire: "10 10 0004 'MQTT' 05 42 003c 00 0000 0001 'p'",
		want: &Connect{Version: V5, CleanStart: true, KeepAlive: 60, HasPassword: true, Password: []byte("p")}},
	{name: "connect 5 with everything", v: V5,
		wire: "10 62 0004 'MQTT' 05 ee 000a" +
			" 2f 11 00000e10 21 0014 27 00001000 22 000a 19 01 17 00 26 0001 'k' 0001 'v' 15 0005 'PLAIN' 16 0002 01ff 26 0001 'k' 0001 'w'" +
			" 0002 'id' 17 18 00000005 01 01 02 00000064 03 0001 'x' 08 0001 'r' 09 0000 0001 't' 0001 'm' 0001 'u' 0001 'p'",
		want: &Connect{Version: V5, CleanStart: true, KeepAlive: 10, ClientID: []byte("id"),
			Props: props(PropSessionExpiry, 3600, PropReceiveMaximum, 20, PropMaximumPacketSize, 4096, PropTopicAliasMaximum, 10,
				PropRequestResponseInfo, 1, PropRequestProblemInfo, 0, PropUserProperty, [2]string{"k", "v"}, PropAuthMethod, "PLAIN",
				PropAuthData, "\x01\xff", PropUserProperty, [2]string{"k", "w"}),
			HasWill: true, Will: Will{Topic: []byte("t"), Payload: []byte("m"), QoS: 1, Retain: true,
				Props: props(PropWillDelay, 5, PropPayloadFormat, 1, PropMessageExpiry, 100, PropContentType, "x", PropResponseTopic, "r",
					PropCorrelationData, "")},
			HasUsername: true, Username: []byte("u"), HasPassword: true, Password: []byte("p")}},

	// CONNACK
	{name: "connack 3.1", v: V31, wire: "20 02 00 00", want: &Connack{}},
	{name: "connack 3.1, reserved byte", v: V31, wire: "20 02 ff 05", want: &Connack{Code: CodeNotAuthorized}, canon: "20 02 00 05"},
	{name: "connack 3.1.1, session present", v: V311, wire: "20 02 01 00", want: &Connack{SessionPresent: true}},
	{name: "connack 3.1.1, version", v: V311, wire: "20 02 00 01", want: &Connack{Code: CodeUnsupportedProtocolVersion}},
	{name: "connack 3.1.1, identifier", v: V311, wire: "20 02 00 02", want: &Connack{Code: CodeClientIdentifierNotValid}},
	{name: "connack 3.1.1, unavailable", v: V311, wire: "20 02 00 03", want: &Connack{Code: CodeServerUnavailable}},
	{name: "connack 3.1.1, password", v: V311, wire: "20 02 00 04", want: &Connack{Code: CodeBadUserNameOrPassword}},
	{name: "connack 3.1.1, not authorized", v: V311, wire: "20 02 00 05", want: &Connack{Code: CodeNotAuthorized}},
	{name: "connack 5", v: V5, wire: "20 03 01 00 00", want: &Connack{SessionPresent: true}},
	{name: "connack 5 refuses", v: V5, wire: "20 07 00 87 04 1f 0001 'n'",
		want: &Connack{Code: CodeNotAuthorized, Props: props(PropReasonString, "n")}},
	{name: "connack 5 with everything", v: V5,
		wire: "20 34 00 00 31 11 00000001 21 0001 24 01 25 00 27 ffffffff 12 0001 'a' 22 ffff 28 01 29 00 2a 01 13 003c" +
			" 1a 0001 'r' 1c 0001 's' 15 0001 'm' 16 0001 'd'",
		want: &Connack{Props: props(PropSessionExpiry, 1, PropReceiveMaximum, 1, PropMaximumQoS, 1, PropRetainAvailable, 0,
			PropMaximumPacketSize, 1<<32-1, PropAssignedClientID, "a", PropTopicAliasMaximum, 65535, PropWildcardSubAvailable, 1,
			PropSubIDAvailable, 0, PropSharedSubAvailable, 1, PropServerKeepAlive, 60, PropResponseInfo, "r", PropServerReference, "s",
			PropAuthMethod, "m", PropAuthData, "d")}},

	// PUBLISH
	{name: "publish QoS 0", v: V311, wire: "30 05 0001 'a' 'hi'", want: &Publish{Topic: []byte("a"), Payload: []byte("hi")}},
	{name: "publish QoS 0, no payload, retain", v: V31, wire: "31 05 0003 'a/b'", want: &Publish{Topic: []byte("a/b"), Retain: true}},
	{name: "publish QoS 1", v: V311, wire: "32 06 0001 'a' 0001 'x'",
		want: &Publish{Topic: []byte("a"), QoS: 1, PacketID: 1, Payload: []byte("x")}},
	{name: "publish QoS 2, dup and retain", v: V311, wire: "3d 06 0001 'a' ffff 'x'",
		want: &Publish{Topic: []byte("a"), QoS: 2, Dup: true, Retain: true, PacketID: 65535, Payload: []byte("x")}},
	{name: "publish, topic not ASCII", v: V311, wire: "30 0f 000d 'm' c3bc 'll/' e282ac f09f9880", want: &Publish{Topic: []byte("müll/€😀")}},
	{name: "publish 5", v: V5, wire: "30 04 0001 'a' 00", want: &Publish{Topic: []byte("a")}},
	{name: "publish 5, QoS 2", v: V5, wire: "34 07 0001 'a' 0009 00 'x'",
		want: &Publish{Topic: []byte("a"), QoS: 2, PacketID: 9, Payload: []byte("x")}},
	{name: "publish 5, alias for the topic", v: V5, wire: "30 06 0000 03 23 0007", want: &Publish{Props: props(PropTopicAlias, 7)}},
	{name: "publish 5 with everything", v: V5,
		wire: "33 35 0001 't' 0001 2d 01 01 02 00000010 23 0001 08 0003 'r/s' 09 0002 00ff 26 0001 'a' 0001 'b' 26 0001 'a' 0000 0b 01 0b ffffff7f" +
			" 03 0001 'c' '!!'",
		want: &Publish{Topic: []byte("t"), QoS: 1, Retain: true, PacketID: 1, Payload: []byte("!!"),
			Props: props(PropPayloadFormat, 1, PropMessageExpiry, 16, PropTopicAlias, 1, PropResponseTopic, "r/s", PropCorrelationData, "\x00\xff",
				PropUserProperty, [2]string{"a", "b"}, PropUserProperty, [2]string{"a", ""}, PropSubscriptionID, 1, PropSubscriptionID, MaxBody,
				PropContentType, "c")}},
	{name: "publish 3.1.1, padded length", v: V311, wire: "30 858000 0001 'a' 'hi'", want: &Publish{Topic: []byte("a"), Payload: []byte("hi")},
		canon: "30 05 0001 'a' 'hi'"},

	// Acknowledgements
	{name: "puback", v: V311, wire: "40 02 0001", want: &Ack{Type: TypePuback, PacketID: 1}},
	{name: "pubrec", v: V31, wire: "50 02 00ff", want: &Ack{Type: TypePubrec, PacketID: 255}},
	{name: "pubrel", v: V311, wire: "62 02 0100", want: &Ack{Type: TypePubrel, PacketID: 256}},
	{name: "pubrel 3.1 again", v: V31, wire: "6a 02 0100", want: &Ack{Type: TypePubrel, PacketID: 256}, canon: "62 02 0100"},
	{name: "pubcomp", v: V311, wire: "70 02 ffff", want: &Ack{Type: TypePubcomp, PacketID: 65535}},
	{name: "puback 5, short", v: V5, wire: "40 02 0001", want: &Ack{Type: TypePuback, PacketID: 1}},
	{name: "puback 5, code", v: V5, wire: "40 03 0001 10", want: &Ack{Type: TypePuback, PacketID: 1, Code: CodeNoMatchingSubscribers}},
	{name: "puback 5, code spelled out", v: V5, wire: "40 03 0001 00", want: &Ack{Type: TypePuback, PacketID: 1}, canon: "40 02 0001"},
	{name: "puback 5, empty properties", v: V5, wire: "40 04 0001 87 00",
		want:  &Ack{Type: TypePuback, PacketID: 1, Code: CodeNotAuthorized},
		canon: "40 03 0001 87"},
	{name: "pubrec 5, reason", v: V5, wire: "50 08 0001 97 04 1f 0001 'q'",
		want: &Ack{Type: TypePubrec, PacketID: 1, Code: CodeQuotaExceeded, Props: props(PropReasonString, "q")}},
	{name: "pubrel 5, not found", v: V5, wire: "62 03 0001 92", want: &Ack{Type: TypePubrel, PacketID: 1, Code: CodePacketIdentifierNotFound}},
	{name: "pubcomp 5, user property", v: V5, wire: "70 0b 0001 00 07 26 0001 'k' 0001 'v'",
		want: &Ack{Type: TypePubcomp, PacketID: 1, Props: props(PropUserProperty, [2]string{"k", "v"})}},

	// SUBSCRIBE and SUBACK
	{name: "subscribe", v: V311, wire: "82 0f 0001 0003 'a/+' 01 0004 '$x/#' 02", want: subscribe(1, Properties{}, "a/+", 1, "$x/#", 2)},
	{name: "subscribe 3.1 again", v: V31, wire: "8a 06 0001 0001 'a' 00",
		want:  subscribe(1, Properties{}, "a", 0),
		canon: "82 06 0001 0001 'a' 00"},
	{name: "subscribe 5", v: V5, wire: "82 0e 0001 02 0b 05 0001 'a' 2e 0002 'b/' 19",
		want: subscribe(1, props(PropSubscriptionID, 5), "a", 0x2E, "b/", 0x19)},
	{name: "subscribe 5, shared", v: V5, wire: "82 11 0001 00 000b '$share/g/aa' 2a", want: subscribe(1, Properties{}, "$share/g/aa", 0x2A)},
	{name: "suback", v: V311, wire: "90 06 0001 00 01 02 80", want: &Suback{PacketID: 1, Codes: []Code{0, 1, 2, 0x80}}},
	{name: "suback 5", v: V5, wire: "90 0a 0001 04 1f 0001 'r' 02 87 9e",
		want: &Suback{PacketID: 1, Props: props(PropReasonString, "r"),
			Codes: []Code{CodeGrantedQoS2, CodeNotAuthorized, CodeSharedSubscriptionsNotSupported}}},

	// UNSUBSCRIBE and UNSUBACK
	{name: "unsubscribe", v: V311, wire: "a2 08 0001 0001 'a' 0001 '#'", want: unsubscribe(1, Properties{}, "a", "#")},
	{name: "unsubscribe 5", v: V5, wire: "a2 0d 0001 07 26 0001 'k' 0001 'v' 0001 'a'",
		want: unsubscribe(1, props(PropUserProperty, [2]string{"k", "v"}), "a")},
	{name: "unsuback", v: V311, wire: "b0 02 0001", want: &Unsuback{PacketID: 1}},
	{name: "unsuback 5", v: V5, wire: "b0 05 0001 00 00 11",
		want: &Unsuback{PacketID: 1, Codes: []Code{CodeSuccess, CodeNoSubscriptionExisted}}},

	// The rest
	{name: "pingreq", v: V311, wire: "c0 00", want: ping{TypePingreq}},
	{name: "pingresp", v: V5, wire: "d0 00", want: ping{TypePingresp}},
	{name: "disconnect", v: V311, wire: "e0 00", want: &Disconnect{}},
	{name: "disconnect 5, short", v: V5, wire: "e0 00", want: &Disconnect{}},
	{name: "disconnect 5, code", v: V5, wire: "e0 01 04", want: &Disconnect{Code: CodeDisconnectWithWill}},
	{name: "disconnect 5, expiry", v: V5, wire: "e0 07 00 05 11 00000000", want: &Disconnect{Props: props(PropSessionExpiry, 0)}},
	{name: "disconnect 5, another server", v: V5, wire: "e0 06 9c 04 1c 0001 's'",
		want: &Disconnect{Code: CodeUseAnotherServer, Props: props(PropServerReference, "s")}},
	{name: "auth, empty", v: V5, wire: "f0 00", want: &Auth{}},
	{name: "auth goes on", v: V5, wire: "f0 0a 18 08 15 0001 'm' 16 0001 'd'",
		want: &Auth{Code: CodeContinueAuthentication, Props: props(PropAuthMethod, "m", PropAuthData, "d")}},
	{name: "auth again", v: V5, wire: "f0 06 19 04 15 0001 'm'", want: &Auth{Code: CodeReauthenticate, Props: props(PropAuthMethod, "m")}},
}

// subscribe builds a SUBSCRIBE from filters, each followed by its options.
func subscribe(id uint16, p Properties, entries ...any) *Subscribe {
	s := &Subscribe{PacketID: id, Props: p}
	for i := 0; i < len(entries); i += 2 {
		s.Add([]byte(entries[i].(string)), SubOptions(entries[i+1].(int)))
	}
	return s
}

func unsubscribe(id uint16, p Properties, filters ...string) *Unsubscribe {
	u := &Unsubscribe{PacketID: id, Props: p}
	for _, f := range filters {
		u.Add([]byte(f))
	}
	return u
}

func TestRoundTrip(t *testing.T) {
	for _, tt := range roundTrips {
		t.Run(tt.name, func(t *testing.T) {
			in := wire(tt.wire)
			got := mustDecode(t, in, tt.v)
			if diff := cmp.Diff(tt.want, got, packetOpts); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
			want := in
			if tt.canon != "" {
				want = wire(tt.canon)
			}
			b, size := appendPacket([]byte("before"), tt.want, tt.v)
			if b = bytes.TrimPrefix(b, []byte("before")); !bytes.Equal(b, want) {
				t.Errorf("encoded (-want +got):\n- % x\n+ % x", want, b)
			}
			if size != len(want) {
				t.Errorf("Size is %d, want %d", size, len(want))
			}
		})
	}
}

// TestReuse decodes every packet of the table into a value that held each of the others of its type: nothing of those may be left.
func TestReuse(t *testing.T) {
	for _, first := range roundTrips {
		for _, then := range roundTrips {
			a, b := wire(first.wire), wire(then.wire)
			if a[0]>>4 != b[0]>>4 {
				continue
			}
			p := mustDecode(t, a, first.v)
			h, _, _ := ReadHeader(b, 0, then.v)
			if err := decodeInto(p, h, b[h.Size:], then.v); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(then.want, p, packetOpts); diff != "" {
				t.Errorf("%s, after %s (-want +got):\n%s", then.name, first.name, diff)
			}
		}
	}
}

// TestFieldsHaveNoRoom appends to the slices of decoded packets: their buffer must not change.
func TestFieldsHaveNoRoom(t *testing.T) {
	spill := func(fields ...[]byte) {
		for _, f := range fields {
			_ = append(f, "XXXXXXXX"...)
		}
	}
	for _, tt := range roundTrips {
		in := append(wire(tt.wire), "next packet"...)
		before := string(in)
		p, _, err := decodePacket(in, 0, tt.v)
		if err != nil {
			t.Fatal(err)
		}
		switch p := p.(type) {
		case *Connect:
			spill(p.ClientID, p.Username, p.Password, p.Will.Topic, p.Will.Payload, p.Props.Raw(), p.Will.Props.Raw())
		case *Publish:
			spill(p.Topic, p.Payload, p.Props.Raw())
			for k, v := range p.Props.User() {
				spill(k, v)
			}
			p.Props.Each(func(_ PropID, value []byte) bool { spill(value); return true })
		case *Subscribe:
			p.Each(func(f []byte, _ SubOptions) { spill(f) })
			p.Add([]byte("more"), 0)
		case *Unsubscribe:
			p.Each(func(f []byte) { spill(f) })
			p.Add([]byte("more"))
		}
		if string(in) != before {
			t.Errorf("%s: the buffer changed (-want +got):\n- % x\n+ % x", tt.name, before, in)
		}
	}
}

// TestConnectWithoutWill encodes a CONNECT whose will is filled in and switched off.
func TestConnectWithoutWill(t *testing.T) {
	c := Connect{Version: V311, CleanStart: true, Will: Will{Topic: []byte("w"), QoS: 1, Retain: true}, Username: []byte("u"), Password: []byte("p")}
	if got, want := c.Append(nil), wire("10 0c 0004 'MQTT' 04 02 0000 0000"); !bytes.Equal(got, want) {
		t.Errorf("encoded (-want +got):\n- % x\n+ % x", want, got)
	}
}

// TestTruncated cuts the body of every packet of the table at every byte and corrects its length. Whatever is still a packet then has to be
// one by the specification: all others are errors.
func TestTruncated(t *testing.T) {
	// Packets that may end early: the payload of a PUBLISH, parts that MQTT 5 lets out, lists that are shorter, and 3.1's missing user name.
	whole := map[string]bool{}
	for _, tt := range roundTrips {
		in := wire(tt.wire)
		h, _, _ := ReadHeader(in, 0, tt.v)
		for n := range h.Body {
			cut := append(appendHeader(nil, in[0], n), in[h.Size:h.Size+n]...)
			p, _, err := decodePacket(cut, 0, tt.v)
			if err == nil {
				whole[fmt.Sprint(tt.v, " ", h.Type)] = true
				b, _ := appendPacket(nil, p, tt.v)
				if again := mustDecode(t, b, tt.v); !cmp.Equal(p, again, packetOpts) {
					t.Errorf("%s cut to %d bytes: not stable", tt.name, n)
				}
			}
		}
	}
	want := map[string]bool{
		"3.1 CONNECT": true, "3.1.1 PUBLISH": true, "5.0 PUBLISH": true, "5.0 PUBACK": true, "5.0 PUBREC": true, "5.0 PUBREL": true,
		"5.0 PUBCOMP": true, "3.1.1 SUBSCRIBE": true, "5.0 SUBSCRIBE": true, "3.1.1 SUBACK": true, "5.0 SUBACK": true, "3.1.1 UNSUBSCRIBE": true,
		"5.0 UNSUBACK": true, "5.0 DISCONNECT": true, "5.0 AUTH": true,
	}
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Errorf("packets that may end early (-want +got):\n%s", diff)
	}
}

// TestSubOptions reads the options of a subscription out of its byte, 3.8.3.1.
func TestSubOptions(t *testing.T) {
	type opts struct {
		QoS        byte
		NoLocal    bool
		RAP        bool
		Retain     byte
		WithRetain SubOptions // after WithRetainHandling(1)
	}
	for o, want := range map[SubOptions]opts{
		0x00: {WithRetain: 0x10}, 0x01: {QoS: 1, WithRetain: 0x11}, 0x02: {QoS: 2, WithRetain: 0x12}, 0x04: {NoLocal: true, WithRetain: 0x14},
		0x08: {RAP: true, WithRetain: 0x18}, 0x10: {Retain: 1, WithRetain: 0x10}, 0x20: {Retain: 2, WithRetain: 0x10},
		0x2E: {QoS: 2, NoLocal: true, RAP: true, Retain: 2, WithRetain: 0x1E},
	} {
		got := opts{o.QoS(), o.NoLocal(), o.RetainAsPublished(), o.RetainHandling(), o.WithRetainHandling(1)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("options %#x (-want +got):\n%s", byte(o), diff)
		}
	}
}

// TestEach holds the order of entries, which the codes of the answer follow.
func TestEach(t *testing.T) {
	var got []string
	subscribe(1, Properties{}, "b", 1, "a/+", 0x2A, "b", 0).Each(func(f []byte, o SubOptions) {
		got = append(got, fmt.Sprintf("%s %#x", f, byte(o)))
	})
	unsubscribe(1, Properties{}, "z", "a", "z").Each(func(f []byte) { got = append(got, string(f)) })
	if diff := cmp.Diff([]string{"b 0x1", "a/+ 0x2a", "b 0x0", "z", "a", "z"}, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestTooLong gives the encoder more than the protocol can say: what it writes stays in step with its own lengths.
func TestTooLong(t *testing.T) {
	long := bytes.Repeat([]byte{'a'}, maxField+1)
	for _, p := range []any{
		&Publish{Topic: long, Payload: []byte("x")}, subscribe(1, Properties{}, string(long), 1, "b", 0), unsubscribe(1, Properties{}, string(long)),
		&Connect{Version: V311, ClientID: long, HasWill: true, Will: Will{Topic: long, Payload: long}, HasUsername: true, Username: long},
	} {
		b, size := appendPacket(nil, p, V311)
		if size != len(b) {
			t.Errorf("%T is %d bytes, Size says %d", p, len(b), size)
		}
		mustDecode(t, b, V311)
	}
	whole := Publish{Topic: []byte("a"), Payload: make([]byte, MaxBody-3)}
	if got := whole.Size(V311, 0); got != 5+MaxBody {
		t.Errorf("size of the largest PUBLISH is %d, want %d", got, 5+MaxBody)
	}
	if b := whole.AppendWith([]byte("x"), V5, nil); string(b) != "x" {
		t.Errorf("a PUBLISH one byte too large became %d bytes", len(b))
	}
}
