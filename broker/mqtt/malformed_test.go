package mqtt

import (
	"errors"
	"strings"
	"testing"
)

// malformed lists packets that have to be refused, each with the error and, in text, the part it has to name.
var malformed = []struct {
	name string
	v    Version
	wire string
	want *Error
	code Code
	text string
}{
	// Fixed header
	{"type 0", V5, "00 00", ErrPacketType, 0x81, ""},
	{"auth before 5", V311, "f0 00", ErrPacketType, 0x81, ""},
	{"flags of CONNECT", V311, "11 00", ErrFlags, 0x81, "CONNECT"},
	{"flags of CONNACK", V5, "28 02 0000", ErrFlags, 0x81, "CONNACK"},
	{"flags of PUBACK", V311, "42 02 0001", ErrFlags, 0x81, "PUBACK"},
	{"flags of PUBREL", V311, "60 02 0001", ErrFlags, 0x81, "PUBREL"},
	{"flags of PUBREL with DUP", V311, "6a 02 0001", ErrFlags, 0x81, "PUBREL"},
	{"flags of SUBSCRIBE", V5, "80 06 0001 0001 'a' 00", ErrFlags, 0x81, "SUBSCRIBE"},
	{"flags of UNSUBSCRIBE", V31, "a0 05 0001 0001 'a'", ErrFlags, 0x81, "UNSUBSCRIBE"},
	{"flags of PINGREQ", V311, "c1 00", ErrFlags, 0x81, "PINGREQ"},
	{"flags of DISCONNECT", V5, "e2 00", ErrFlags, 0x81, "DISCONNECT"},
	{"length of five bytes", V311, "30 ffffffff01", ErrMalformedVarint, 0x81, ""},
	{"length padded", V5, "c0 8000", ErrPaddedVarint, 0x81, ""},
	{"length padded, three bytes", V5, "30 848000 0001 'a' 00", ErrPaddedVarint, 0x81, ""},
	{"body of PINGREQ", V311, "c0 01 00", ErrTrailingBytes, 0x81, "PINGREQ"},
	{"body of PINGRESP", V5, "d0 01 00", ErrTrailingBytes, 0x81, "PINGRESP"},

	// CONNECT
	{"connect, empty", 0, "10 00", ErrTruncated, 0x81, "protocol name"},
	{"connect, no level", 0, "10 06 0004 'MQTT'", ErrTruncated, 0x81, "level"},
	{"connect, no keep alive", 0, "10 08 0004 'MQTT' 04 02", ErrTruncated, 0x81, "keep alive"},
	{"connect, no client identifier", 0, "10 0a 0004 'MQTT' 04 02 0000", ErrTruncated, 0x81, "client identifier"},
	{"connect, name", 0, "10 0c 0004 'MQTX' 04 02 0000 0000", ErrProtocolName, 0x84, ""},
	{"connect, name in small letters", 0, "10 0c 0004 'mqtt' 04 02 0000 0000", ErrProtocolName, 0x84, ""},
	{"connect, level 3 of MQTT", 0, "10 0c 0004 'MQTT' 03 02 0000 0000", ErrProtocolLevel, 0x84, ""},
	{"connect, level 6", 0, "10 0d 0004 'MQTT' 06 02 0000 00 0000", ErrProtocolLevel, 0x84, ""},
	{"connect, bridge of 5", 0, "10 0d 0004 'MQTT' 85 02 0000 00 0000", ErrProtocolLevel, 0x84, ""},
	{"connect, level 6 and nothing else", 0, "10 07 0004 'MQTT' 06", ErrProtocolLevel, 0x84, ""},
	{"connect, reserved flag 3.1", 0, "10 0e 0006 'MQIsdp' 03 03 0000 0000", ErrConnectFlags, 0x81, ""},
	{"connect, reserved flag", 0, "10 0c 0004 'MQTT' 04 03 0000 0000", ErrConnectFlags, 0x81, ""},
	{"connect, reserved flag 5", 0, "10 0d 0004 'MQTT' 05 03 0000 00 0000", ErrConnectFlags, 0x81, ""},
	{"connect, will QoS without will", 0, "10 0c 0004 'MQTT' 04 0a 0000 0000", ErrWillFlags, 0x81, ""},
	{"connect, will retain without will", 0, "10 0c 0004 'MQTT' 04 22 0000 0000", ErrWillFlags, 0x81, ""},
	{"connect, will QoS 3", 0, "10 11 0004 'MQTT' 04 1e 0000 0000 0001 'w' 0000", ErrWillQoS, 0x81, ""},
	{"connect, password alone", 0, "10 0f 0004 'MQTT' 04 42 0000 0000 0001 'p'", ErrPasswordFlag, 0x81, ""},
	{"connect, password alone 3.1", 0, "10 11 0006 'MQIsdp' 03 42 0000 0000 0001 'p'", ErrPasswordFlag, 0x81, ""},
	{"connect, identifier not UTF-8", 0, "10 0d 0004 'MQTT' 04 02 0000 0001 ff", ErrString, 0x81, "client identifier"},
	{"connect, identifier with U+0000", 0, "10 0e 0004 'MQTT' 04 02 0000 0002 'a' 00", ErrString, 0x81, "client identifier"},
	{"connect, no will topic", 0, "10 0c 0004 'MQTT' 04 06 0000 0000", ErrTruncated, 0x81, "will topic"},
	{"connect, no will payload", 0, "10 0f 0004 'MQTT' 04 06 0000 0000 0001 'w'", ErrTruncated, 0x81, "will payload"},
	{"connect, empty will topic", 0, "10 10 0004 'MQTT' 04 06 0000 0000 0000 0000", ErrTopicEmpty, 0x82, "will"},
	{"connect, wildcard in will topic", 0, "10 11 0004 'MQTT' 04 06 0000 0000 0001 '#' 0000", ErrTopicName, 0x90, ""},
	{"connect, will topic not UTF-8", 0, "10 11 0004 'MQTT' 04 06 0000 0000 0001 80 0000", ErrString, 0x81, "topic name"},
	{"connect, no user name", 0, "10 0c 0004 'MQTT' 04 82 0000 0000", ErrTruncated, 0x81, "user name"},
	{"connect, user name cut 3.1", 0, "10 0f 0006 'MQIsdp' 03 82 0000 0000 00", ErrTruncated, 0x81, "user name"},
	{"connect, user name not UTF-8", 0, "10 10 0004 'MQTT' 04 82 0000 0000 0002 c328", ErrString, 0x81, "user name"},
	{"connect, no password", 0, "10 0f 0004 'MQTT' 04 c2 0000 0000 0001 'u'", ErrTruncated, 0x81, "password"},
	{"connect, more", 0, "10 0d 0004 'MQTT' 04 02 0000 0000 00", ErrTrailingBytes, 0x81, "CONNECT"},
	{"connect, no properties", 0, "10 0a 0004 'MQTT' 05 02 0000", ErrTruncated, 0x81, "properties"},
	{"connect, properties too long", 0, "10 0d 0004 'MQTT' 05 02 0000 03 0000", ErrTruncated, 0x81, "properties"},
	{"connect, data without method", 0, "10 11 0004 'MQTT' 05 02 0000 04 16 0001 'd' 0000", ErrAuthDataAlone, 0x82, ""},
	{"connect, will property outside the will", 0, "10 12 0004 'MQTT' 05 02 0000 05 18 00000001 0000", ErrPropertyPlace, 0x81, "Will Delay"},
	{"connect, property inside the will", 0, "10 17 0004 'MQTT' 05 06 0000 00 0000 05 11 00000001 0001 'w' 0000",
		ErrPropertyPlace, 0x81, "Session Expiry"},
	{"connect, property of the will twice", 0, "10 16 0004 'MQTT' 05 06 0000 00 0000 04 01 01 01 01 0001 'w' 0000",
		ErrPropertyTwice, 0x82, "Payload Format"},

	// CONNACK
	{"connack, short", V311, "20 01 00", ErrTruncated, 0x81, "CONNACK"},
	{"connack, flags", V311, "20 02 02 00", ErrConnackFlags, 0x81, ""},
	{"connack, return code", V311, "20 02 00 06", ErrReasonCode, 0x82, ""},
	{"connack, reason code", V5, "20 03 00 01 00", ErrReasonCode, 0x82, ""},
	{"connack, session in a refusal", V311, "20 02 01 05", ErrSessionPresent, 0x82, ""},
	{"connack, more", V311, "20 03 00 00 00", ErrTrailingBytes, 0x81, "CONNACK"},
	{"connack, no properties", V5, "20 02 00 00", ErrTruncated, 0x81, "properties"},

	// PUBLISH
	{"publish, empty", V311, "30 00", ErrTruncated, 0x81, "topic name"},
	{"publish, topic cut", V311, "30 03 0002 'a'", ErrTruncated, 0x81, "topic name"},
	{"publish, QoS 3", V311, "36 05 0001 'a' 0001", ErrPublishQoS, 0x81, ""},
	{"publish, DUP at QoS 0", V311, "38 03 0001 'a'", ErrDupQoS0, 0x81, ""},
	{"publish, no topic", V311, "30 02 0000", ErrTopicEmpty, 0x82, ""},
	{"publish, no topic and no alias", V5, "30 03 0000 00", ErrTopicEmpty, 0x82, ""},
	{"publish, plus", V311, "30 05 0003 'a/+'", ErrTopicName, 0x90, ""},
	{"publish, hash", V5, "30 0c 0009 'abcdefgh#' 00", ErrTopicName, 0x90, ""},
	{"publish, surrogate", V311, "30 05 0003 eda080", ErrString, 0x81, "topic name"},
	{"publish, overlong", V311, "30 04 0002 c0af", ErrString, 0x81, "topic name"},
	{"publish, U+0000", V5, "30 05 0002 'a' 00 00", ErrString, 0x81, "topic name"},
	{"publish, no packet identifier", V311, "32 04 0001 'a' 00", ErrTruncated, 0x81, "packet identifier"},
	{"publish, packet identifier 0", V311, "32 05 0001 'a' 0000", ErrPacketID, 0x82, ""},
	{"publish, no properties", V5, "30 03 0001 'a'", ErrTruncated, 0x81, "properties"},
	{"publish, alias 0", V5, "30 07 0001 'a' 03 23 0000", ErrTopicAlias, 0x94, "Topic Alias"},
	{"publish, alias twice", V5, "30 0a 0001 'a' 06 23 0001 23 0001", ErrPropertyTwice, 0x82, "Topic Alias"},
	{"publish, wildcard in response topic", V5, "30 08 0001 'a' 04 08 0001 '+'", ErrResponseTopic, 0x82, "Response Topic"},
	{"publish, empty response topic", V5, "30 07 0001 'a' 03 08 0000", ErrResponseTopic, 0x82, "Response Topic"},
	{"publish, response topic not UTF-8", V5, "30 08 0001 'a' 04 08 0001 ff", ErrString, 0x81, "Response Topic"},
	{"publish, subscription identifier padded", V5, "30 07 0001 'a' 03 0b 8100", ErrPaddedVarint, 0x81, ""},
	{"publish, subscription identifier too long", V5, "30 0a 0001 'a' 06 0b ffffffff01", ErrMalformedVarint, 0x81, ""},
	{"publish, properties' length padded", V5, "30 06 0001 'a' 8000 00", ErrPaddedVarint, 0x81, ""},

	// Acknowledgements
	{"puback, short", V311, "40 01 00", ErrTruncated, 0x81, "packet identifier"},
	{"puback, identifier 0", V5, "40 02 0000", ErrPacketID, 0x82, ""},
	{"puback, more", V311, "40 03 0001 00", ErrTrailingBytes, 0x81, "PUBACK"},
	{"puback, code of another", V5, "40 03 0001 92", ErrReasonCode, 0x82, "PUBACK"},
	{"pubrec, undefined code", V5, "50 03 0001 7f", ErrReasonCode, 0x82, "PUBREC"},
	{"pubrel, code of another", V5, "62 03 0001 10", ErrReasonCode, 0x82, "PUBREL"},
	{"pubcomp, more", V5, "70 05 0001 00 00 00", ErrTrailingBytes, 0x81, "PUBCOMP"},
	{"puback, properties too long", V5, "40 04 0001 00 01", ErrTruncated, 0x81, "properties"},

	// SUBSCRIBE and UNSUBSCRIBE, and their answers
	{"subscribe, no identifier", V311, "82 00", ErrTruncated, 0x81, "packet identifier"},
	{"subscribe, identifier 0", V311, "82 06 0000 0001 'a' 00", ErrPacketID, 0x82, ""},
	{"subscribe, no filter", V311, "82 02 0001", ErrNoFilters, 0x82, ""},
	{"subscribe 5, no filter", V5, "82 03 0001 00", ErrNoFilters, 0x82, ""},
	{"subscribe, empty filter", V311, "82 05 0001 0000 00", ErrFilterEmpty, 0x8F, ""},
	{"subscribe, no options", V311, "82 05 0001 0001 'a'", ErrTruncated, 0x81, "subscription options"},
	{"subscribe, QoS 3", V311, "82 06 0001 0001 'a' 03", ErrSubQoS, 0x82, ""},
	{"subscribe, options before 5", V311, "82 06 0001 0001 'a' 04", ErrSubOptions, 0x81, ""},
	{"subscribe, reserved option", V5, "82 07 0001 00 0001 'a' 40", ErrSubOptions, 0x81, ""},
	{"subscribe, other reserved option", V5, "82 07 0001 00 0001 'a' 80", ErrSubOptions, 0x81, ""},
	{"subscribe, retain handling 3", V5, "82 07 0001 00 0001 'a' 30", ErrSubRetain, 0x82, ""},
	{"subscribe, no local and shared", V5, "82 0f 0001 00 0009 '$share/g/' 05", ErrNoLocalShared, 0x82, ""},
	{"subscribe, filter not UTF-8", V311, "82 06 0001 0001 fe 00", ErrString, 0x81, "topic filter"},
	{"subscribe, second filter cut", V311, "82 09 0001 0001 'a' 00 0002 'b'", ErrTruncated, 0x81, "topic filter"},
	{"subscribe, identifier 0 of the subscription", V5, "82 09 0001 02 0b 00 0001 'a' 00", ErrPropertyValue, 0x82, "Subscription Identifier"},
	{"subscribe, two subscription identifiers", V5, "82 0b 0001 04 0b 01 0b 02 0001 'a' 00", ErrPropertyTwice, 0x82, "Subscription Identifier"},
	{"suback, no codes", V311, "90 02 0001", ErrNoCodes, 0x82, "SUBACK"},
	{"suback, code 3", V311, "90 03 0001 03", ErrReasonCode, 0x82, "SUBACK"},
	{"suback, code of 5", V311, "90 03 0001 87", ErrReasonCode, 0x82, "SUBACK"},
	{"suback 5, code of another", V5, "90 04 0001 00 8e", ErrReasonCode, 0x82, "SUBACK"},
	{"unsubscribe, no filter", V311, "a2 02 0001", ErrNoFilters, 0x82, ""},
	{"unsubscribe, empty filter", V5, "a2 05 0001 00 0000", ErrFilterEmpty, 0x8F, ""},
	{"unsubscribe, filter with U+0000", V311, "a2 05 0001 0001 00", ErrString, 0x81, "topic filter"},
	{"unsubscribe, identifier 0", V311, "a2 05 0000 0001 'a'", ErrPacketID, 0x82, ""},
	{"unsuback, more", V311, "b0 03 0001 00", ErrTrailingBytes, 0x81, "UNSUBACK"},
	{"unsuback 5, no codes", V5, "b0 03 0001 00", ErrNoCodes, 0x82, "UNSUBACK"},
	{"unsuback 5, code of another", V5, "b0 04 0001 00 01", ErrReasonCode, 0x82, "UNSUBACK"},

	// DISCONNECT and AUTH
	{"disconnect, body before 5", V311, "e0 01 00", ErrTrailingBytes, 0x81, "DISCONNECT"},
	{"disconnect, code of another", V5, "e0 01 84", ErrReasonCode, 0x82, "DISCONNECT"},
	{"disconnect, more", V5, "e0 03 00 00 00", ErrTrailingBytes, 0x81, "DISCONNECT"},
	{"auth, code", V5, "f0 01 87", ErrReasonCode, 0x82, "AUTH"},
	{"auth, no method", V5, "f0 02 18 00", ErrAuthMethod, 0x82, ""},

	// Properties
	{"property not defined", V5, "e0 03 00 01 04", ErrProperty, 0x81, "0x04"},
	{"property beyond the table", V5, "e0 03 00 01 ff", ErrProperty, 0x81, "0xFF"},
	{"property without value", V5, "e0 03 00 01 11", ErrTruncated, 0x81, "Session Expiry"},
	{"property's string cut", V5, "e0 06 00 04 1f 0002 'a'", ErrTruncated, 0x81, "Reason String"},
	{"property's string not UTF-8", V5, "e0 07 00 05 1f 0002 'a' 80", ErrString, 0x81, "Reason String"},
	{"user property without value", V5, "e0 06 00 04 26 0001 'k'", ErrTruncated, 0x81, "User Property"},
	{"user property's name not UTF-8", V5, "e0 08 00 06 26 0001 ff 0000", ErrString, 0x81, "User Property"},
	{"user property's value not UTF-8", V5, "e0 08 00 06 26 0000 0001 ff", ErrString, 0x81, "User Property"},
}

