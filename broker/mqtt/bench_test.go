package mqtt

import "testing"

var benchTopic = []byte("site/12/line/3/machine/77/temperature")

// benchPublish is an ordinary message: a topic of 37 bytes, a payload of 64, in MQTT 5 with three properties.
func benchPublish(qos byte, v Version) *Publish {
	p := &Publish{Topic: benchTopic, Payload: make([]byte, 64), QoS: qos}
	if qos > 0 {
		p.PacketID = 7
	}
	if v.Is5() {
		p.Props.AddUint(PropPayloadFormat, 1)
		p.Props.AddBytes(PropContentType, []byte("application/json"))
		p.Props.AddUser([]byte("unit"), []byte("celsius"))
	}
	return p
}

// readPublish does what a shard does to one PUBLISH in its read buffer.
func readPublish(p *Publish, buf []byte, v Version) error {
	h, ok, err := ReadHeader(buf, 0, v)
	if err != nil || !ok {
		return err
	}
	return p.Decode(h.Flags, buf[h.Size:h.Size+h.Body], v)
}

func benchDecode(b *testing.B, qos byte, v Version) {
	buf := benchPublish(qos, v).Append(nil, v)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	var p Publish
	for b.Loop() {
		if err := readPublish(&p, buf, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublishDecodeV311(b *testing.B)     { benchDecode(b, 0, V311) }
func BenchmarkPublishDecodeV311QoS1(b *testing.B) { benchDecode(b, 1, V311) }
func BenchmarkPublishDecodeV5(b *testing.B)       { benchDecode(b, 0, V5) }

func benchAppend(b *testing.B, qos byte, v Version) {
	p := benchPublish(qos, v)
	buf := p.Append(nil, v)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = p.Append(buf[:0], v)
	}
}

func BenchmarkPublishAppend(b *testing.B)   { benchAppend(b, 0, V311) }
func BenchmarkPublishAppendV5(b *testing.B) { benchAppend(b, 1, V5) }

func BenchmarkReadHeader(b *testing.B) {
	for _, bb := range []struct {
		name string
		in   []byte
	}{{"OneByteLength", []byte{0x30, 0x67}}, {"TwoByteLength", []byte{0x30, 0x80, 0x08}}} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, ok, err := ReadHeader(bb.in, 1<<20, V311); !ok || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPropertiesUint(b *testing.B) {
	p := benchPublish(0, V5).Props
	p.AddUint(PropTopicAlias, 9)
	for b.Loop() {
		if v, ok := p.Uint(PropTopicAlias); !ok || v != 9 {
			b.Fatal(v, ok)
		}
	}
}
