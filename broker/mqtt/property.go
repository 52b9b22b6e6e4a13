package mqtt

import "fmt"

// PropID is the identifier of an MQTT 5 property.
type PropID byte

// The properties.
const (
	PropPayloadFormat        PropID = 0x01
	PropMessageExpiry        PropID = 0x02 // seconds
	PropContentType          PropID = 0x03
	PropResponseTopic        PropID = 0x08
	PropCorrelationData      PropID = 0x09
	PropSubscriptionID       PropID = 0x0B
	PropSessionExpiry        PropID = 0x11 // seconds; 0xFFFFFFFF never
	PropAssignedClientID     PropID = 0x12
	PropServerKeepAlive      PropID = 0x13 // seconds
	PropAuthMethod           PropID = 0x15
	PropAuthData             PropID = 0x16
	PropRequestProblemInfo   PropID = 0x17
	PropWillDelay            PropID = 0x18 // seconds
	PropRequestResponseInfo  PropID = 0x19
	PropResponseInfo         PropID = 0x1A
	PropServerReference      PropID = 0x1C
	PropReasonString         PropID = 0x1F
	PropReceiveMaximum       PropID = 0x21
	PropTopicAliasMaximum    PropID = 0x22
	PropTopicAlias           PropID = 0x23
	PropMaximumQoS           PropID = 0x24
	PropRetainAvailable      PropID = 0x25
	PropUserProperty         PropID = 0x26
	PropMaximumPacketSize    PropID = 0x27 // bytes, fixed header included
	PropWildcardSubAvailable PropID = 0x28
	PropSubIDAvailable       PropID = 0x29
	PropSharedSubAvailable   PropID = 0x2A

	numProps = 0x2B
)

// encoding is how the value of a property is written.
type encoding byte

const (
	encNone   encoding = iota // no such property
	encByte                   // a number in one byte
	encUint16                 // in two
	encUint32                 // in four
	encVarint                 // in one to four
	encString                 // UTF-8 with two bytes of length
	encTopic                  // a string that has to be a topic name
	encBinary                 // bytes with two bytes of length
	encPair                   // two strings
)

// number tells whether the value is a number.
func (e encoding) number() bool { return e >= encByte && e <= encVarint }

// propRow is what there is to know about a property.
type propRow struct {
	name     string
	enc      encoding
	in       uint16 // packets it may be in, as bits 1<<Type; 1<<0 is the will
	many     uint16 // packets it may be in more than once
	min, max uint32 // range of a number
	bad      *Error // for a number out of range; nil is ErrPropertyValue
	server   uint16 // packets in which only a server may send it
	client   uint16 // packets in which only a client may send it
}

const (
	inMessage  = inPublish | inWill
	inOpen     = inConnect | inConnack
	inLogin    = inOpen | inAuth
	inReason   = inConnack | inReceived | inReleased | inSuback | inUnsuback | inDisconnect | inAuth
	inAnything = inReason | inConnect | inMessage | inSubscribe | inUnsubscribe

	maxUint32 = 1<<32 - 1
)

// propTable holds one row a property. It drives decoding, building and the tests.
var propTable = [numProps]propRow{
	PropPayloadFormat:   {name: "Payload Format Indicator", enc: encByte, in: inMessage, max: 1},
	PropMessageExpiry:   {name: "Message Expiry Interval", enc: encUint32, in: inMessage, max: maxUint32},
	PropContentType:     {name: "Content Type", enc: encString, in: inMessage},
	PropResponseTopic:   {name: "Response Topic", enc: encTopic, in: inMessage},
	PropCorrelationData: {name: "Correlation Data", enc: encBinary, in: inMessage},
	PropSubscriptionID: {name: "Subscription Identifier", enc: encVarint, in: inPublish | inSubscribe, many: inPublish, min: 1, max: MaxBody,
		server: inPublish},
	PropSessionExpiry:        {name: "Session Expiry Interval", enc: encUint32, in: inOpen | inDisconnect, max: maxUint32, client: inDisconnect},
	PropAssignedClientID:     {name: "Assigned Client Identifier", enc: encString, in: inConnack},
	PropServerKeepAlive:      {name: "Server Keep Alive", enc: encUint16, in: inConnack, max: 65535},
	PropAuthMethod:           {name: "Authentication Method", enc: encString, in: inLogin},
	PropAuthData:             {name: "Authentication Data", enc: encBinary, in: inLogin},
	PropRequestProblemInfo:   {name: "Request Problem Information", enc: encByte, in: inConnect, max: 1},
	PropWillDelay:            {name: "Will Delay Interval", enc: encUint32, in: inWill, max: maxUint32},
	PropRequestResponseInfo:  {name: "Request Response Information", enc: encByte, in: inConnect, max: 1},
	PropResponseInfo:         {name: "Response Information", enc: encString, in: inConnack},
	PropServerReference:      {name: "Server Reference", enc: encString, in: inEnd, server: inDisconnect},
	PropReasonString:         {name: "Reason String", enc: encString, in: inReason},
	PropReceiveMaximum:       {name: "Receive Maximum", enc: encUint16, in: inOpen, min: 1, max: 65535},
	PropTopicAliasMaximum:    {name: "Topic Alias Maximum", enc: encUint16, in: inOpen, max: 65535},
	PropTopicAlias:           {name: "Topic Alias", enc: encUint16, in: inPublish, min: 1, max: 65535, bad: ErrTopicAlias},
	PropMaximumQoS:           {name: "Maximum QoS", enc: encByte, in: inConnack, max: 1},
	PropRetainAvailable:      {name: "Retain Available", enc: encByte, in: inConnack, max: 1},
	PropUserProperty:         {name: "User Property", enc: encPair, in: inAnything, many: inAnything},
	PropMaximumPacketSize:    {name: "Maximum Packet Size", enc: encUint32, in: inOpen, min: 1, max: maxUint32},
	PropWildcardSubAvailable: {name: "Wildcard Subscription Available", enc: encByte, in: inConnack, max: 1},
	PropSubIDAvailable:       {name: "Subscription Identifier Available", enc: encByte, in: inConnack, max: 1},
	PropSharedSubAvailable:   {name: "Shared Subscription Available", enc: encByte, in: inConnack, max: 1},
}

// row gives the row of id, or an empty one.
func (id PropID) row() *propRow {
	if id < numProps {
		return &propTable[id]
	}
	return &propTable[0]
}

// String gives the name of the property as the specification writes it.
func (id PropID) String() string {
	if n := id.row().name; n != "" {
		return n
	}
	return fmt.Sprintf("property 0x%02X", byte(id))
}
