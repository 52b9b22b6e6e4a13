// Package msg holds the routed message: what a PUBLISH is once it has left the wire, and the identities it travels between. It knows the
// wire form of a PUBLISH (so that one encoding serves all receivers) and nothing of sessions, sockets or storage.
package msg

import "sync/atomic"

// SubscriberID names a session for ever: the mountpoint it lives in and the client identifier. The default mountpoint is "".
type SubscriberID struct {
	Mountpoint string
	ClientID   string
}

// Stamp is the version of a stored record: a hybrid logical clock reading and the node that made it. A later Stamp wins.
// It is written with every session, retained and queue record from the first day, so that clustering needs no migration.
type Stamp struct {
	Time uint64 // 48 bits of wall clock milliseconds, 16 bits of counter
	Node uint32 // hash of the node name
}

// Less orders stamps; equal times are ordered by node so that all nodes agree.
func (s Stamp) Less(o Stamp) bool {
	if s.Time != o.Time {
		return s.Time < o.Time
	}
	return s.Node < o.Node
}

// Origin names the session a message came from, for No Local and for metrics: its shard and its slot there. The zero Origin is the broker.
type Origin struct {
	Shard uint16
	Valid bool
	Slot  uint32
}

// Presence is what other shards may know of a session that is a member of a shared group. The session's shard writes, all read.
type Presence struct {
	Online   atomic.Bool
	Inflight atomic.Int32
}

// Message is a PUBLISH on its way. The slices may point into a read buffer: such a message is valid for the turn that made it, and Own gives
// a copy that is not. All receivers share it: nobody changes it after routing began.
type Message struct {
	Mountpoint string
	Topic      []byte
	Payload    []byte
	Props      []byte // raw MQTT 5 properties to forward, without their length; no topic alias, subscription identifier or expiry among them
	Deadline   int64  // monotonic nanoseconds at which it expires; 0 never
	From       Origin
	QoS        byte
	Retain     bool // as published
	Borrowed   bool // slices belong to somebody else
}

// Own returns a message that may outlive the turn: m itself when it is not borrowed, else a copy with one allocation for all bytes.
func (m *Message) Own() *Message {
	if !m.Borrowed {
		return m
	}
	c := *m
	c.Borrowed = false
	b := make([]byte, 0, len(m.Topic)+len(m.Payload)+len(m.Props))
	b = append(b, m.Topic...)
	b = append(b, m.Payload...)
	b = append(b, m.Props...)
	t, p := len(m.Topic), len(m.Topic)+len(m.Payload)
	c.Topic, c.Payload, c.Props = b[:t:t], b[t:p:p], b[p:]
	return &c
}
