// Package store is the durable truth: sessions, subscriptions, messages that wait, what is in flight, retained messages, API keys. It knows records
// and nothing of what they mean; sessions, queues and retain decide what to write. Recipients and sessions are named by a SessionKey that
// the store hands out and that stays the same across restarts, whatever the number of shards.
//
// No call blocks. A write is appended to the current batch and answered later: its Ticket is complete once the batch is as durable as the
// configuration asks. Completions reach the caller through the Completer it registered, on any goroutine, in ticket order.
package store

import "vernemq/broker/msg"

// SessionKey names a stored session. 0 is none.
type SessionKey uint64

// MessageRef names a stored message: where its payload can be read back. 0 is none.
type MessageRef uint64

// Ticket numbers a batch of writes. Tickets complete in order: when t is durable, so is everything before it. 0 is complete at once.
type Ticket uint64

// Completer is told, from any goroutine and without blocking, up to which ticket everything is durable. err is not nil when the store had to
// give up a batch: nothing after the last good ticket is acknowledged any more until Completer is told of a later one without error.
type Completer interface{ Durable(upTo Ticket, err error) }

// Session is a stored session: what survives its connection.
type Session struct {
	Key           SessionKey
	ID            msg.SubscriberID
	Stamp         msg.Stamp
	Version       byte   // protocol level of the last connection
	Username      string // of the last connection, for hooks after a restart
	Expiry        uint32 // seconds after disconnect; 0xFFFFFFFF never
	Remaining     int64  // seconds left when Disconnected was written
	Disconnected  int64  // wall clock, unix seconds; 0 while connected, UnknownTime if the clock was not set
	Will          *Will  // that is still to be published; not changed once it is here. nil: none
	Subscriptions []Subscription
}

// UnknownTime stands for a time in the past at which the clock could not be trusted.
const UnknownTime = 1

// Will is the last will of a stored session. It is part of the session's record, so that a connection brings its will, and takes away that of the
// one before, in one step. While Session.Disconnected is 0 its client was connected; else Delay counts from there.
type Will struct {
	Topic, Payload, Props []byte // owned; Props as in msg.Message
	QoS                   byte
	Retain                bool
	Delay                 uint32 // seconds after the end of the connection, as the client asked
	Expiry                uint32 // message expiry in seconds, counted from its publication
	HasExpiry             bool
}

// Subscription is one stored subscription.
type Subscription struct {
	Filter string // with $share prefix
	Opts   byte   // as in the SUBSCRIBE packet
	ID     uint32 // MQTT 5 subscription identifier, 0 none
}

// Recipient is one durable delivery of a message: to whom, how, and with which packet identifier if one was chosen already.
type Recipient struct {
	Session  SessionKey
	Opts     byte   // QoS of the delivery in bits 0-1, retain as published in bit 3
	SubID    uint32 // MQTT 5 subscription identifier, 0 none
	PacketID uint16 // 0: not chosen yet
}

// Inbound names the QoS 2 exchange a message arrived in, so that message and identifier are one record. Zero Session: none.
type Inbound struct {
	Session  SessionKey
	PacketID uint16
}

// Ack is one step of an exchange that has to be remembered.
type Ack struct {
	Kind     AckKind
	Session  SessionKey
	Message  MessageRef
	PacketID uint16
	QoS      byte // of the delivery: tells one from another when a session gets a message several times
}

// AckKind is the kind of an Ack.
type AckKind uint8

// The kinds of Ack.
const (
	Waits    AckKind = iota // waits: no step was taken yet
	Sent                    // out: PUBLISH QoS 2 went out under PacketID (and Message), and QoS, if it is told, is the delivery's from now on
	Received                // out: PUBREC came for PacketID
	Done                    // out: PUBACK or PUBCOMP came, or the delivery was dropped: Message no longer waits for Session
	Released                // in: PUBREL came for PacketID
)

// Store is what the broker asks of its durable memory. All methods are safe for concurrent use and do not block, but for Load and Close.
type Store interface {
	// Notify registers c and tells it at once, from within the call, what is durable already. Call it once per shard, before the first write.
	Notify(c Completer)
	// PutSession writes or overwrites a session and returns its key (s.Key if it has one). Its subscriptions stay as they are.
	PutSession(s *Session) (SessionKey, Ticket)
	// PutSubscription adds or replaces one subscription of a stored session.
	PutSubscription(k SessionKey, sub Subscription) Ticket
	// DeleteSubscription takes one away; filter is as it was subscribed.
	DeleteSubscription(k SessionKey, filter string) Ticket
	// DeleteSession forgets a session, its subscriptions and everything that waits for it.
	DeleteSession(k SessionKey) Ticket
	// PutMessage writes one message with all its durable recipients, whatever the fan-out. A session is listed once for each delivery it gets:
	// overlapping subscriptions bring it several. It keeps no reference to recipients, but may keep m, which is owned and not changed but for Ref.
	// A reference of 0 means that the message was refused and nothing was written, because the store is full or cannot write: the publisher must not
	// be told that it was accepted. A reference is good until the message is gone, and is told anew by Load.
	PutMessage(m *msg.Message, in Inbound, recipients []Recipient) (MessageRef, Ticket)
	// PutAck writes one step of an exchange. Of several deliveries of a message to a session it is about the one with its PacketID, else about
	// one that has none yet, of its QoS if there is one.
	PutAck(a Ack) Ticket
	// PutMove hands a delivery over, in one record: what waits for a.Session, which delivery of a.Message being told by a.PacketID as in PutAck,
	// waits for another session from now on, and no step of it was taken. If there is no such session, it is over; if no such delivery, nothing happens.
	PutMove(a Ack, to Recipient) Ticket
	// PutRetained sets the retained message of a topic; an empty payload deletes it. It may keep m if that is owned, else a copy.
	PutRetained(mountpoint string, m *msg.Message) Ticket
	// PutAPIKey writes an API key, or overwrites the one with its digest and scope.
	PutAPIKey(k APIKey) Ticket
	// DeleteAPIKey forgets the API key with that digest and scope.
	DeleteAPIKey(digest [32]byte, scope string) Ticket
	// Full tells why nothing is taken any more that makes the store larger: new sessions, new subscriptions, new API keys, retained messages that are new or
	// larger.
	// Nil while it is. What changes or ends what is there is always taken, there is a reserve for that. It is for the caller to ask and refuse.
	Full() error
	// ReadMessages reads messages back and calls done with them, in the order asked for, from another goroutine; a message that is gone is nil.
	ReadMessages(refs []MessageRef, done func([]*msg.Message))
	// Load calls f for everything that is stored, in a consistent order (sessions, then messages by age with their state, then retained, then API keys).
	Load(f Loader) error
	// Close makes everything durable and releases the store.
	Close() error
}

// Loader receives what a store holds at start; what it has no function for is not told, and costs nothing. It may call the store, unless that says
// otherwise. With Waiting set, Message is not called: deliveries are told without their messages, which are read back when they are wanted. size is
// what the message takes in the store, in bytes.
type Loader struct {
	Session  func(*Session)
	Message  func(ref MessageRef, m *msg.Message, r Recipient, state AckKind)
	Waiting  func(ref MessageRef, size int, r Recipient, state AckKind)
	Inbound  func(Inbound)
	Retained func(mountpoint string, m *msg.Message)
	APIKey   func(APIKey)
}

func (f *Loader) session(s *Session) {
	if f.Session != nil {
		f.Session(s)
	}
}

func (f *Loader) inbound(in Inbound) {
	if f.Inbound != nil {
		f.Inbound(in)
	}
}
