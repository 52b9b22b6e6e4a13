package mqtt

import "fmt"

// Code is an MQTT 5 reason code. From 0x80 on it tells of a failure. MQTT 3.x knows a few of them under other numbers: see ConnackReturn.
type Code byte

// The reason codes. The three ways to say 0x00 are one code: its meaning is the packet's.
const (
	CodeSuccess                             Code = 0x00
	CodeNormalDisconnection                 Code = 0x00
	CodeGrantedQoS0                         Code = 0x00
	CodeGrantedQoS1                         Code = 0x01
	CodeGrantedQoS2                         Code = 0x02
	CodeDisconnectWithWill                  Code = 0x04
	CodeNoMatchingSubscribers               Code = 0x10
	CodeNoSubscriptionExisted               Code = 0x11
	CodeContinueAuthentication              Code = 0x18
	CodeReauthenticate                      Code = 0x19
	CodeUnspecifiedError                    Code = 0x80
	CodeMalformedPacket                     Code = 0x81
	CodeProtocolError                       Code = 0x82
	CodeImplementationSpecificError         Code = 0x83
	CodeUnsupportedProtocolVersion          Code = 0x84
	CodeClientIdentifierNotValid            Code = 0x85
	CodeBadUserNameOrPassword               Code = 0x86
	CodeNotAuthorized                       Code = 0x87
	CodeServerUnavailable                   Code = 0x88
	CodeServerBusy                          Code = 0x89
	CodeBanned                              Code = 0x8A
	CodeServerShuttingDown                  Code = 0x8B
	CodeBadAuthenticationMethod             Code = 0x8C
	CodeKeepAliveTimeout                    Code = 0x8D
	CodeSessionTakenOver                    Code = 0x8E
	CodeTopicFilterInvalid                  Code = 0x8F
	CodeTopicNameInvalid                    Code = 0x90
	CodePacketIdentifierInUse               Code = 0x91
	CodePacketIdentifierNotFound            Code = 0x92
	CodeReceiveMaximumExceeded              Code = 0x93
	CodeTopicAliasInvalid                   Code = 0x94
	CodePacketTooLarge                      Code = 0x95
	CodeMessageRateTooHigh                  Code = 0x96
	CodeQuotaExceeded                       Code = 0x97
	CodeAdministrativeAction                Code = 0x98
	CodePayloadFormatInvalid                Code = 0x99
	CodeRetainNotSupported                  Code = 0x9A
	CodeQoSNotSupported                     Code = 0x9B
	CodeUseAnotherServer                    Code = 0x9C
	CodeServerMoved                         Code = 0x9D
	CodeSharedSubscriptionsNotSupported     Code = 0x9E
	CodeConnectionRateExceeded              Code = 0x9F
	CodeMaximumConnectTime                  Code = 0xA0
	CodeSubscriptionIdentifiersNotSupported Code = 0xA1
	CodeWildcardSubscriptionsNotSupported   Code = 0xA2
)

// The packets of a reason code, as bits 1<<Type; 1<<0 is free there and stands for the will in the property table.
const (
	inWill        = 1 << 0
	inConnect     = 1 << TypeConnect
	inConnack     = 1 << TypeConnack
	inPublish     = 1 << TypePublish
	inPuback      = 1 << TypePuback
	inPubrec      = 1 << TypePubrec
	inPubrel      = 1 << TypePubrel
	inPubcomp     = 1 << TypePubcomp
	inSubscribe   = 1 << TypeSubscribe
	inSuback      = 1 << TypeSuback
	inUnsubscribe = 1 << TypeUnsubscribe
	inUnsuback    = 1 << TypeUnsuback
	inDisconnect  = 1 << TypeDisconnect
	inAuth        = 1 << TypeAuth

	inReceived = inPuback | inPubrec  // answers to a PUBLISH
	inReleased = inPubrel | inPubcomp // the second half of QoS 2
	inRefusal  = inConnack | inReceived | inSuback | inUnsuback | inDisconnect
	inEnd      = inConnack | inDisconnect
)

