package hook

import (
	"time"

	"vernemq/broker/mqtt"
)

// SessionOptions are what a provider sets for one client in the place of what is configured: modifiers of AuthOnRegister. A nil pointer leaves
// the configured value in force, also when that changes later. They hold from the CONNECT on, and for the queue of the absent client too, until
// it connects again; a restart of the broker forgets those of absent clients. What a session has already opened keeps the order and the window
// it has.
type SessionOptions struct {
	MaxMessageSize     *int           // bytes of a packet's remaining length; 0: the protocol's limit
	MaxMessageRate     *int           // publishes a second; 0: no limit
	MaxLifetime        *time.Duration // of the connection; it cannot last longer than its listener allows
	MaxInflight        *int           // exchanges open to an MQTT 3.x client; 0: no limit
	RetryInterval      *time.Duration // MQTT 3.x; 0: never
	UpgradeQoS         *bool          // deliveries have the QoS of the subscription
	MaxOnlineMessages  *int           // -1: no limit
	MaxOfflineMessages *int           // -1: no limit
	QueueType          *string        // fifo or lifo, for a queue that is empty
	SharedPolicy       *string        // shared_subscription_policy of what the client publishes

	// MQTT 5. The client is told where the protocol has a word for it, and held to it.
	ReceiveMaxClient       *int    // most exchanges to the client, if it allows so many itself
	ReceiveMaxBroker       *int    // most exchanges of the client: its Receive Maximum, 1 to 65535
	TopicAliasMaxClient    *int    // aliases the client may use
	TopicAliasMaxBroker    *int    // aliases the broker may use, if the client allows so many itself
	MaxPacketSize          *uint32 // largest packet sent to the client, if it allows so much itself; 0: no limit but the client's
	RequestProblemInfo     *bool   // whether reason strings are sent
	MaxQoS                 *byte   // 0 or 1: of what the client publishes [MQTT-3.2.2-9]
	RetainAvailable        *bool   // false: the client may not publish retained messages
	WildcardSubscriptions  *bool   // false: filters without wildcards only
	SubscriptionIdentifier *bool   // false: the client may not give one
	SharedSubscriptions    *bool   // false: none
}

// The refusals of what a client was told not to do.
var (
	errMaxQoS = &mqtt.Error{Code: mqtt.CodeQoSNotSupported, Text: "the QoS is above the Maximum QoS"}       // [MQTT-3.2.2-11]
	errRetain = &mqtt.Error{Code: mqtt.CodeRetainNotSupported, Text: "retained messages are not available"} // [MQTT-3.2.2-14]
)

// MayPublish returns an *mqtt.Error if the client was told that it may not publish such a message, or have such a will.
func (o *SessionOptions) MayPublish(qos byte, retain bool) error {
	switch {
	case qos > Or(o.MaxQoS, 2):
		return errMaxQoS
	case retain && !Or(o.RetainAvailable, true):
		return errRetain
	}
	return nil
}

// MaySubscribe returns the reason to refuse a filter that the client was told it may not subscribe to, or success.
func (o *SessionOptions) MaySubscribe(shared, wildcard, identifier bool) mqtt.Code {
	switch {
	case shared && !Or(o.SharedSubscriptions, true):
		return mqtt.CodeSharedSubscriptionsNotSupported
	case wildcard && !Or(o.WildcardSubscriptions, true):
		return mqtt.CodeWildcardSubscriptionsNotSupported
	case identifier && !Or(o.SubscriptionIdentifier, true):
		return mqtt.CodeSubscriptionIdentifiersNotSupported
	}
	return mqtt.CodeSuccess
}

// none is what a session has to whom no provider gave anything.
var none SessionOptions

// Set returns o, or options that set nothing if o is nil; the result must not be changed.
func (o *SessionOptions) Set() *SessionOptions {
	if o == nil {
		return &none
	}
	return o
}

// Or is what p points to, or otherwise.
func Or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
