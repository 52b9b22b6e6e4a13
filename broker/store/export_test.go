package store

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// Digest writes the digests that the next start would like to find.
func (s *Durable) Digest() { s.digests(0) }

// Recount compares what the index has counted of living records with what it holds.
func (s *Durable) Recount() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var settled, standing census
	one := func(at uint64) {
		if at != 0 {
			standing.add(at>>standBlock, 1)
		}
	}
	one(s.runAt)
	for _, x := range s.x.sessions {
		one(x.at)
		for i := range x.subs {
			one(x.subs[i].at)
		}
		for _, at := range x.inbound {
			one(at)
		}
	}
	for _, r := range s.x.retained {
		one(r.at)
	}
	for _, k := range s.x.apiKeys {
		one(k.at)
	}
	for i := uint32(1); i < s.x.messages.next; i++ {
		if m := s.x.messages.at(i); m.head != 0 && m.place.Segment != 0 {
			settled.add(uint64(m.place.Segment), 1)
		}
	}
	for what, c := range map[string][2]*census{"messages by segment": {&s.x.settled, &settled}, "other records by block": {&s.x.standing, &standing}} {
		if diff := cmp.Diff(c[1].counts(), c[0].counts()); diff != "" {
			return fmt.Errorf("%s (-there +counted):\n%s", what, diff)
		}
	}
	return nil
}

func (c *census) counts() map[uint64]int32 {
	m := map[uint64]int32{}
	for i, n := range c.n {
		if n != 0 {
			m[c.base+uint64(i)] = n
		}
	}
	return m
}
