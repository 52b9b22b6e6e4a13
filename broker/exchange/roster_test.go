package exchange

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/session"
)

// TestRoster: sessions come and go in any order, with names that share their mark too, and each is found by its name and no other.
func TestRoster(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := roster{seed: maphash.MakeSeed()}
	var (
		slots []*session.Session
		model = map[msg.SubscriberID]uint32{}
	)
	name := func(i int) msg.SubscriberID {
		return msg.SubscriberID{Mountpoint: []string{"", "m"}[i%2], ClientID: fmt.Sprint("client", i/2)}
	}
	most := 0
	for step := range 400_000 {
		id := name(rng.IntN(40_000))
		slot, in := model[id]
		if s := r.find(id, slots); (s != nil) != in || in && s != slots[slot] {
			t.Fatalf("step %d: %v: found %v, want slot %d, %v", step, id, s, slot, in)
		}
		coming := step/100_000%2 == 0
		switch {
		case !in && (coming || rng.IntN(8) == 0):
			slot = uint32(len(slots))
			slots = append(slots, &session.Session{ID: id, Slot: slot})
			r.add(id, slot)
			model[id] = slot
		case in && (!coming || rng.IntN(8) == 0):
			if r.remove(id, slot+1_000_000) || !r.remove(id, slot) || r.remove(id, slot) {
				t.Fatalf("step %d: %v: not removed exactly once", step, id)
			}
			delete(model, id)
		}
		if r.n != len(model) {
			t.Fatalf("step %d: %d in the roster, want %d", step, r.n, len(model))
		}
		most = max(most, r.n)
	}
	for i := range 40_000 {
		if _, in := model[name(i)]; in != (r.find(name(i), slots) != nil) {
			t.Errorf("%v: in: %v", name(i), in)
		}
	}
	for id, slot := range model {
		r.remove(id, slot)
	}
	places := 0
	for i := range r.parts {
		places += len(r.parts[i].places)
	}
	if most < 20_000 || places > len(r.parts)*rosterLeast || r.n != 0 {
		t.Errorf("%d at most; in the end %d sessions, %d places: want none, and the least", most, r.n, places)
	}
}

// TestRosterMarks: names with the same mark, and with marks that want the same place, do not hide each other when one of them goes.
func TestRosterMarks(t *testing.T) {
	for gone := range 6 {
		p := rosterPart{}
		p.resize(8)
		marks := []uint32{7, 7, 15, 0, 23, 1}
		for slot, mark := range marks {
			p.put(uint64(mark)<<32 | uint64(slot+1))
		}
		is := func(slot int) func(uint32) bool { return func(other uint32) bool { return int(other) == slot } }
		p.clear(uint32(p.find(marks[gone], is(gone))))
		for slot, mark := range marks {
			if found := p.find(mark, is(slot)) >= 0; found == (slot == gone) {
				t.Errorf("without %d: %d found: %v", gone, slot, found)
			}
		}
	}
}
