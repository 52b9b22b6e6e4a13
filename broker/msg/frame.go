package msg

import "vernemq/broker/mqtt"

// Form is one of the four encodings of a PUBLISH that can be shared: with or without packet identifier, with or without a property block.
type Form uint8

// The bits of a Form.
const (
	formID Form = 1 << iota
	form5
	numForms = 4
)

// FormOf returns the form for MQTT 5 or not, with a packet identifier or not.
func FormOf(v5, id bool) (f Form) {
	if v5 {
		f |= form5
	}
	if id {
		f |= formID
	}
	return f
}

// Delivery is how one message goes to one receiver.
type Delivery struct {
	QoS      byte
	Retain   bool
	Dup      bool
	V5       bool
	NoTopic  bool   // the topic is left out: Alias stands for it
	Alias    uint16 // MQTT 5 topic alias, 0 none
	PacketID uint16 // for QoS > 0
	SubID    uint32 // MQTT 5 subscription identifier, 0 none
	Expiry   int64  // MQTT 5 message expiry still left, in seconds; -1 none
}

// plain reports whether a shared encoding fits.
func (d *Delivery) plain() bool { return d.Alias == 0 && d.SubID == 0 && d.Expiry < 0 }

func (d *Delivery) first() byte {
	b := 0x30 | d.QoS<<1
	if d.Retain {
		b |= 1
	}
	if d.Dup {
		b |= 8
	}
	return b
}

// Forms holds the encodings of one message while it is fanned out, so that each form is made once. Begin starts a message. Not safe for
// concurrent use; a shard has one.
type Forms struct {
	m    *Message
	own  *Message // m's owned copy, once one was needed; m itself may be one
	have [numForms]bool
	made [numForms][]byte // buffers kept for the next message
}

// Begin forgets the previous message.
func (f *Forms) Begin(m *Message) {
	f.m, f.own = m, nil
	f.have = [numForms]bool{}
}

// Own is m.Own, but one copy serves all who keep the message of the last Begin.
func (f *Forms) Own(m *Message) *Message {
	if f.m != m || !m.Borrowed {
		return m.Own()
	}
	if f.own == nil {
		f.own = m.Own()
	}
	return f.own
}

// Append appends the frame that carries m to a receiver. m is the message of the last Begin, or any other, which is then encoded for itself.
func (f *Forms) Append(dst []byte, m *Message, d *Delivery) []byte {
	if !d.plain() {
		return appendFrame(dst, m, d)
	}
	form := FormOf(d.V5, d.QoS > 0)
	var frame []byte
	switch {
	case m.Wire != nil && m.WireForm == form:
		frame = m.Wire
	case f.m != m && f.own != m:
		return appendFrame(dst, m, d)
	default:
		if !f.have[form] {
			f.made[form] = appendForm(f.made[form][:0], m, form)
			f.have[form] = true
		}
		frame = f.made[form]
	}
	at := len(dst)
	dst = append(dst, frame...)
	dst[at] = d.first()
	if d.QoS > 0 {
		id := idOffset(dst, at) + 2 + len(m.Topic)
		dst[id], dst[id+1] = byte(d.PacketID>>8), byte(d.PacketID)
	}
	return dst
}

// FrameSize is the size in bytes of the frame that Append would make.
func FrameSize(m *Message, d *Delivery) int {
	return mqtt.PacketSize(bodySize(m, d))
}

// idOffset returns where the topic length of the frame at b[at:] stands.
func idOffset(b []byte, at int) int {
	at++
	for b[at]&0x80 != 0 {
		at++
	}
	return at + 1
}

func appendForm(dst []byte, m *Message, form Form) []byte {
	d := Delivery{V5: form&form5 != 0, Expiry: -1, QoS: byte(form & formID)}
	return appendFrame(dst, m, &d)
}

func propsSize(m *Message, d *Delivery) int {
	n := len(m.Props)
	if d.Alias != 0 {
		n += 3
	}
	if d.SubID != 0 {
		n += 1 + mqtt.VarintSize(int(d.SubID))
	}
	if d.Expiry >= 0 {
		n += 5
	}
	return n
}

func bodySize(m *Message, d *Delivery) int {
	n := 2 + len(m.Payload)
	if !d.NoTopic {
		n += len(m.Topic)
	}
	if d.QoS > 0 {
		n += 2
	}
	if d.V5 {
		p := propsSize(m, d)
		n += mqtt.VarintSize(p) + p
	}
	return n
}

func appendFrame(dst []byte, m *Message, d *Delivery) []byte {
	dst = append(dst, d.first())
	dst = mqtt.AppendVarint(dst, bodySize(m, d))
	if d.NoTopic {
		dst = append(dst, 0, 0)
	} else {
		dst = append(dst, byte(len(m.Topic)>>8), byte(len(m.Topic)))
		dst = append(dst, m.Topic...)
	}
	if d.QoS > 0 {
		dst = append(dst, byte(d.PacketID>>8), byte(d.PacketID))
	}
	if d.V5 {
		dst = mqtt.AppendVarint(dst, propsSize(m, d))
		if d.Expiry >= 0 {
			dst = append(dst, 0x02, byte(d.Expiry>>24), byte(d.Expiry>>16), byte(d.Expiry>>8), byte(d.Expiry))
		}
		if d.SubID != 0 {
			dst = mqtt.AppendVarint(append(dst, 0x0B), int(d.SubID))
		}
		if d.Alias != 0 {
			dst = append(dst, 0x23, byte(d.Alias>>8), byte(d.Alias))
		}
		dst = append(dst, m.Props...)
	}
	return append(dst, m.Payload...)
}
