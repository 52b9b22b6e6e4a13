package shard

// Heartbeat watches the progress of the loops of a group. It is not safe for concurrent use.
type Heartbeat struct {
	group *Group
	last  []uint64 // turns at the last beat
}

// NewHeartbeat returns a heartbeat of the group, whose loops run.
func (g *Group) NewHeartbeat() *Heartbeat {
	h := &Heartbeat{group: g, last: make([]uint64, len(g.shards))}
	for i, s := range g.shards {
		h.last[i] = s.turns.Load()
		s.Post(func() {})
	}
	return h
}

// Beat returns the loops that have not finished a turn since the last beat, and gives those that have a reason for another one, so that an idle loop is
// not taken for a stalled one. What it costs does not depend on how long a loop stalls.
func (h *Heartbeat) Beat() (stalled []int) {
	for i, s := range h.group.shards {
		if turns := s.turns.Load(); turns != h.last[i] {
			h.last[i] = turns
			s.Post(func() {})
		} else {
			stalled = append(stalled, i)
		}
	}
	return stalled
}
