package mqtt

import "errors"

// Error is what is wrong with a packet, with the reason code that a CONNACK or DISCONNECT tells the peer. Errors of this package are or
// wrap one of the values below: compare with errors.Is.
type Error struct {
	Code Code
	Text string

	base *Error // the package-level value this one says more about
}

// Error gives the text.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the package-level value that e says more about, or nil.
func (e *Error) Unwrap() error {
	if e.base == nil {
		return nil
	}
	return e.base
}

// about says which part of the packet the error is in. It allocates: an error ends the connection, so that happens once.
func (e *Error) about(what string) *Error {
	return &Error{Code: e.Code, Text: what + ": " + e.Text, base: e}
}

// CodeOf gives the reason code for err: of the Error in its chain, or CodeUnspecifiedError. Nil is CodeSuccess.
func CodeOf(err error) Code {
	if err == nil {
		return CodeSuccess
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeUnspecifiedError
}

// Framing.
var (
	ErrPacketType      = &Error{Code: CodeMalformedPacket, Text: "packet type is not defined in this version of the protocol"}
	ErrFlags           = &Error{Code: CodeMalformedPacket, Text: "reserved flags of the fixed header have the wrong value"} // [MQTT-2.1.3-1]
	ErrMalformedVarint = &Error{Code: CodeMalformedPacket, Text: "variable byte integer is longer than four bytes"}
	ErrPaddedVarint    = &Error{Code: CodeMalformedPacket, Text: "variable byte integer is encoded in more bytes than it needs"} // [MQTT-1.5.5-1]
	ErrPacketTooLarge  = &Error{Code: CodePacketTooLarge, Text: "packet is larger than allowed"}
	ErrTruncated       = &Error{Code: CodeMalformedPacket, Text: "packet ends before its last field does"}
	ErrTrailingBytes   = &Error{Code: CodeMalformedPacket, Text: "packet goes on after its last field"}
)

// Fields that several packets have.
var (
	ErrString     = &Error{Code: CodeMalformedPacket, Text: "string is not well-formed UTF-8 or contains U+0000"} // [MQTT-1.5.4-1] [MQTT-1.5.4-2]
	ErrTopicName  = &Error{Code: CodeTopicNameInvalid, Text: "topic name contains a wildcard"}                    // [MQTT-3.3.2-2]
	ErrTopicEmpty = &Error{Code: CodeProtocolError, Text: "topic name is empty"}                                  // [MQTT-4.7.3-1]
	ErrPacketID   = &Error{Code: CodeProtocolError, Text: "packet identifier is zero"}                            // [MQTT-2.2.1-3]
	ErrReasonCode = &Error{Code: CodeProtocolError, Text: "reason code is not one this packet may carry"}         // e.g. [MQTT-3.4.2-1]
)

// CONNECT and CONNACK.
var (
	ErrProtocolName   = &Error{Code: CodeUnsupportedProtocolVersion, Text: `protocol name is neither "MQTT" nor "MQIsdp"`} // [MQTT-3.1.2-1]
	ErrProtocolLevel  = &Error{Code: CodeUnsupportedProtocolVersion, Text: "protocol level is not supported"}              // [MQTT-3.1.2-2]
	ErrConnectFlags   = &Error{Code: CodeMalformedPacket, Text: "reserved connect flag is set"}                            // [MQTT-3.1.2-3]
	ErrWillFlags      = &Error{Code: CodeMalformedPacket, Text: "will QoS or will retain is set without a will"}           // [MQTT-3.1.2-11]
	ErrWillQoS        = &Error{Code: CodeMalformedPacket, Text: "will QoS is 3"}                                           // [MQTT-3.1.2-12]
	ErrPasswordFlag   = &Error{Code: CodeMalformedPacket, Text: "password without a user name needs MQTT 5"}               // [MQTT-3.1.2-22]
	ErrConnackFlags   = &Error{Code: CodeMalformedPacket, Text: "reserved acknowledge flag is set"}                        // [MQTT-3.2.2-1]
	ErrSessionPresent = &Error{Code: CodeProtocolError, Text: "session present in a CONNACK that refuses"}                 // [MQTT-3.2.2-6]
	ErrAuthDataAlone  = &Error{Code: CodeProtocolError, Text: "authentication data without an authentication method"}      // 3.1.2.11.10
	ErrAuthMethod     = &Error{Code: CodeProtocolError, Text: "AUTH has no authentication method"}                         // 3.15.2.2.2
)

// PUBLISH, SUBSCRIBE and UNSUBSCRIBE.
var (
	ErrPublishQoS    = &Error{Code: CodeMalformedPacket, Text: "QoS is 3"}                               // [MQTT-3.3.1-4]
	ErrDupQoS0       = &Error{Code: CodeMalformedPacket, Text: "DUP is set at QoS 0"}                    // [MQTT-3.3.1-2]
	ErrNoFilters     = &Error{Code: CodeProtocolError, Text: "no topic filter"}                          // [MQTT-3.8.3-2]
	ErrNoCodes       = &Error{Code: CodeProtocolError, Text: "no reason code"}                           // [MQTT-3.8.4-6]
	ErrFilterEmpty   = &Error{Code: CodeTopicFilterInvalid, Text: "topic filter is empty"}               // [MQTT-4.7.3-1]
	ErrSubOptions    = &Error{Code: CodeMalformedPacket, Text: "reserved subscription option is set"}    // [MQTT-3.8.3-5]
	ErrSubQoS        = &Error{Code: CodeProtocolError, Text: "requested QoS is 3"}                       // [MQTT-3-8.3-4] of 3.1.1
	ErrSubRetain     = &Error{Code: CodeProtocolError, Text: "retain handling is 3"}                     // 3.8.3.1
	ErrNoLocalShared = &Error{Code: CodeProtocolError, Text: "no local is set on a shared subscription"} // [MQTT-3.8.3-4]
)

// Properties. Errors name the property in front of these texts.
var (
	ErrProperty       = &Error{Code: CodeMalformedPacket, Text: "property is not defined"}                      // 2.2.2.2
	ErrPropertyPlace  = &Error{Code: CodeMalformedPacket, Text: "property may not be in this packet"}           // 2.2.2.2
	ErrPropertyTwice  = &Error{Code: CodeProtocolError, Text: "property occurs more than once"}                 // 3.1.2.11 and its like
	ErrPropertyValue  = &Error{Code: CodeProtocolError, Text: "value is out of range"}                          // e.g. [MQTT-3.2.2-9]
	ErrPropertySender = &Error{Code: CodeProtocolError, Text: "property may not come from this side"}           // [MQTT-3.3.4-6] [MQTT-3.14.2-2]
	ErrTopicAlias     = &Error{Code: CodeTopicAliasInvalid, Text: "topic alias is zero"}                        // [MQTT-3.3.2-8]
	ErrResponseTopic  = &Error{Code: CodeProtocolError, Text: "response topic is empty or contains a wildcard"} // [MQTT-3.3.2-14]
)
