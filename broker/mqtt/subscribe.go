package mqtt

import (
	"bytes"
	"encoding/binary"
)

// SubOptions are the options of one subscription as on the wire. MQTT 3.x has the QoS only.
type SubOptions byte

// The options beside the QoS, and the shift of the retain handling.
const (
	SubNoLocal           SubOptions = 0x04
	SubRetainAsPublished SubOptions = 0x08
	subRetainShift                  = 4
	subReserved          SubOptions = 0xC0
)

// QoS is the requested QoS.
func (o SubOptions) QoS() byte { return byte(o & 3) }

// NoLocal tells whether messages of the same client stay away.
func (o SubOptions) NoLocal() bool { return o&SubNoLocal != 0 }

// RetainAsPublished tells whether messages keep the retain flag they were published with.
func (o SubOptions) RetainAsPublished() bool { return o&SubRetainAsPublished != 0 }

// RetainHandling says when to send retained messages: 0 at every SUBSCRIBE, 1 only if the subscription is new, 2 never.
func (o SubOptions) RetainHandling() byte { return byte(o >> subRetainShift & 3) }

// WithRetainHandling gives o with another retain handling, 0 to 2.
func (o SubOptions) WithRetainHandling(h byte) SubOptions {
	return o&^(3<<subRetainShift) | SubOptions(h&3)<<subRetainShift
}

// check refuses options that version v does not have.
func (o SubOptions) check(v Version) error {
	switch {
	case o&subReserved != 0, !v.Is5() && o > 3:
		return ErrSubOptions // [MQTT-3.8.3-5]
	case o.QoS() == 3:
		return ErrSubQoS // [MQTT-3-8.3-4] of 3.1.1
	case o.RetainHandling() == 3:
		return ErrSubRetain
	}
	return nil
}

// Subscribe is a SUBSCRIBE. Its entries are kept as they are on the wire: Each goes through them, Add appends one.
type Subscribe struct {
	PacketID uint16
	Props    Properties // MQTT 5
	Count    int        // entries

	list []byte
}

var sharePrefix = []byte("$share/")

// Decode decodes the body of a SUBSCRIBE. A filter is checked to be a string that is not empty; whether its wildcards stand right and
// whether it may be subscribed to is answered per entry, in the SUBACK.
func (p *Subscribe) Decode(body []byte, v Version) (err error) {
	*p = Subscribe{}
	if p.PacketID, body, err = takePacketID(body); err != nil { // [MQTT-2.2.1-3]
		return err
	}
	if v.Is5() {
		if p.Props, body, err = takeProperties(body, inSubscribe); err != nil {
			return err
		}
	}
	p.list = body[:len(body):len(body)]
	for b := body; len(b) > 0; p.Count++ {
		var filter []byte
		if filter, b, err = takeFilter(b); err != nil {
			return err
		}
		if len(b) == 0 {
			return ErrTruncated.about("subscription options")
		}
		o := SubOptions(b[0])
		if err := o.check(v); err != nil {
			return err
		}
		if o.NoLocal() && bytes.HasPrefix(filter, sharePrefix) {
			return ErrNoLocalShared // [MQTT-3.8.3-4]
		}
		b = b[1:]
	}
	if p.Count == 0 {
		return ErrNoFilters // [MQTT-3.8.3-2]
	}
	return nil
}

// takeFilter cuts a topic filter off the front of b.
func takeFilter(b []byte) (filter, rest []byte, err error) {
	filter, rest, err = takeString(b, "topic filter") // [MQTT-3.8.3-1] [MQTT-3.10.3-1]
	if err == nil && len(filter) == 0 {
		err = ErrFilterEmpty // [MQTT-4.7.3-1]
	}
	return filter, rest, err
}

// Each calls f with every entry in order. filter belongs to p.
func (p *Subscribe) Each(f func(filter []byte, opts SubOptions)) {
	for b := p.list; len(b) > 0; {
		filter, rest, ok := takeField(b)
		if !ok || len(rest) == 0 {
			return
		}
		f(filter, SubOptions(rest[0]))
		b = rest[1:]
	}
}

// Add appends an entry to a packet that is being built; it copies filter.
func (p *Subscribe) Add(filter []byte, opts SubOptions) {
	p.list = append(appendField(p.list, filter), byte(opts))
	p.Count++
}

// Size is the size of the encoded packet, in bytes.
func (p *Subscribe) Size(v Version) int { return PacketSize(listSize(p.Props, p.list, v)) }

// Append appends the packet. For MQTT 3.x leave out options beside the QoS.
func (p *Subscribe) Append(dst []byte, v Version) []byte {
	return appendList(dst, byte(TypeSubscribe)<<4|2, p.PacketID, p.Props, p.list, v)
}

// listSize is the body's size of a packet of identifier, properties and list.
func listSize(props Properties, list []byte, v Version) int {
	n := 2 + len(list)
	if v.Is5() {
		n += propertiesSize(props.Len())
	}
	return n
}

// appendList appends a packet of identifier, properties and list.
func appendList(dst []byte, first byte, id uint16, props Properties, list []byte, v Version) []byte {
	dst = appendHeader(dst, first, listSize(props, list, v))
	dst = binary.BigEndian.AppendUint16(dst, id)
	if v.Is5() {
		dst = appendProperties(dst, props)
	}
	return append(dst, list...)
}

// Unsubscribe is an UNSUBSCRIBE, built and read like a Subscribe.
type Unsubscribe struct {
	PacketID uint16
	Props    Properties // MQTT 5
	Count    int        // entries

	list []byte
}

// Decode decodes the body of an UNSUBSCRIBE.
func (p *Unsubscribe) Decode(body []byte, v Version) (err error) {
	*p = Unsubscribe{}
	if p.PacketID, body, err = takePacketID(body); err != nil { // [MQTT-2.2.1-3]
		return err
	}
	if v.Is5() {
		if p.Props, body, err = takeProperties(body, inUnsubscribe); err != nil {
			return err
		}
	}
	p.list = body[:len(body):len(body)]
	for b := body; len(b) > 0; p.Count++ {
		if _, b, err = takeFilter(b); err != nil {
			return err
		}
	}
	if p.Count == 0 {
		return ErrNoFilters // [MQTT-3.10.3-2]
	}
	return nil
}

// Each calls f with every filter in order. filter belongs to p.
func (p *Unsubscribe) Each(f func(filter []byte)) {
	for b := p.list; len(b) > 0; {
		filter, rest, ok := takeField(b)
		if !ok {
			return
		}
		f(filter)
		b = rest
	}
}

// Add appends a filter to a packet that is being built; it copies filter.
func (p *Unsubscribe) Add(filter []byte) {
	p.list = appendField(p.list, filter)
	p.Count++
}

// Size is the size of the encoded packet, in bytes.
func (p *Unsubscribe) Size(v Version) int { return PacketSize(listSize(p.Props, p.list, v)) }

// Append appends the packet.
func (p *Unsubscribe) Append(dst []byte, v Version) []byte {
	return appendList(dst, byte(TypeUnsubscribe)<<4|2, p.PacketID, p.Props, p.list, v)
}
