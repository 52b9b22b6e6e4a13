package exchange

import "math/rand/v2"

// Seed makes what a shard leaves to chance the same in every run.
func (h *Home) Seed(n uint64) { h.rng = rand.New(rand.NewPCG(1, n)) }

// FullMarks returns how many sessions publishers are told to be full.
func (x *Exchange) FullMarks() (n int64) {
	for i := range x.full {
		n += x.full[i].count.Load()
	}
	return n
}

// GroupQueues returns how many queues of shared groups are on this shard, and how much waits in them or is lent to members.
func (h *Home) GroupQueues() (queues, waiting, lent int) {
	for _, sf := range h.groups {
		waiting += max(int(sf.q.Waiting.Load()), sf.s.Waiting())
		lent += len(sf.lent)
	}
	return len(h.groups), waiting, lent
}
