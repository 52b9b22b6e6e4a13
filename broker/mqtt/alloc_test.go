package mqtt

import "testing"

// TestAllocs holds what the hot path may allocate: nothing.
func TestAllocs(t *testing.T) {
	none := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s takes %v allocations, want 0", name, n)
		}
	}
	for _, v := range []Version{V31, V311, V5} {
		for qos := range byte(3) {
			p := benchPublish(qos, v)
			buf := p.Append(nil, v)
			var got Publish
			none("decoding a PUBLISH "+v.String(), func() {
				if err := readPublish(&got, buf, v); err != nil {
					t.Fatal(err)
				}
			})
			out := make([]byte, 0, len(buf)+8)
			extra := wire("02 00000001")
			none("encoding a PUBLISH "+v.String(), func() {
				p.Append(out, v)
				p.AppendWith(out, v, extra)
				p.Size(v, len(extra))
			})
		}
		ack := Ack{Type: TypePuback, PacketID: 1, Code: CodeNoMatchingSubscribers}
		buf := ack.Append(nil, v)
		none("an acknowledgement "+v.String(), func() {
			if err := ack.Decode(TypePuback, buf[2:], v); err != nil {
				t.Fatal(err)
			}
			ack.Append(buf[:0], v)
		})
		entries := 0
		sub := subscribe(1, Properties{}, "a/+", 1, "b/#", 2)
		buf = sub.Append(nil, v)
		none("a SUBSCRIBE "+v.String(), func() {
			if err := sub.Decode(buf[2:], v); err != nil {
				t.Fatal(err)
			}
			sub.Each(func(filter []byte, opts SubOptions) { entries += len(filter) + int(opts.QoS()) })
		})
	}

	p := benchPublish(0, V5).Props
	out := make([]byte, 0, 2*p.Len())
	none("properties", func() {
		p.Uint(PropPayloadFormat)
		p.Bytes(PropContentType)
		for k, v := range p.User() {
			out = append(append(out[:0], k...), v...)
		}
		p.AppendForward(out[:0])
		PropertiesOf(p.Raw())
	})
	none("building properties", func() {
		p.Reset()
		p.AddUint(PropMessageExpiry, 60)
		p.AddBytes(PropContentType, benchTopic)
		p.AddUser(benchTopic[:4], benchTopic[4:8])
	})
}
