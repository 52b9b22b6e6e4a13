package exchange

import "sync/atomic"

// words is an array of words that begin as 0, long enough for every index that was written to. The loop of one shard writes, all shards read.
type words struct {
	pages atomic.Pointer[[]*page] // replaced when it grows; the pages stay
}

const pageWords = 512

type page [pageWords]atomic.Uint64

func (w *words) get(i uint32) uint64 {
	p := w.pages.Load()
	if p == nil || int(i/pageWords) >= len(*p) {
		return 0
	}
	return (*p)[i/pageWords][i%pageWords].Load()
}

// at returns word i to write to. It belongs to the shard's loop.
func (w *words) at(i uint32) *atomic.Uint64 {
	var pages []*page
	if p := w.pages.Load(); p != nil {
		pages = *p
	}
	if need := int(i/pageWords) + 1; need > len(pages) {
		grown := append(make([]*page, 0, need), pages...)
		for len(grown) < need {
			grown = append(grown, new(page))
		}
		w.pages.Store(&grown)
		pages = grown
	}
	return &pages[i/pageWords][i%pageWords]
}
