package node

import (
	"runtime/debug"
	"testing"
)

func TestLimitMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	for _, c := range []struct {
		bytes int64
		env   string
		want  int64
	}{{0, "", before}, {-1, "", before}, {1 << 30, "", 1 << 30}, {1 << 30, "2GiB", before}} {
		t.Setenv("GOMEMLIMIT", c.env)
		restore := limitMemory(c.bytes)
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("limitMemory(%d) with GOMEMLIMIT=%q: %d, want %d", c.bytes, c.env, got, c.want)
		}
		restore()
		if got := debug.SetMemoryLimit(-1); got != before {
			t.Errorf("restored to %d, want %d", got, before)
		}
	}
}
