package node

import (
	"os"
	"runtime/debug"
	"sync"
)

// limitMemory sets how many bytes the process tries to stay below; 0 or less leaves it alone. The returned function restores what was. An
// operator who set GOMEMLIMIT decides himself.
func limitMemory(bytes int64) (restore func()) {
	if bytes <= 0 || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(bytes)
	return sync.OnceFunc(func() { debug.SetMemoryLimit(before) })
}
