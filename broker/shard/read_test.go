package shard

import "testing"

func TestInputLimit(t *testing.T) {
	for _, c := range []struct{ memory, want int64 }{
		{0, 256 << 20}, {-1, 256 << 20}, // not known, none
		{64 << 20, 16 << 20}, // the least: one large message must fit
		{512 << 20, 64 << 20},
		{64 << 30, 256 << 20},
	} {
		if got := inputLimit(c.memory); got != c.want {
			t.Errorf("inputLimit(%d) = %d, want %d", c.memory, got, c.want)
		}
	}
}