func TestMalformed(t *testing.T) {
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			p, _, err := decodePacket(wire(tt.wire), 0, tt.v)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error is %v, want %v (decoded %+v)", err, tt.want, p)
			}
			if got := CodeOf(err); got != tt.code {
				t.Errorf("code is %v, want %v", got, tt.code)
			}
			answer := TypeDisconnect
			if tt.wire[0] == '1' {
				answer = TypeConnack
			}
			if !tt.code.ValidIn(answer) {
				t.Errorf("%v cannot be told in a %v", tt.code, answer)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not name %q", err, tt.text)
			}
		})
	}
}

// TestPublishFlags calls Decode with flags that ReadHeader would not let through.
func TestPublishFlags(t *testing.T) {
	if err := new(Publish).Decode(6, wire("0001 'a' 0001"), V311); err != ErrPublishQoS {
		t.Errorf("QoS 3: error is %v, want %v", err, ErrPublishQoS)
	}
}

// TestConnectVersionOnError holds what a caller needs to answer a CONNECT that was refused.
func TestConnectVersionOnError(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		want       Version
		code       Code
	}{
		{"unknown level", "0004 'MQTT' 06", 6, CodeUnsupportedProtocolVersion},
		{"bridge of an unknown level", "0004 'MQTT' 85", 0x85, CodeUnsupportedProtocolVersion},
		{"unknown name", "0004 'HTTP' 04", 4, CodeUnsupportedProtocolVersion},
		{"flags in 5", "0004 'MQTT' 05 01 0000", V5, CodeMalformedPacket},
		{"flags in a bridge", "0004 'MQTT' 84 01 0000", V311, CodeMalformedPacket},
		{"ends after the level", "0006 'MQIsdp' 03", V31, CodeMalformedPacket},
		{"ends before the level", "0004 'MQTT'", 0, CodeMalformedPacket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Connect{Version: 9, Bridge: true, ClientID: []byte("left over")}
			err := c.Decode(wire(tt.wire))
			if c.Version != tt.want || CodeOf(err) != tt.code {
				t.Errorf("version %v and code %v, want %v and %v", c.Version, CodeOf(err), tt.want, tt.code)
			}
			if c.ClientID != nil {
				t.Errorf("client identifier %q is left over", c.ClientID)
			}
		})
	}
}

// TestTrailingBytes appends a byte to every packet that has an end of its own.
func TestTrailingBytes(t *testing.T) {
	for _, tt := range roundTrips {
		in := wire(tt.wire)
		h, _, _ := ReadHeader(in, 0, tt.v)
		if h.Type == TypePublish { // a payload has no end of its own
			continue
		}
		long := append(appendHeader(nil, in[0], h.Body+1), in[h.Size:]...)
		if p, _, err := decodePacket(append(long, 0xFF), 0, tt.v); err == nil {
			t.Errorf("%s: 0xFF after it goes unnoticed: %+v", tt.name, p)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Code
	}{
		{nil, CodeSuccess},
		{ErrPacketTooLarge, CodePacketTooLarge},
		{ErrString.about("client identifier"), CodeMalformedPacket},
		{errors.Join(errors.New("listener default"), ErrTopicAlias), CodeTopicAliasInvalid},
		{errors.New("something else"), CodeUnspecifiedError},
	} {
		if got := CodeOf(tt.err); got != tt.want {
			t.Errorf("code of %v is %v, want %v", tt.err, got, tt.want)
		}
	}
}
