package metric

import "sync"

// Registry holds the blocks of one broker and reads them. Its methods are safe for concurrent use; blocks have rules of their own.
type Registry struct {
	shards []Counters
	shared SharedCounters
	proc   process

	mu     sync.Mutex
	base   [NumIDs]uint64 // subtracted from counters: their sum at the last Reset
	gauges []gauge
}

type gauge struct {
	id ID
	f  func() uint64
}

// Sample is the value of one ID. Labels is shared with all readers: do not change it.
type Sample struct {
	ID          ID
	Name        string
	Type        Type
	Labels      []Label
	Value       uint64
	Description string
}

// NewRegistry returns a registry with one block for each of n shards; a negative n counts as none.
func NewRegistry(shards int) *Registry {
	r := &Registry{shards: make([]Counters, max(shards, 0))}
	r.proc.start()
	return r
}

// Shard returns the block of shard i, 0 to n-1. Only that shard may write to it.
func (r *Registry) Shard(i int) *Counters { return &r.shards[i] }

// Shared returns the block for all goroutines that are not shards.
func (r *Registry) Shared() *SharedCounters { return &r.shared }

// Gauge adds f to what is summed for a gauge; it may be called several times for one ID. f is called by readers, from any goroutine, at
// most once a reading; it must not block and must not use the registry.
func (r *Registry) Gauge(id ID, f func() uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauges = append(r.gauges, gauge{id, f})
}

// Value returns the value of one sample. Those of the process (system_*, vm_*) are read with Snapshot alone: here they are 0.
func (r *Registry) Value(id ID) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from := index[id].row.sum; from != nil {
		var v uint64
		for _, id := range from {
			v += r.value(id)
		}
		return v
	}
	return r.value(id)
}

// value returns what is counted under id since the last Reset. r.mu is held.
func (r *Registry) value(id ID) uint64 {
	v := r.sum(id) - r.base[id]
	for _, g := range r.gauges {
		if g.id == id {
			v += g.f()
		}
	}
	return v
}

// sum returns what is counted under id in all blocks.
func (r *Registry) sum(id ID) uint64 {
	v := r.shared.v[id].Load()
	for i := range r.shards {
		v += r.shards[i].load(id)
	}
	return v
}

// Snapshot reads all samples, in catalogue order. Blocks are not stopped: samples may be a few events apart from each other.
func (r *Registry) Snapshot() []Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	var values [NumIDs]uint64
	for id := range ID(NumIDs) {
		if index[id].row.counted() {
			values[id] = r.sum(id) - r.base[id]
		}
	}
	for _, g := range r.gauges {
		values[g.id] += g.f()
	}
	r.proc.read(&values)
	out := make([]Sample, NumIDs)
	for id := range ID(NumIDs) {
		e := &index[id]
		for _, from := range e.row.sum {
			values[id] += values[from]
		}
		out[id] = Sample{ID: id, Name: e.row.name, Type: e.row.kind, Labels: e.labels, Value: values[id], Description: e.row.doc}
	}
	return out
}

// Reset sets all counters that the broker counts to zero. Gauges and what the process tells of itself stay.
func (r *Registry) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range ID(NumIDs) {
		if row := index[id].row; row.kind == Counter && row.counted() {
			r.base[id] = r.sum(id)
		}
	}
}

// index finds the row and the labels of an ID.
var index = func() (t [NumIDs]struct {
	row    *row
	labels []Label
}) {
	i := 0
	for n := range catalog {
		for _, labels := range catalog[n].labels() {
			if i == NumIDs {
				return t // ids.go is behind the catalogue: let the program start that brings it up to date
			}
			t[i].row, t[i].labels = &catalog[n], labels
			i++
		}
	}
	return t
}()

// Labels returns, for each label name in order of appearance, the values it can have in any sample.
func Labels() (names []string, values map[string][]string) {
	values = map[string][]string{}
	seen := map[Label]bool{}
	for id := range index {
		for _, l := range index[id].labels {
			if seen[l] {
				continue
			}
			seen[l] = true
			if values[l.Name] == nil {
				names = append(names, l.Name)
			}
			values[l.Name] = append(values[l.Name], l.Value)
		}
	}
	return names, values
}