// codeTable holds one row a reason code: its name and the packets it may be in.
var codeTable = [256]struct {
	name string
	in   uint16
}{
	CodeSuccess: {"success", inConnack | inReceived | inReleased | inSuback | inUnsuback | inDisconnect | inAuth},

	CodeGrantedQoS1:                         {"granted QoS 1", inSuback},
	CodeGrantedQoS2:                         {"granted QoS 2", inSuback},
	CodeDisconnectWithWill:                  {"disconnect with will message", inDisconnect},
	CodeNoMatchingSubscribers:               {"no matching subscribers", inReceived},
	CodeNoSubscriptionExisted:               {"no subscription existed", inUnsuback},
	CodeContinueAuthentication:              {"continue authentication", inAuth},
	CodeReauthenticate:                      {"re-authenticate", inAuth},
	CodeUnspecifiedError:                    {"unspecified error", inRefusal},
	CodeMalformedPacket:                     {"malformed packet", inEnd},
	CodeProtocolError:                       {"protocol error", inEnd},
	CodeImplementationSpecificError:         {"implementation specific error", inRefusal},
	CodeUnsupportedProtocolVersion:          {"unsupported protocol version", inConnack},
	CodeClientIdentifierNotValid:            {"client identifier not valid", inConnack},
	CodeBadUserNameOrPassword:               {"bad user name or password", inConnack},
	CodeNotAuthorized:                       {"not authorized", inRefusal},
	CodeServerUnavailable:                   {"server unavailable", inConnack},
	CodeServerBusy:                          {"server busy", inEnd},
	CodeBanned:                              {"banned", inConnack},
	CodeServerShuttingDown:                  {"server shutting down", inDisconnect},
	CodeBadAuthenticationMethod:             {"bad authentication method", inEnd},
	CodeKeepAliveTimeout:                    {"keep alive timeout", inDisconnect},
	CodeSessionTakenOver:                    {"session taken over", inDisconnect},
	CodeTopicFilterInvalid:                  {"topic filter invalid", inSuback | inUnsuback | inDisconnect},
	CodeTopicNameInvalid:                    {"topic name invalid", inEnd | inReceived},
	CodePacketIdentifierInUse:               {"packet identifier in use", inReceived | inSuback | inUnsuback},
	CodePacketIdentifierNotFound:            {"packet identifier not found", inReleased},
	CodeReceiveMaximumExceeded:              {"receive maximum exceeded", inDisconnect},
	CodeTopicAliasInvalid:                   {"topic alias invalid", inDisconnect},
	CodePacketTooLarge:                      {"packet too large", inEnd},
	CodeMessageRateTooHigh:                  {"message rate too high", inDisconnect},
	CodeQuotaExceeded:                       {"quota exceeded", inEnd | inReceived | inSuback},
	CodeAdministrativeAction:                {"administrative action", inDisconnect},
	CodePayloadFormatInvalid:                {"payload format invalid", inEnd | inReceived},
	CodeRetainNotSupported:                  {"retain not supported", inEnd},
	CodeQoSNotSupported:                     {"QoS not supported", inEnd},
	CodeUseAnotherServer:                    {"use another server", inEnd},
	CodeServerMoved:                         {"server moved", inEnd},
	CodeSharedSubscriptionsNotSupported:     {"shared subscriptions not supported", inSuback | inDisconnect},
	CodeConnectionRateExceeded:              {"connection rate exceeded", inEnd},
	CodeMaximumConnectTime:                  {"maximum connect time", inDisconnect},
	CodeSubscriptionIdentifiersNotSupported: {"subscription identifiers not supported", inSuback | inDisconnect},
	CodeWildcardSubscriptionsNotSupported:   {"wildcard subscriptions not supported", inSuback | inDisconnect},
}

// String gives the name of the code, or its number when MQTT 5 does not define it.
func (c Code) String() string {
	if n := codeTable[c].name; n != "" {
		return n
	}
	return fmt.Sprintf("reason code 0x%02X", byte(c))
}

// Failed tells whether the code stands for a failure.
func (c Code) Failed() bool { return c >= 0x80 }

// ValidIn tells whether MQTT 5 lets a packet of this type carry the code, e.g. [MQTT-3.4.2-1]. What a hook or an operator asks to send
// should be asked first.
func (c Code) ValidIn(t Type) bool { return t < 16 && codeTable[c].in>>t&1 == 1 }

// ConnackReturn maps a code to the return code 0 to 5 of a CONNACK in MQTT 3.x. A refusal that 3.x has no word for is 3, server
// unavailable.
func (c Code) ConnackReturn() byte {
	switch c {
	case CodeSuccess:
		return 0
	case CodeUnsupportedProtocolVersion:
		return 1
	case CodeClientIdentifierNotValid:
		return 2
	case CodeBadUserNameOrPassword:
		return 4
	case CodeNotAuthorized, CodeBanned, CodeBadAuthenticationMethod:
		return 5
	}
	return 3
}

// connackCodes are the codes of the return codes 0 to 5, the way back from ConnackReturn.
var connackCodes = [...]Code{
	CodeSuccess, CodeUnsupportedProtocolVersion, CodeClientIdentifierNotValid, CodeServerUnavailable, CodeBadUserNameOrPassword,
	CodeNotAuthorized,
}
