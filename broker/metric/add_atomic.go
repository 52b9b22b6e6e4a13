//go:build race || !(amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package metric

import "sync/atomic"

// add adds n to a word that has one writer and is read with atomic loads.
func add(p *uint64, n uint64) { atomic.StoreUint64(p, *p+n) }
