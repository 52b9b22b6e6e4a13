package mqtt

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var fuzzVersions = []Version{0, V31, V311, V5}

// addSeeds feeds all packets of the tables, right and wrong.
func addSeeds(add func(b []byte, v byte)) {
	for _, tt := range roundTrips {
		add(wire(tt.wire), byte(tt.v))
	}
	for _, tt := range malformed {
		add(wire(tt.wire), byte(tt.v))
	}
}

// version picks one of the codec's versions.
func version(v byte) Version { return fuzzVersions[int(v)%len(fuzzVersions)] }

// FuzzDecode decodes anything: it never panics, an error has a failure's code, and what is a packet stays the same packet when it is
// encoded and decoded again, is as long as it says, and gets no longer by that.
func FuzzDecode(f *testing.F) {
	addSeeds(func(b []byte, v byte) {
		for i, fv := range fuzzVersions {
			if byte(fv) == v {
				f.Add(b, byte(i))
			}
		}
	})
	f.Fuzz(func(t *testing.T, in []byte, v byte) {
		ver := version(v)
		before := bytes.Clone(in)
		p, size, err := decodePacket(in, 1<<20, ver)
		if err != nil {
			if !CodeOf(err).Failed() || CodeOf(err) == CodeUnspecifiedError || err.Error() == "" {
				t.Fatalf("error %q has the code %v", err, CodeOf(err))
			}
			return
		}
		if size == 0 {
			return
		}
		walk(p)
		b, said := appendPacket(nil, p, ver)
		if said != len(b) || len(b) > size {
			t.Fatalf("% x became % x of %d bytes, said to be %d", in[:size], b, len(b), said)
		}
		if again := mustDecode(t, b, ver); !cmp.Equal(p, again, packetOpts) {
			t.Errorf("not stable (-first +again):\n%s", cmp.Diff(p, again, packetOpts))
		}
		b2, _ := appendPacket(nil, mustDecode(t, b, ver), ver)
		if !bytes.Equal(b, b2) {
			t.Errorf("encoded anew it differs (-want +got):\n- % x\n+ % x", b, b2)
		}
		if !bytes.Equal(in, before) {
			t.Errorf("decoding changed its buffer (-want +got):\n- % x\n+ % x", before, in)
		}
	})
}

// walk goes through everything that a packet hands out by iteration.
func walk(p any) {
	look := func(p Properties) {
		for k, v := range p.User() {
			_, _ = k, v
		}
		for id := range PropID(255) {
			p.Uint(id)
			p.Bytes(id)
		}
		for range p.SubscriptionIDs() {
			continue
		}
		PropertiesOf(p.AppendForward(nil))
	}
	switch p := p.(type) {
	case *Connect:
		look(p.Props)
		look(p.Will.Props)
	case *Publish:
		look(p.Props)
	case *Subscribe:
		n := 0
		p.Each(func([]byte, SubOptions) { n++ })
		if n != p.Count {
			panic("Each does not meet Count entries")
		}
	case *Unsubscribe:
		n := 0
		p.Each(func([]byte) { n++ })
		if n != p.Count {
			panic("Each does not meet Count entries")
		}
	}
}

// stream reads packets from chunks as a connection does: what is not a whole packet waits for more. It gives every packet encoded anew, up
// to the error that ends the stream, and what was left.
func stream(chunks [][]byte, v Version) (packets [][]byte, left int, err error) {
	var buf []byte
	for _, c := range chunks {
		buf = append(buf, c...)
		for {
			p, size, err := decodePacket(buf, 1<<16, v)
			if err != nil {
				return packets, 0, err
			}
			if size == 0 {
				break
			}
			b, _ := appendPacket(nil, p, v)
			packets = append(packets, b)
			buf = append([]byte(nil), buf[size:]...) // what was decoded before must not be needed any more
		}
	}
	return packets, len(buf), nil
}

// FuzzChunks cuts a stream anywhere: it gives the same packets and the same error as in one piece. cuts are the sizes of the chunks.
func FuzzChunks(f *testing.F) {
	var all [4][]byte
	addSeeds(func(b []byte, v byte) {
		for i, fv := range fuzzVersions {
			if byte(fv) == v {
				all[i] = append(all[i], b...)
				f.Add(b, []byte{1}, byte(i))
			}
		}
	})
	for i, b := range all {
		f.Add(b, []byte{1, 2, 3, 5, 8, 13}, byte(i))
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte, v byte) {
		var chunks [][]byte
		rest := in
		for i := 0; len(rest) > 0; i++ {
			n := len(rest)
			if len(cuts) > 0 {
				n = min(n, 1+int(cuts[i%len(cuts)]))
			}
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		ver := version(v)
		want, wantLeft, wantErr := stream([][]byte{in}, ver)
		got, left, err := stream(chunks, ver)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("packets in %d chunks (-want +got):\n%s", len(chunks), diff)
		}
		if left != wantLeft || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("in %d chunks %d bytes are left and the error is %v, want %d and %v", len(chunks), left, err, wantLeft, wantErr)
		}
	})
}

// FuzzProperties takes any block for any packet. What is accepted can be read out and built again, property by property, to the same bytes.
func FuzzProperties(f *testing.F) {
	for id := range PropID(numProps) {
		values := valueOf[id]
		for typ := range Type(16) {
			for _, value := range slices.Concat(values.good, values.bad) {
				f.Add(encoded(id, value), byte(typ))
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, typ byte) {
		PropertiesOf(raw)
		p, err := parseAs(raw, Type(typ%16))
		if err != nil {
			return
		}
		var built Properties
		p.Each(func(id PropID, value []byte) bool {
			one := PropertiesOf(append([]byte{byte(id)}, value...))
			ok := false
			switch enc := id.row().enc; {
			case enc.number():
				n, _ := one.Uint(id)
				ok = built.AddUint(id, n)
			case enc == encPair:
				for k, v := range one.User() {
					ok = built.AddUser(k, v)
				}
			default:
				b, _ := one.Bytes(id)
				ok = built.AddBytes(id, b)
			}
			if !ok {
				t.Errorf("%v = % x is accepted from the wire and refused by the builder", id, value)
			}
			return true
		})
		if diff := cmp.Diff(raw, built.Raw()); diff != "" && len(raw)+built.Len() > 0 {
			t.Errorf("built again (-want +got):\n%s", diff)
		}
		if q := PropertiesOf(raw); q.set != p.set {
			t.Errorf("set is %b, want %b", q.set, p.set)
		}
	})
}
