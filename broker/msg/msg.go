// Package msg holds the routed message: what a PUBLISH is once it has left the wire, and the identities it travels between. It knows the
// wire form of a PUBLISH (so that one encoding serves all receivers) and nothing of sessions, sockets or storage.
package msg

import "sync/atomic"

// SubscriberID names a session for ever: the mountpoint it lives in and the client identifier. The default mountpoint is "".
type SubscriberID struct {
	Mountpoint string
	ClientID   string
}

// Stamp is the version of a stored record: a hybrid logical clock reading and the node that made it. A later Stamp wins; equal times are
// ordered by node, so that all nodes agree.
// It is written with every session, retained and queue record from the first day, so that clustering needs no migration.
type Stamp struct {
	Time uint64 // 48 bits of wall clock milliseconds, 16 bits of counter
	Node uint32 // hash of the node name
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

// Message is a PUBLISH on its way. A borrowed one has slices that point into a read buffer: it is valid for the turn that made it, and Own
// gives a copy that lives longer. All receivers share a message: nobody changes it once routing began.
type Message struct {
	Mountpoint string
	Topic      []byte
	Payload    []byte
	Props      []byte // raw MQTT 5 properties to forward, without their length; no topic alias, subscription identifier or expiry among them
	Wire       []byte // a whole PUBLISH frame in form WireForm that carries exactly the above; nil if there is none yet
	Deadline   int64  // monotonic nanoseconds at which it expires; 0 never
	Ref        uint64 // store.MessageRef of its record; 0 if it is not stored
	From       Origin
	QoS        byte
	WireForm   Form
	Retain     bool // as published
	Borrowed   bool // slices belong to somebody else
}

// Own returns a message that may outlive the turn: m itself when it is not borrowed, else a copy whose bytes are one allocation, a frame.
func (m *Message) Own() *Message {
	if !m.Borrowed {
		return m
	}
	size := len(m.Wire)
	if size == 0 {
		size = len(m.Topic) + len(m.Payload) + len(m.Props) + 16
	}
	c, wire := alloc(size)
	*c = *m
	c.Borrowed = false
	if m.Wire != nil {
		c.Wire = append(wire, m.Wire...)
	} else {
		c.WireForm = FormOf(len(m.Props) > 0, m.QoS > 0)
		c.Wire = appendForm(wire, m, c.WireForm)
	}
	c.point()
	return c
}

// CopyInto puts a copy of m into c whose bytes are appended to buf, which is returned: a message that lives as long as buf's content does, and
// is borrowed as m is.
func (m *Message) CopyInto(c *Message, buf []byte) []byte {
	*c = *m
	c.Borrowed = true
	at := len(buf)
	if m.Wire != nil {
		buf = append(buf, m.Wire...)
	} else {
		c.WireForm = FormOf(len(m.Props) > 0, m.QoS > 0)
		buf = appendForm(buf, m, c.WireForm)
	}
	c.Wire = buf[at:len(buf):len(buf)]
	c.point()
	return buf
}

// Small messages and their frame are one allocation.
type (
	inline64 struct {
		Message
		b [64]byte
	}
	inline128 struct {
		Message
		b [128]byte
	}
	inline256 struct {
		Message
		b [256]byte
	}
)

// alloc returns a message and an empty buffer for its frame of at least size bytes.
func alloc(size int) (*Message, []byte) {
	switch {
	case size <= 64:
		x := &inline64{}
		return &x.Message, x.b[:0]
	case size <= 128:
		x := &inline128{}
		return &x.Message, x.b[:0]
	case size <= 256:
		x := &inline256{}
		return &x.Message, x.b[:0]
	default:
		return &Message{}, make([]byte, 0, size)
	}
}

// point makes Topic, Payload and Props slices of Wire.
func (m *Message) point() {
	w := m.Wire
	at := len(w) - len(m.Payload)
	m.Payload = w[at:]
	if n := len(m.Props); n > 0 {
		m.Props = w[at-n : at : at]
	}
	t := idOffset(w, 0)
	n := len(m.Topic)
	m.Topic = w[t+2 : t+2+n : t+2+n]
}

// New returns an owned message of the given parts, copied.
func New(mountpoint string, topic, payload, props []byte, qos byte, retain bool) *Message {
	m := Message{Mountpoint: mountpoint, Topic: topic, Payload: payload, Props: props, QoS: qos, Retain: retain, Borrowed: true}
	return m.Own()
}

// Size is what the message costs in memory, in bytes, for limits and metrics.
func (m *Message) Size() int { return messageSize + len(m.Wire) }

const messageSize = 216
