// Package hook holds the extension points of the broker: which moments can be hooked, what a provider may answer, what an answer may
// change, and the ordered chain that asks the providers. It knows no provider and no transport.
//
// Order of calls follows the order in which providers were enabled. Conditional chains stop at the first verdict; "every" chains call all
// and ignore results. An empty chain costs one length check.
//
// A provider answers at once on the shard (passwd and ACL tables in memory) or says Pending and answers later from its own goroutine
// through the function it was given; a shard never waits.
package hook

import (
	"net/netip"
	"time"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
)

// Point is a moment that can be hooked. Names are VerneMQ's.
type Point uint8

// The hook points. The _m5 forms of VerneMQ are the same points with Version == 5: a provider is told the version.
const (
	AuthOnRegister Point = iota
	AuthOnPublish
	AuthOnSubscribe
	OnAuth
	OnRegister
	OnPublish
	OnSubscribe
	OnUnsubscribe
	OnDeliver
	OnOfflineMessage
	OnClientWakeup
	OnClientOffline
	OnClientGone
	OnSessionExpired
	OnMessageDrop
	OnTopicUnsubscribed
)

// Verdict is the answer of one provider.
type Verdict uint8

const (
	// Next passes the question on to the next provider.
	Next Verdict = iota
	// OK accepts, with the modifiers set in the request.
	OK
	// Refuse rejects, with the reason code set in the request.
	Refuse
	// Pending means that the provider will call answer later, exactly once, from any goroutine.
	Pending
)

// Client is what every hook is told about the client. Strings are owned by the session and may be kept.
type Client struct {
	ID       msg.SubscriberID
	Username string
	HasUser  bool
	Peer     netip.AddrPort
	Version  mqtt.Version
}

// Register is the question of AuthOnRegister. A provider that answers OK may change the exported Set fields.
type Register struct {
	Client     Client
	Password   []byte // owned by the caller until the answer; never logged
	CleanStart bool
	Listener   string          // name of the listener, e.g. "default"
	Anonymous  bool            // no user name was given
	Props      mqtt.Properties // of the CONNECT, MQTT 5

	// Modifiers. A nil pointer leaves the value as it is.
	SetID            *msg.SubscriberID
	SetUsername      *string
	SetCleanStart    *bool
	SetSessionExpiry *uint32
	SetKeepAlive     *uint16 // seconds; an MQTT 5 client is told, others are held to it all the same
	SetOptions       SessionOptions
	SetUser          [][2]string // MQTT 5 user properties of the CONNACK
	SetResponseInfo  string      // MQTT 5 Response Information, sent if the client asked for it [MQTT-3.1.2-28]

	Code            mqtt.Code // reason when refused; 0 means "not authorized"
	Reason          string    // reason string for MQTT 5, optional
	ServerReference string    // for MQTT 5, with UseAnotherServer or ServerMoved: where to go
}

// Publish is the question of AuthOnPublish and the news of OnPublish and OnDeliver. Slices are valid during the call only.
type Publish struct {
	Client  Client
	Topic   []byte
	Payload []byte
	QoS     byte
	Retain  bool
	Props   mqtt.Properties

	// Modifiers of AuthOnPublish; OnDeliver has topic, payload and properties of them. A nil slice or pointer leaves the value as it is.
	SetTopic      []byte
	SetPayload    []byte
	SetQoS        *byte
	SetRetain     *bool
	SetMountpoint *string
	SetProps      *mqtt.Properties // MQTT 5: takes the place of all that are handed on, and of the expiry
	SetThrottle   time.Duration    // the client's input waits so long, counted from the answer

	Code   mqtt.Code
	Reason string
}

// Topic is one entry of a SUBSCRIBE as a provider sees it. Setting Code to 0x80 or above refuses this entry alone.
type Topic struct {
	Filter string
	Opts   mqtt.SubOptions
	Code   mqtt.Code
}

// Unsubscribe is the question of OnUnsubscribe: one call for the whole packet. A provider may change filters in place; it cannot refuse.
type Unsubscribe struct {
	Client Client
	Topics []Topic
	Props  mqtt.Properties // of the UNSUBSCRIBE, MQTT 5; they may be kept

	SetUser [][2]string // MQTT 5 user properties of the UNSUBACK
	Reason  string      // reason string of the UNSUBACK, optional
}

// Subscribe is the question of AuthOnSubscribe and the news of OnSubscribe: one call for the whole packet. A provider may change, drop
// or refuse entries in place. The client is answered as many entries as it asked for: what is missing is refused.
type Subscribe struct {
	Client Client
	Topics []Topic
	Props  mqtt.Properties // of the SUBSCRIBE, MQTT 5; they may be kept

	SetUser [][2]string // MQTT 5 user properties of the SUBACK
	Code    mqtt.Code   // reason for all entries when refused as a whole
	Reason  string      // reason string of the SUBACK, for whatever verdict, optional
}
