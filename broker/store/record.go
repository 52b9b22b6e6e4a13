package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"vernemq/broker/msg"
)

// The types of records in the log. Numbers are for ever.
const (
	typeSession        = 1  // a session without its subscriptions, with its will
	typeSessionEnd     = 2  // key
	typeSubscription   = 3  // key, subscription
	typeUnsubscription = 4  // key, filter
	typeMessage        = 5  // a message with its deliveries, and the exchange it came in
	typeAck            = 6  // one step of an exchange
	typeRetained       = 7  // a retained message
	typeUnretained     = 8  // mountpoint, topic
	typeInbound        = 9  // an incoming exchange without its message
	typeRun            = 10 // the store was opened: number of the run, highest session key
	typeLost           = 11 // stands for a record that was damaged
	typeMove           = 12 // a delivery waits for another session now
	typeAPIKey         = 13 // an API key; since version 2
	typeAPIKeyEnd      = 14 // digest, scope; since version 2
)

// Flags of a message record. The QoS is in bits 0-1.
const (
	flagRetain   = 1 << 2
	flagDeadline = 1 << 3
	flagInbound  = 1 << 4
	flagOrigin   = 1 << 5
)

var errRecord = errors.New("a record has a good checksum and makes no sense: it was written by another version, or by a fault in this one")

// Flags of a will in a session record. The QoS is in bits 0-1.
const (
	willRetain    = 1 << 2
	willHasExpiry = 1 << 3
)

// appendSession appends the payload of a session record. A will stands at its end; the record of a session without one ends before.
func appendSession(b []byte, r *Session) []byte {
	b = binary.AppendUvarint(b, uint64(r.Key))
	b = appendStamp(b, r.Stamp)
	b = append(b, r.Version)
	b = binary.AppendUvarint(b, uint64(r.Expiry))
	b = binary.AppendVarint(b, r.Remaining)
	b = binary.AppendVarint(b, r.Disconnected)
	b = appendString(b, r.ID.Mountpoint)
	b = appendString(b, r.ID.ClientID)
	b = appendString(b, r.Username)
	if r.Will != nil {
		b = appendWill(b, r.Will)
	}
	return b
}

func appendWill(b []byte, w *Will) []byte {
	flags := w.QoS & 3
	if w.Retain {
		flags |= willRetain
	}
	if w.HasExpiry {
		flags |= willHasExpiry
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(w.Delay))
	b = binary.AppendUvarint(b, uint64(w.Expiry))
	b = appendString(b, w.Topic)
	b = appendString(b, w.Props)
	return appendString(b, w.Payload)
}

// will reads a will, whose slices are copies: a session's record lives on in the index.
func (d *decoder) will() *Will {
	flags := d.byte()
	w := &Will{QoS: flags & 3, Retain: flags&willRetain != 0, HasExpiry: flags&willHasExpiry != 0, Delay: uint32(d.max(math.MaxUint32)), Expiry: uint32(d.max(math.MaxUint32))}
	w.Topic, w.Props, w.Payload = bytes.Clone(d.bytes()), bytes.Clone(d.bytes()), bytes.Clone(d.bytes())
	if len(w.Topic) > math.MaxUint16 || len(d.b) > 0 {
		d.fail()
	}
	return w
}

func (d *decoder) session() (r Session) {
	r.Key = SessionKey(d.uint())
	r.Stamp = d.stamp()
	r.Version = d.byte()
	r.Expiry = uint32(d.max(math.MaxUint32))
	r.Remaining = d.int()
	r.Disconnected = d.int()
	r.ID.Mountpoint = string(d.bytes())
	r.ID.ClientID = string(d.bytes())
	r.Username = string(d.bytes())
	if len(d.b) > 0 {
		r.Will = d.will()
	}
	return r
}

