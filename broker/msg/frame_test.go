package msg_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
)

// seen is what a receiver finds in a frame.
type seen struct {
	Topic, Payload string
	QoS            byte
	ID             uint16
	Dup, Retain    bool
	Expiry, Alias  int64
	SubIDs         []uint32
	Rest           string // the other properties, raw
}

func decode(t *testing.T, frame []byte, v mqtt.Version) seen {
	t.Helper()
	hd, ok, err := mqtt.ReadHeader(frame, 0, v)
	if err != nil || !ok || hd.Size+hd.Body != len(frame) || hd.Type != mqtt.TypePublish {
		t.Fatalf("frame % x: header %+v, %v, %v", frame, hd, ok, err)
	}
	var p mqtt.Publish
	if err := p.Decode(hd.Flags, frame[hd.Size:], v); err != nil {
		t.Fatalf("frame % x: %v", frame, err)
	}
	s := seen{Topic: string(p.Topic), Payload: string(p.Payload), QoS: p.QoS, ID: p.PacketID, Dup: p.Dup, Retain: p.Retain, Expiry: -1, Alias: 0}
	if v, ok := p.Props.Uint(mqtt.PropMessageExpiry); ok {
		s.Expiry = int64(v)
	}
	if v, ok := p.Props.Uint(mqtt.PropTopicAlias); ok {
		s.Alias = int64(v)
	}
	for id := range p.Props.SubscriptionIDs() {
		s.SubIDs = append(s.SubIDs, id)
	}
	s.Rest = string(p.Props.AppendForward(nil))
	return s
}

var props = func() []byte {
	var p mqtt.Properties
	p.AddUint(mqtt.PropPayloadFormat, 1)
	p.AddBytes(mqtt.PropResponseTopic, []byte("re/ply"))
	p.AddUser([]byte("k"), []byte("v"))
	return p.Raw()
}()

// messages gives one message in every form it can have: made by the broker, received as 3.1.1 or 5, with each QoS, owned or not.
func messages(size int, withProps bool) map[string]*msg.Message {
	topic, payload := []byte("a/b"), bytes.Repeat([]byte("x"), size)
	var raw []byte
	if withProps {
		raw = props
	}
	out := map[string]*msg.Message{"made": msg.New("", topic, payload, raw, 1, false)}
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		if withProps && !v.Is5() {
			continue
		}
		for qos := range byte(3) {
			p := mqtt.Publish{Topic: topic, Payload: payload, Props: mqtt.PropertiesOf(raw), QoS: qos}
			if qos > 0 {
				p.PacketID = 0xABCD
			}
			frame := p.Append(nil, v)
			at := len(frame) - len(payload)
			m := &msg.Message{Topic: topic, Payload: frame[at:], Props: raw, Wire: frame, WireForm: msg.FormOf(v.Is5(), qos > 0), QoS: qos, Borrowed: true}
			out[fmt.Sprintf("received v%d qos%d", v, qos)] = m
			out[fmt.Sprintf("owned v%d qos%d", v, qos)] = m.Own()
		}
	}
	return out
}

// TestFrames: whatever form a message has, and however it is to be delivered, the receiver decodes exactly that; and the size is foretold.
func TestFrames(t *testing.T) {
	for _, size := range []int{0, 1, 100, 127, 128, 200, 16_384, 2_097_152} {
		for _, withProps := range []bool{false, true} {
			for name, m := range messages(size, withProps) {
				if size > 20_000 && name != "made" && name != "received v5 qos1" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/props=%v", name, size, withProps), func(t *testing.T) {
					var f msg.Forms
					f.Begin(m)
					for range 2 { // the second time from what was made the first time
						for _, d := range deliveries {
							checkDelivery(t, &f, m, d)
						}
					}
				})
			}
		}
	}
}

var deliveries = []msg.Delivery{
	{Expiry: -1},
	{QoS: 1, PacketID: 1, Expiry: -1},
	{QoS: 2, PacketID: 65535, Expiry: -1, Dup: true},
	{Retain: true, Expiry: -1},
	{V5: true, Expiry: -1},
	{V5: true, QoS: 1, PacketID: 0x0102, Expiry: -1, Retain: true},
	{V5: true, QoS: 2, PacketID: 0xFFFE, Expiry: -1, Dup: true},
	{V5: true, SubID: 1, Expiry: -1},
	{V5: true, SubID: 268435455, QoS: 1, PacketID: 9, Expiry: 0},
	{V5: true, Expiry: 4294967295},
	{V5: true, Alias: 5, Expiry: -1},
	{V5: true, Alias: 65535, NoTopic: true, QoS: 2, PacketID: 3, Expiry: 77, SubID: 128},
}

