package retain

import (
	"unsafe"

	"vernemq/broker/msg"
)

// kept is a retained message as it lies in memory: this, and behind it topic, properties and payload, in one allocation in which the garbage
// collector has no pointers to follow. It never changes.
type kept struct {
	deadline int64 // as in msg.Message
	payload  uint32
	props    uint32
	topic    uint16
	qos      byte
}

const keptSize = int(unsafe.Sizeof(kept{}))

// keep makes a copy of m. Topic, properties and payload have passed the limits of the protocol.
func keep(m *msg.Message) *kept {
	n := keptSize + len(m.Topic) + len(m.Props) + len(m.Payload)
	k := (*kept)(unsafe.Pointer(unsafe.SliceData(make([]uint64, (n+7)/8))))
	*k = kept{deadline: m.Deadline, payload: uint32(len(m.Payload)), props: uint32(len(m.Props)), topic: uint16(len(m.Topic)), qos: m.QoS}
	b := append(k.bytes()[:0], m.Topic...)
	b = append(b, m.Props...)
	_ = append(b, m.Payload...)
	return k
}

func (k *kept) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(k), keptSize)), int(k.topic)+int(k.props)+int(k.payload))
}

// size is what a message counts for in Bytes.
func (k *kept) size() int64 { return int64(Overhead + len(k.bytes())) }

// fill makes m the message, of which the slices are shared.
func (k *kept) fill(m *msg.Message, mountpoint string) {
	b := k.bytes()
	props, payload := int(k.topic), int(k.topic)+int(k.props)
	*m = msg.Message{Mountpoint: mountpoint, Topic: b[:props:props], Payload: b[payload:], Deadline: k.deadline, QoS: k.qos, Retain: true}
	if payload > props {
		m.Props = b[props:payload:payload]
	}
}

// is tells whether m was made by fill of this very message.
func (k *kept) is(m *msg.Message) bool {
	return unsafe.SliceData(k.bytes()) == unsafe.SliceData(m.Topic)
}