func appendSubscription(b []byte, k SessionKey, s Subscription) []byte {
	b = binary.AppendUvarint(b, uint64(k))
	b = append(b, s.Opts)
	b = binary.AppendUvarint(b, uint64(s.ID))
	return appendString(b, s.Filter)
}

func (d *decoder) subscription() (k SessionKey, s Subscription) {
	k = SessionKey(d.uint())
	s.Opts = d.byte()
	s.ID = uint32(d.max(math.MaxUint32))
	s.Filter = string(d.bytes())
	return k, s
}

// ackQoS is where the QoS stands in the first byte of an acknowledgement, above its kind.
const ackQoS = 4

func appendAck(b []byte, a Ack, origin uint64) []byte {
	b = append(b, byte(a.Kind)|a.QoS&3<<ackQoS)
	b = binary.AppendUvarint(b, uint64(a.Session))
	b = binary.AppendUvarint(b, origin)
	return binary.AppendUvarint(b, uint64(a.PacketID))
}

func (d *decoder) ack() (a Ack, origin uint64) {
	first := d.byte()
	a.Kind, a.QoS = AckKind(first&(1<<ackQoS-1)), first>>ackQoS&3
	a.Session, origin, a.PacketID = SessionKey(d.uint()), d.uint(), uint16(d.max(math.MaxUint16))
	return a, origin
}

func appendInbound(b []byte, in Inbound) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(in.Session)), uint64(in.PacketID))
}

func (d *decoder) inbound() Inbound {
	return Inbound{Session: SessionKey(d.uint()), PacketID: uint16(d.max(math.MaxUint16))}
}

func appendRun(b []byte, run uint64, lastKey SessionKey) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, run), uint64(lastKey))
}

// envelope is what a message record begins with: what the index keeps of it.
type envelope struct {
	flags   byte
	origin  uint64 // sequence number under which the message was first written; 0: this one
	stamp   msg.Stamp
	inbound Inbound
	to      []delivered
}

// delivered is a Recipient and how far its exchange is.
type delivered struct {
	Recipient
	state AckKind
}

// begin is the delivery to a recipient as it is at first.
func (r Recipient) begin() delivered {
	if r.PacketID != 0 {
		return delivered{r, Sent}
	}
	return delivered{r, Waits}
}

func appendEnvelope(b []byte, e *envelope) []byte {
	b = append(b, e.flags)
	b = appendStamp(b, e.stamp)
	if e.flags&flagOrigin != 0 {
		b = binary.AppendUvarint(b, e.origin)
	}
	if e.flags&flagInbound != 0 {
		b = appendInbound(b, e.inbound)
	}
	b = binary.AppendUvarint(b, uint64(len(e.to)))
	for _, r := range e.to {
		b = binary.AppendUvarint(b, uint64(r.Session))
		b = append(b, r.Opts, byte(r.state))
		b = binary.AppendUvarint(b, uint64(r.SubID))
		b = binary.AppendUvarint(b, uint64(r.PacketID))
	}
	return b
}

// envelope reads into e, whose list of recipients it uses again.
func (d *decoder) envelope(e *envelope) {
	*e = envelope{flags: d.byte(), stamp: d.stamp(), to: e.to[:0]}
	if e.flags&flagOrigin != 0 {
		e.origin = d.uint()
	}
	if e.flags&flagInbound != 0 {
		e.inbound = d.inbound()
	}
	for n := d.max(uint64(len(d.b))); n > 0 && d.err == nil; n-- {
		e.to = append(e.to, delivered{Recipient: Recipient{Session: SessionKey(d.uint()), Opts: d.byte()}, state: AckKind(d.byte())})
		r := &e.to[len(e.to)-1]
		r.SubID = uint32(d.max(math.MaxUint32))
		r.PacketID = uint16(d.max(math.MaxUint16))
	}
}

// lifetime is how a deadline is kept: monotonic for the run that wrote it, for later ones as what was left and when that was written.
type lifetime struct {
	deadline int64 // monotonic nanoseconds
	left     int64 // nanoseconds
	wall     int64 // Unix milliseconds; 0: not known
	run      uint64
}

