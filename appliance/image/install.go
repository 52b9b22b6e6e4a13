package image

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
)

// Target is where an update goes.
type Target struct {
	Media  Media
	ESP    string // where the EFI partition is mounted
	Slot   string
	Device string // the slot's root partition
	Size   int64  // of Device, bytes
	Booted Booted // the system that runs; without a slot: none, the disk is made
}

// Install writes a checked update into a slot that does not run, and lets the boot loader try it once. When it is cut off at any moment, the slot
// that runs still boots: nothing of it is touched, and the other's entry goes first and comes last. progress is told each step.
func Install(u *Update, t Target, progress func(string)) error {
	switch {
	case t.Slot == t.Booted.Slot:
		return errors.New("the slot that runs is not overwritten")
	case t.Booted.Trial:
		return errors.New("the system that runs is itself an update on trial: wait until it is committed")
	case u.Payloads[2].Size > t.Size:
		return fmt.Errorf("the root has %d bytes, the slot %d", u.Payloads[2].Size, t.Size)
	}
	if err := u.Check(); err != nil {
		return err
	}
	entries, err := Entries(t.ESP)
	if err != nil {
		return err
	}
	entry := Entry{Slot: t.Slot, Serial: next(entries), Version: u.Version, Options: u.Cmdline,
		Trial: t.Booted.Slot != "", Counted: true, Left: committedTries}
	if entry.Trial {
		entry.Left = trialTries
	}
	var old []Entry
	for _, e := range entries {
		if e.Slot == t.Slot {
			old = append(old, e)
		}
	}
	if err := writeEntries(t.Media, t.ESP, old, nil); err != nil {
		return err
	}
	for i, p := range u.Payloads {
		name := filepath.Join(t.ESP, "vernemq", t.Slot, p.Name)
		if p.Name == "root" {
			name = t.Device
		}
		progress(fmt.Sprintf("writing %s, %d bytes", p.Name, p.Size))
		if err := t.Media.Write(name, u.payload(i), p.Size); err != nil {
			return fmt.Errorf("write %s: %w", p.Name, err)
		}
		sum, err := t.Media.Sum(name, p.Size)
		if err != nil {
			return fmt.Errorf("read %s back: %w", p.Name, err)
		}
		if hex.EncodeToString(sum[:]) != p.SHA256 {
			return fmt.Errorf("%s: %w", p.Name, errReadBack)
		}
	}
	return writeEntry(t.Media, t.ESP, entry)
}