func checkDelivery(t *testing.T, f *msg.Forms, m *msg.Message, d msg.Delivery) {
	t.Helper()
	v := mqtt.V311
	want := seen{Topic: "a/b", Payload: string(m.Payload), QoS: d.QoS, ID: d.PacketID, Dup: d.Dup, Retain: d.Retain, Expiry: -1}
	if d.V5 {
		v = mqtt.V5
		want.Expiry, want.Alias, want.Rest = d.Expiry, int64(d.Alias), string(m.Props)
		if d.SubID != 0 {
			want.SubIDs = []uint32{d.SubID}
		}
		if d.NoTopic {
			want.Topic = ""
		}
	}
	before := append([]byte("before"), make([]byte, 10)...)[:6]
	out := f.Append(before, m, &d)
	if string(out[:6]) != "before" {
		t.Fatalf("%+v: what stood in the buffer was changed", d)
	}
	frame := out[6:]
	if diff := cmp.Diff(want, decode(t, frame, v)); diff != "" {
		t.Fatalf("%+v (-want +got):\n%s", d, diff)
	}
	if n := msg.FrameSize(m, &d); n != len(frame) {
		t.Errorf("%+v: FrameSize = %d, the frame has %d bytes", d, n, len(frame))
	}
}

// TestFormsOtherMessage: a message that is not the one of Begin is encoded for itself and spoils nothing.
func TestFormsOtherMessage(t *testing.T) {
	var f msg.Forms
	a, b := msg.New("", []byte("a"), []byte("first"), nil, 0, false), msg.New("", []byte("bb"), []byte("second one"), nil, 0, false)
	f.Begin(a)
	for range 2 {
		for _, m := range []*msg.Message{a, b} {
			for _, v5 := range []bool{false, true} {
				d := msg.Delivery{V5: v5, QoS: 1, PacketID: 1, Expiry: -1}
				v := mqtt.V311
				if v5 {
					v = mqtt.V5
				}
				if got := decode(t, f.Append(nil, m, &d), v); got.Topic != string(m.Topic) || got.Payload != string(m.Payload) {
					t.Errorf("got %q on %q, want %q on %q", got.Payload, got.Topic, m.Payload, m.Topic)
				}
			}
		}
	}
}

// TestOwn: an owned message keeps its bytes when the read buffer is used again.
func TestOwn(t *testing.T) {
	for _, withProps := range []bool{false, true} {
		for _, size := range []int{0, 20, 50, 100, 230, 300, 5000} { // around the sizes that share an allocation with their message
			for name, m := range messages(size, withProps) {
				buffer := bytes.Join([][]byte{m.Wire, m.Topic, m.Props, m.Payload}, nil)
				if !m.Borrowed {
					if m.Own() != m {
						t.Errorf("%s: an owned message was copied", name)
					}
					continue
				}
				b := *m
				n := len(m.Wire)
				b.Wire = buffer[:n]
				b.Topic, b.Props = buffer[n:n+len(m.Topic)], buffer[n+len(m.Topic):n+len(m.Topic)+len(m.Props)]
				b.Payload = buffer[len(buffer)-len(m.Payload):]
				if len(m.Props) == 0 {
					b.Props = nil
				}
				own := b.Own()
				noWire := b
				noWire.Wire = nil
				other := noWire.Own()
				for i := range buffer {
					buffer[i] = 0xEE
				}
				for _, o := range []*msg.Message{own, other} {
					if string(o.Topic) != "a/b" || !bytes.Equal(o.Payload, m.Payload) || !bytes.Equal(o.Props, m.Props) || o.Borrowed {
						t.Fatalf("%s: owned copy has topic %q, payload %.20q, properties % x, borrowed %v", name, o.Topic, o.Payload, o.Props, o.Borrowed)
					}
					var f msg.Forms
					f.Begin(o)
					for _, d := range deliveries {
						checkDelivery(t, &f, o, d)
					}
				}
			}
		}
	}
}

// TestFormsOwn: all who keep the message of the last Begin share one copy; the next message has its own, though it may lie at the same place.
func TestFormsOwn(t *testing.T) {
	var f msg.Forms
	m := msg.Message{Topic: []byte("a"), Payload: []byte("one"), Borrowed: true}
	f.Begin(&m)
	first := f.Own(&m)
	if f.Own(&m) != first {
		t.Error("two copies of one message")
	}
	other := msg.Message{Topic: []byte("a"), Payload: []byte("other"), Borrowed: true}
	if o := f.Own(&other); string(o.Payload) != "other" {
		t.Errorf("copy of another message has payload %q", o.Payload)
	}
	if f.Own(first) != first {
		t.Error("an owned message was copied")
	}
	m = msg.Message{Topic: []byte("a"), Payload: []byte("two"), Borrowed: true}
	f.Begin(&m)
	if o := f.Own(&m); string(o.Payload) != "two" || string(first.Payload) != "one" {
		t.Errorf("after Begin: payload %q and before it %q, want two and one", o.Payload, first.Payload)
	}
}
