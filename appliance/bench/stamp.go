package bench

import (
	"encoding/binary"
	"hash/crc32"

	"vernemq/broker/mqtt"
)

// MinSize is the smallest payload, in bytes: what a message needs to be checked when it arrives.
//
//	0   checksum of all that follows, CRC-32C
//	4   run
//	8   flow: whose sequence the message belongs to
//	12  sequence number in its flow, from 1
//	20  time at which it was due, nanoseconds on the generator's clock
//	28  filling
const MinSize = 28

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stamp is the head of a payload.
type stamp struct {
	run, flow uint32
	seq       uint64
	due       int64
}

// put writes the stamp into a payload of at least MinSize bytes and seals it.
func (s stamp) put(payload []byte) {
	binary.LittleEndian.PutUint32(payload[4:], s.run)
	binary.LittleEndian.PutUint32(payload[8:], s.flow)
	binary.LittleEndian.PutUint64(payload[12:], s.seq)
	binary.LittleEndian.PutUint64(payload[20:], uint64(s.due))
	binary.LittleEndian.PutUint32(payload, crc32.Checksum(payload[4:], castagnoli))
}

// readStamp reads it back; ok is false if the payload is not what was sent.
func readStamp(payload []byte) (s stamp, ok bool) {
	if len(payload) < MinSize || binary.LittleEndian.Uint32(payload) != crc32.Checksum(payload[4:], castagnoli) {
		return s, false
	}
	s.run = binary.LittleEndian.Uint32(payload[4:])
	s.flow = binary.LittleEndian.Uint32(payload[8:])
	s.seq = binary.LittleEndian.Uint64(payload[12:])
	s.due = int64(binary.LittleEndian.Uint64(payload[20:]))
	return s, true
}

// template is a PUBLISH that was encoded once. Topics end in numbers of fixed width, which are patched in place.
type template struct {
	frame   []byte
	id      int // offset of the packet identifier; 0 at QoS 0
	topic   int // offset of the topic
	payload int // offset of the payload
}

// newTemplate encodes a PUBLISH with size bytes of filling as its payload.
func newTemplate(topic string, size int, qos byte, retain bool, v mqtt.Version) template {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte('a' + i%26)
	}
	p := mqtt.Publish{Topic: []byte(topic), Payload: payload, QoS: qos, Retain: retain, PacketID: 1}
	t := template{frame: p.Append(nil, v)}
	t.payload = len(t.frame) - size
	end := t.payload // of the topic
	if v.Is5() {
		end-- // the length of no properties
	}
	if qos > 0 {
		end -= 2
		t.id = end
	}
	t.topic = end - len(topic)
	return t
}

// number writes v in decimal, with leading zeros, over the width bytes at offset at of the topic.
func (t *template) number(at, width, v int) {
	digits := t.frame[t.topic+at:][:width]
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + v%10)
		v /= 10
	}
}
