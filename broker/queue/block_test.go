package queue

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"vernemq/broker/msg"
)

// roundTrip packs items into blocks and compares what comes out.
func roundTrip(t *testing.T, items []Item) {
	t.Helper()
	var r behind
	for i := range items {
		r.pack(&items[i])
	}
	var got []Item
	for i := range r.blocks {
		got = r.blocks[i].unpack(got)
	}
	if !slices.Equal(got, items) {
		t.Errorf("unpacked %v\nwant %v", got, items)
	}
}

func TestPackedExtremes(t *testing.T) {
	most := Item{Ref: math.MaxUint64, SubID: math.MaxUint32, Size: math.MaxUint32, Group: math.MaxUint16, Since: math.MaxUint16, QoS: 255, Flags: 255}
	warm := most
	warm.Msg = &msg.Message{}
	if n := len(packItem(nil, &Item{}, &most)); n > maxPacked {
		t.Errorf("%d bytes, room is for %d", n, maxPacked)
	}
	roundTrip(t, []Item{{}, most, {}, {Ref: 1}, {Ref: 1 << 32}, {Ref: 1<<32 - 1}, {Ref: 1 << 31}, {Ref: 0}, warm, {QoS: 2}, {QoS: 3}, {QoS: 4}})
}

// FuzzPacked: whatever items are packed, they come out as they were.
func FuzzPacked(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("some items of thirty-two bytes each, and a rest that is shorter than that is left out of it"))
	f.Add(make([]byte, 4096))
	m := &msg.Message{}
	f.Fuzz(func(t *testing.T, b []byte) {
		var items []Item
		var it Item
		for ; len(b) >= 25; b = b[25:] {
			set, v := b[0], b[1:]
			if set&1 != 0 {
				it.Ref = binary.LittleEndian.Uint64(v)
			} else {
				it.Ref += uint64(v[0])
			}
			if set&2 != 0 {
				it.SubID, it.Group = binary.LittleEndian.Uint32(v[8:]), binary.LittleEndian.Uint16(v[16:])
			}
			if set&4 != 0 {
				it.Size, it.Since = binary.LittleEndian.Uint32(v[12:]), binary.LittleEndian.Uint16(v[18:])
			}
			if it.QoS, it.Flags = set>>6, v[20]&1; set&8 != 0 {
				it.QoS, it.Flags = v[20], v[21]
			}
			if it.Msg = nil; set&48 == 48 {
				it.Msg = m
			}
			items = append(items, it)
		}
		roundTrip(t, items)
	})
}
