//go:build !race && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package metric

// add adds n to a word that has one writer and is read with atomic loads. On 64-bit machines an aligned word is never read in halves, so an
// ordinary store does; atomic.StoreUint64 would be an XCHG on amd64, which locks. Builds for 32-bit machines and for the race detector use
// the form in add_atomic.go.
func add(p *uint64, n uint64) { *p += n }
