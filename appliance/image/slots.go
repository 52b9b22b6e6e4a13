package image

import (
	"fmt"
	"slices"
)

// Booted is what the kernel's command line says of the running system.
type Booted struct {
	Slot  string
	Trial bool // this boot is the one attempt of an update
}

// Settling is what a boot finds and does about the entries.
type Settling struct {
	Entries []Entry // as they are afterwards
	Version string  // of the running slot
	Failed  *Entry  // the other slot's update, which was tried and not committed
	Worn    *Entry  // the other slot, committed and newer, whose attempts are used up
}

// Settle decides what a boot that has come as far as the root's first service does about the entries: which to remove, which to write.
func Settle(entries []Entry, booted Booted) (s Settling, remove, write []Entry) {
	var running *Entry
	serial := uint64(0) // of the running slot; 0 if it has no entry
	for i := range entries {
		e := &entries[i]
		if e.Slot == booted.Slot && e.Trial == booted.Trial && (running == nil || e.Serial > running.Serial) {
			running = e
		}
	}
	if running != nil {
		serial, s.Version = running.Serial, running.Version
	}
	for i := range entries {
		e := entries[i]
		switch {
		case e.Slot == booted.Slot && booted.Trial:
			s.Entries = append(s.Entries, e) // committed or not: later
		case e.Slot == booted.Slot && running != nil && &entries[i] != running:
			remove = append(remove, e) // left over from a commit that was cut off, of this very slot
		case e.Slot == booted.Slot:
			fresh := e
			fresh.Counted, fresh.Left, fresh.Done = true, committedTries, 0
			if fresh != e {
				write, remove = append(write, fresh), append(remove, e)
			}
			s.Entries = append(s.Entries, fresh)
		case e.Trial && e.Exhausted() && !booted.Trial:
			s.Failed = &e
			remove = append(remove, e)
		default:
			if e.Exhausted() && e.Serial > serial {
				s.Worn = &e
			}
			s.Entries = append(s.Entries, e)
		}
	}
	slices.SortFunc(s.Entries, before)
	return s, remove, write
}

// Commit decides how the entries change when the trial that runs has proved itself.
func Commit(entries []Entry, booted Booted) (remove, write []Entry, err error) {
	for _, e := range entries {
		if e.Slot != booted.Slot {
			continue
		}
		remove = append(remove, e)
		if e.Trial && len(write) == 0 {
			e.Trial, e.Counted, e.Left, e.Done = false, true, committedTries, 0
			write = append(write, e)
		}
	}
	if len(write) == 0 {
		return nil, nil, fmt.Errorf("no entry of slot %s is on trial", booted.Slot)
	}
	return remove, write, nil
}

// next returns the serial number of an update.
func next(entries []Entry) uint64 {
	highest := uint64(0)
	for _, e := range entries {
		highest = max(highest, e.Serial)
	}
	return highest + 1
}
