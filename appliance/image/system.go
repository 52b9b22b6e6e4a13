package image

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"vernemq/appliance/hostfs"
)

// System is a running appliance, or one that tests have made.
type System struct {
	Root    hostfs.Root
	Parts   Partitions
	Media   Media
	Booted  Booted
	Arch    string            // as Go names it
	Key     ed25519.PublicKey // of updates
	Compile Compile
	Host    Host
	Out     io.Writer // the console
	GID     int       // of the broker's group
}

// Host is what the appliance asks of the machine.
type Host interface {
	Hostname(name string) error
	Reboot() error
	// BrokerActive reports whether the service manager has seen the broker's readiness, and what it says about it.
	BrokerActive(ctx context.Context) (active bool, state string)
	// RoundTrip sends a message through the broker.
	RoundTrip(ctx context.Context) error
	// MakeData makes an empty data partition on a device.
	MakeData(device string) error
	// Pause waits, or returns ctx's error.
	Pause(ctx context.Context, d time.Duration) error
}

// ParseBooted reads the kernel's command line; ok is false if the system is no appliance.
func ParseBooted(cmdline string) (b Booted, ok bool) {
	for word := range strings.FieldsSeq(cmdline) {
		if slot, found := strings.CutPrefix(word, "vernemq.slot="); found {
			b.Slot = slot
		}
		b.Trial = b.Trial || word == "vernemq.trial"
	}
	return b, b.Slot == SlotA || b.Slot == SlotB
}

func (s *System) say(format string, args ...any) {
	fmt.Fprintf(s.Out, "vernemq image: "+format+"\n", args...)
}

// exists reports whether a file is there.
func (s *System) exists(name string) bool {
	_, err := os.Lstat(s.Root.Path(name))
	return err == nil
}

// note writes one of the small texts that outlive a restart; an empty one removes it.
func (s *System) note(name, text string) error {
	if text == "" {
		return Disk{}.Remove(s.Root.Path(name))
	}
	return put(s.Root, name, []byte(text+"\n"), 0o600, 0)
}

// noted returns such a text, empty if there is none.
func (s *System) noted(name string) string {
	data, err := os.ReadFile(s.Root.Path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// settle does about the boot entries what this boot calls for.
func (s *System) settle() (found Settling, err error) {
	var remove, write []Entry
	err = s.Parts.With(PartESP, false, func(esp string) error {
		entries, err := Entries(esp)
		if err != nil {
			return err
		}
		found, remove, write = Settle(entries, s.Booted)
		return nil
	})
	if err != nil || len(remove)+len(write) == 0 {
		return found, err
	}
	err = s.Parts.With(PartESP, true, func(esp string) error { return writeEntries(s.Media, esp, remove, write) })
	return found, err
}

// other describes what the other slot holds.
func (s *System) other(found Settling) string {
	for _, e := range found.Entries {
		if e.Slot != s.Booted.Slot {
			state := "can boot"
			switch {
			case e.Trial:
				state = "an update that was not tried yet"
			case e.Exhausted():
				state = "did not boot any more"
			}
			return e.Version + ", " + state
		}
	}
	return "empty"
}

// Update installs an update. The machine is not restarted.
func (s *System) Update(name string) error {
	return WithFile(name, s.Key, func(u *Update) error {
		if u.Arch != s.Arch {
			return fmt.Errorf("the update is for %s, this machine is %s", u.Arch, s.Arch)
		}
		slot := Other(s.Booted.Slot)
		device, size, err := s.Parts.Device(partRoot + slot)
		if err != nil {
			return err
		}
		s.say("update to %s: signature good, writing slot %s", u.Version, slot)
		if err := s.note(reasonFile, "the system did not get as far as starting the broker"); err != nil {
			return err
		}
		err = s.Parts.With(PartESP, true, func(esp string) error {
			return Install(u, Target{Media: s.Media, ESP: esp, Slot: slot, Device: device, Size: size, Booted: s.Booted},
				func(step string) { s.say("update to %s: %s", u.Version, step) })
		})
		if err == nil {
			s.say("update to %s: written and read back; the next boot tries it", u.Version)
		}
		return err
	})
}

var errUnhealthy = errors.New("the broker was not well in time")
