// Package wheel is the timer wheel of one shard: intrusive nodes, coarse ticks, constant cost to arm, move and stop. It reads no clock and
// starts nothing: the shard passes the time in and asks how long it may sleep.
package wheel

import "math/bits"

// Tick is the resolution in nanoseconds. A timer fires at most one Tick late, never early.
const Tick = int64(50e6)

const slots = 512 // one round is 25.6 s; later timers go round again

// Timer is a node. It is embedded in what it times, must not be copied while armed, and belongs to one wheel. The zero Timer is stopped.
type Timer struct {
	next, prev *Timer
	when       int64 // monotonic nanoseconds
	Kind       uint8 // the owner's: what the timer is part of
	Index      uint32
}

// Armed reports whether t waits in a wheel.
func (t *Timer) Armed() bool { return t.next != nil }

// Wheel holds the timers of one shard. Not safe for concurrent use.
type Wheel struct {
	slot [slots]Timer // list heads
	tick int64        // ticks already fired
	len  int
	used [slots / 64]uint64 // slots that may hold timers
}

// New returns a wheel whose time starts at now, in monotonic nanoseconds.
func New(now int64) *Wheel {
	w := &Wheel{tick: now / Tick}
	for i := range w.slot {
		h := &w.slot[i]
		h.next, h.prev = h, h
	}
	return w
}

// Len returns the number of armed timers.
func (w *Wheel) Len() int { return w.len }

// Arm makes t fire at when (monotonic nanoseconds), whether it was armed before or not. A time that has passed
// fires with the next tick.
func (w *Wheel) Arm(t *Timer, when int64) {
	if t.next != nil {
		if t.when == when {
			return
		}
		w.Stop(t)
	}
	t.when = when
	at := when/Tick + 1
	if at <= w.tick {
		at = w.tick + 1
	}
	h := &w.slot[at%slots]
	t.prev, t.next = h.prev, h
	h.prev.next, h.prev = t, t
	w.used[at%slots/64] |= 1 << (at % 64)
	w.len++
}

// Stop takes t out of the wheel; a stopped timer is left alone.
func (w *Wheel) Stop(t *Timer) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
	w.len--
}

// Advance moves the wheel to now and calls fire for each timer that is due, stopped before the call; fire may arm and stop any timer. At
// most budget timers fire; it reports whether more are due, and then wants to be called again soon.
func (w *Wheel) Advance(now int64, budget int, fire func(*Timer)) (more bool) {
	target := now / Tick
	if w.len == 0 {
		w.tick = max(w.tick, target)
		return false
	}
	if target-w.tick > slots {
		w.tick = target - slots // a round visits every slot once
	}
	for w.tick < target {
		w.tick++ // first, so that what fire arms for this moment goes to the next slot
		at := w.tick % slots
		h := &w.slot[at]
		if w.used[at/64]&(1<<(at%64)) != 0 && !w.advanceSlot(h, now, &budget, fire) {
			w.tick--
			return true
		}
		if h.next == h {
			w.used[at/64] &^= 1 << (at % 64)
		}
	}
	return false
}

// advanceSlot fires what is due in one slot and leaves the timers of later rounds; false if the budget ran out.
func (w *Wheel) advanceSlot(h *Timer, now int64, budget *int, fire func(*Timer)) bool {
	if h.next == h {
		return true
	}
	// The slot's list is moved aside, so that fire may change the slot and stop its neighbours.
	var due Timer
	due.next, due.prev = h.next, h.prev
	due.next.prev, due.prev.next = &due, &due
	h.next, h.prev = h, h
	for due.next != &due {
		t := due.next
		if t.when <= now {
			if *budget == 0 { // put the rest back
				due.prev.next, h.next.prev = h.next, due.prev
				due.next.prev, h.next = h, due.next
				return false
			}
			*budget--
			w.Stop(t)
			fire(t)
			continue
		}
		due.next, t.next.prev = t.next, &due
		t.prev, t.next = h.prev, h
		h.prev.next, h.prev = t, t
	}
	return true
}

// Sleep returns how long, in nanoseconds, the shard may sleep before Advance may have something to do; -1 means for ever. It looks at slots,
// not at timers: a slot that holds only timers of a later round wakes the shard once a round.
func (w *Wheel) Sleep(now int64) int64 {
	if w.len == 0 {
		return -1
	}
	for i := int64(1); i <= slots; {
		at := (w.tick + i) % slots
		word := w.used[at/64] >> (at % 64)
		if word == 0 {
			i += 64 - at%64
			continue
		}
		i += int64(bits.TrailingZeros64(word))
		return max((w.tick+i)*Tick-now, 0)
	}
	return slots * Tick
}
