package mqtt

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVarint holds the borders of the encoding, from the table in 1.5.5 of the specification.
func TestVarint(t *testing.T) {
	for _, tt := range []struct {
		v    int
		wire string
	}{
		{0, "00"}, {1, "01"}, {127, "7f"}, {128, "8001"}, {321, "c102"}, {16383, "ff7f"}, {16384, "808001"},
		{2097151, "ffff7f"}, {2097152, "80808001"}, {268435455, "ffffff7f"},
	} {
		b := AppendVarint(nil, tt.v)
		if !bytes.Equal(b, wire(tt.wire)) || VarintSize(tt.v) != len(b) {
			t.Errorf("%d is written as % x (size said to be %d), want %s", tt.v, b, VarintSize(tt.v), tt.wire)
		}
		for n := range b {
			if v, size, err := readVarint(b[:n], true); size != 0 || err != nil {
				t.Errorf("first %d bytes of % x read as %d, %d, %v, want more", n, b, v, size, err)
			}
		}
		if v, size, err := readVarint(append(b, 0xFF), true); v != tt.v || size != len(b) || err != nil {
			t.Errorf("% x reads as %d, %d, %v, want %d, %d", b, v, size, err, tt.v, len(b))
		}
	}
}

func TestReadHeader(t *testing.T) {
	for _, tt := range []struct {
		name    string
		wire    string
		maxBody int
		v       Version
		want    Header
		err     *Error
	}{
		{"nothing", "", 0, V311, Header{}, nil},
		{"first byte", "30", 0, V311, Header{}, nil},
		{"half a length", "30 80", 0, V311, Header{}, nil},
		{"most of a length", "30 ffffff", 0, V5, Header{}, nil},
		{"one byte of length", "3d 7f", 0, V311, Header{TypePublish, 13, 2, 127}, nil},
		{"two", "10 8001", 0, 0, Header{TypeConnect, 0, 3, 128}, nil},
		{"three", "a2 808001", 0, V5, Header{TypeUnsubscribe, 2, 4, 16384}, nil},
		{"four", "30 ffffff7f", 0, V5, Header{TypePublish, 0, 5, MaxBody}, nil},
		{"no length", "e0 00", 1, V311, Header{TypeDisconnect, 0, 2, 0}, nil},
		{"padded before 5", "e0 808000", 0, V311, Header{TypeDisconnect, 0, 4, 0}, nil},
		{"padded before the version is known", "10 8c00", 0, 0, Header{TypeConnect, 0, 3, 12}, nil},
		{"at the limit", "30 0a", 10, V311, Header{TypePublish, 0, 2, 10}, nil},
		{"above the limit", "30 0b", 10, V311, Header{}, ErrPacketTooLarge},
		{"at a limit of two bytes", "30 e807", 1000, V311, Header{TypePublish, 0, 3, 1000}, nil},
		{"above a limit of two bytes", "30 e907", 1000, V311, Header{}, ErrPacketTooLarge},
		{"above a small limit in two bytes", "30 8001", 1, V5, Header{}, ErrPacketTooLarge},
		{"far above the limit", "30 ffffff7f", MaxBody - 1, V5, Header{}, ErrPacketTooLarge},
		{"wrong flags with the first byte", "83", 0, V311, Header{}, ErrFlags},
		{"wrong type with the first byte", "0f", 0, V311, Header{}, ErrPacketType},
		{"QoS 3 with the first byte", "37", 0, V5, Header{}, ErrPublishQoS},
		{"fifth byte of length before it is there", "30 80808080", 0, V311, Header{}, ErrMalformedVarint},
		{"auth", "f0 00", 0, V5, Header{TypeAuth, 0, 2, 0}, nil},
		{"auth before the version is known", "f0 00", 0, 0, Header{}, ErrPacketType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, ok, err := ReadHeader(wire(tt.wire), tt.maxBody, tt.v)
			if want := tt.want.Size > 0; ok != want || (tt.err == nil) != (err == nil) || err != nil && !errors.Is(err, tt.err) {
				t.Fatalf("ok %v and error %v, want %v and %v", ok, err, want, tt.err)
			}
			if ok || err != nil {
				if diff := cmp.Diff(tt.want, h); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestFirstByte goes through all first bytes in all versions. The rule is written out here once more, from the table of 2.1.3.
func TestFirstByte(t *testing.T) {
	for _, v := range []Version{0, V31, V311, V5} {
		want := map[byte]bool{0x10: true, 0x20: true, 0x40: true, 0x50: true, 0x62: true, 0x70: true, 0x82: true, 0x90: true, 0xA2: true,
			0xB0: true, 0xC0: true, 0xD0: true, 0xE0: true}
		for _, qos := range []byte{0, 1, 2} {
			for _, rest := range []byte{0, 1, 8, 9} {
				want[0x30|qos<<1|rest] = true
			}
		}
		if v == V31 {
			want[0x6A], want[0x8A], want[0xAA] = true, true, true
		}
		if v == V5 {
			want[0xF0] = true
		}
		for b := range 256 {
			if _, ok, err := ReadHeader([]byte{byte(b), 0}, 0, v); ok != want[byte(b)] || ok == (err != nil) {
				t.Errorf("version %v, first byte %#x: ok %v, error %v, want ok %v", v, b, ok, err, want[byte(b)])
			}
		}
	}
}

// TestShortWay compares the short way of ReadHeader with the long one wherever they could differ.
func TestShortWay(t *testing.T) {
	for _, v := range []Version{0, V31, V311, V5} {
		for _, maxBody := range []int{0, 1, 127, 128, 129, 16383, 16384} {
			for first := range 256 {
				for _, length := range []string{"", "00", "01", "7f", "80", "8000", "8001", "8101", "ff00", "ff7f", "8080", "808001"} {
					in := append([]byte{byte(first)}, wire(length)...)
					h, ok, err := ReadHeader(in, maxBody, v)
					h2, ok2, err2 := readHeader(in, maxBody, v)
					if ok != ok2 || ok && h != h2 || CodeOf(err) != CodeOf(err2) {
						t.Fatalf("version %v, limit %d, % x: %+v %v %v, the long way %+v %v %v", v, maxBody, in, h, ok, err, h2, ok2, err2)
					}
				}
			}
		}
	}
}