func appendLifetime(b []byte, l lifetime) []byte {
	b = binary.AppendVarint(b, l.deadline)
	b = binary.AppendVarint(b, l.left)
	b = binary.AppendVarint(b, l.wall)
	return binary.AppendUvarint(b, l.run)
}

func (d *decoder) lifetime() lifetime {
	return lifetime{deadline: d.int(), left: d.int(), wall: d.int(), run: d.uint()}
}

// appendContent appends what of a message is the same for all receivers.
func appendContent(b []byte, m *msg.Message) []byte {
	b = appendString(b, m.Mountpoint)
	b = appendString(b, m.Topic)
	b = appendString(b, m.Props)
	return appendString(b, m.Payload)
}

// body is what a message record and a retained one end with.
type body struct {
	flags                      byte
	lifetime                   lifetime
	mountpoint                 string
	topic, props, payload, raw []byte // raw: all of it behind the lifetime
}

// message reads a whole message record.
func (d *decoder) message(e *envelope) (c body) {
	d.envelope(e)
	if c.flags = e.flags; c.flags&flagDeadline != 0 {
		c.lifetime = d.lifetime()
	}
	c.raw = d.b
	c.mountpoint, c.topic, c.props, c.payload = string(d.bytes()), d.bytes(), d.bytes(), d.bytes()
	d.end(&c)
	return c
}

// retained reads a whole retained record.
func (d *decoder) retained() (stamp msg.Stamp, c body) {
	c.flags, stamp = d.byte(), d.stamp()
	c.mountpoint, c.topic = string(d.bytes()), d.bytes()
	if c.flags&flagDeadline != 0 {
		c.lifetime = d.lifetime()
	}
	c.raw = d.b
	c.props, c.payload = d.bytes(), d.bytes()
	d.end(&c)
	return stamp, c
}

func (d *decoder) end(c *body) {
	if len(c.topic) > math.MaxUint16 || len(d.b) > 0 {
		d.fail()
	}
}

func messageFlags(m *msg.Message) byte {
	f := m.QoS & 3
	if m.Retain {
		f |= flagRetain
	}
	if m.Deadline != 0 {
		f |= flagDeadline
	}
	return f
}

func appendStamp(b []byte, s msg.Stamp) []byte {
	b = binary.LittleEndian.AppendUint64(b, s.Time)
	return binary.LittleEndian.AppendUint32(b, s.Node)
}

func appendString[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decoder takes a payload apart. After an error everything is zero; look at err in the end.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.b, d.err = nil, errRecord }

func (d *decoder) uint() uint64 {
	x, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return x
}

func (d *decoder) max(limit uint64) uint64 {
	x := d.uint()
	if x > limit {
		d.fail()
		return 0
	}
	return x
}

func (d *decoder) int() int64 {
	x, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return x
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	x := d.b[0]
	d.b = d.b[1:]
	return x
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	x := d.b[:n:n]
	d.b = d.b[n:]
	return x
}

func (d *decoder) stamp() msg.Stamp {
	if len(d.b) < 12 {
		d.fail()
		return msg.Stamp{}
	}
	s := msg.Stamp{Time: binary.LittleEndian.Uint64(d.b), Node: binary.LittleEndian.Uint32(d.b[8:])}
	d.b = d.b[12:]
	return s
}

// keep returns how much of a record's payload the index needs: for a message the envelope, for a retained one its name.
func keep(typ byte, payload []byte) int {
	d := decoder{b: payload}
	switch typ {
	case typeMessage:
		var e envelope
		d.envelope(&e)
	case typeRetained:
		d.byte()
		d.stamp()
		d.bytes()
		d.bytes()
	default:
		return len(payload)
	}
	if d.err != nil {
		return len(payload)
	}
	return len(payload) - len(d.b)
}
