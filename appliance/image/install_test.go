package image

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kernel begins as an EFI program for amd64 does.
func kernel(tag string) string {
	return "MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00\x64\x86 linux " + tag
}

// parts are the payloads of a small update.
func parts(tag string) [3]io.ReadSeeker {
	return [3]io.ReadSeeker{strings.NewReader(kernel(tag)), strings.NewReader("first stage " + tag), strings.NewReader(strings.Repeat("root "+tag+" ", 50))}
}

// signer is the key of the tests' updates.
func signer(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
}

func public(t testing.TB) ed25519.PublicKey { return signer(t).Public().(ed25519.PublicKey) }

// packed returns an update file.
func packed(t testing.TB, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, signer(t), version, "amd64", "quiet panic=10", parts(version)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opened returns an update whose signature is checked.
func opened(t testing.TB, version string) *Update {
	t.Helper()
	data := packed(t, version)
	u, err := Open(bytes.NewReader(data), int64(len(data)), public(t))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// testDisk is an appliance's disk as files: slot a runs and is committed.
type testDisk struct{ esp, rootA, rootB string }

func newDisk(t *testing.T) testDisk {
	t.Helper()
	dir := t.TempDir()
	d := testDisk{filepath.Join(dir, "esp"), filepath.Join(dir, "root-a"), filepath.Join(dir, "root-b")}
	update := filepath.Join(dir, "first.update")
	if err := errors.Join(os.Mkdir(d.esp, 0o700), os.WriteFile(update, packed(t, "1"), 0o600), Lay(update, public(t), d.esp, d.rootA)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d testDisk) target(m Media, booted Booted) Target {
	t := Target{Media: m, ESP: d.esp, Slot: Other(booted.Slot), Device: d.rootB, Size: 1 << 20, Booted: booted}
	if t.Slot == SlotA {
		t.Device = d.rootA
	}
	return t
}

// boot does what the boot loader does: it takes the first entry, counts the attempt, and returns the entry and the version of everything it would
// start. Parts of different versions are an error: such a slot must never be named.
func (d testDisk) boot(t *testing.T) (Entry, string) {
	t.Helper()
	list, err := Entries(d.esp)
	if err != nil || len(list) == 0 {
		t.Fatalf("nothing can boot: %v", err)
	}
	e := list[0]
	old := e.File()
	if e.Left > 0 {
		e.Left--
		e.Done++
		if err := os.Rename(filepath.Join(d.esp, entryDir, old), filepath.Join(d.esp, entryDir, e.File())); err != nil {
			t.Fatal(err)
		}
	}
	root := d.rootA
	if e.Slot == SlotB {
		root = d.rootB
	}
	for i, name := range []string{filepath.Join(d.esp, "vernemq", e.Slot, "linux"), filepath.Join(d.esp, "vernemq", e.Slot, "initrd"), root} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := io.ReadAll(parts(e.Version)[i])
		if !bytes.HasPrefix(got, want) {
			t.Fatalf("%s boots with %q in %s", e.File(), got, name)
		}
	}
	return e, e.Version
}

var errPower = errors.New("the power is cut")

// cut is a disk whose power is cut at some point: the call of that number is done in part, or not, and every later one fails.
type cut struct {
	Disk
	at, n int
	part  int // how much of that call's write is done, in percent; the rest of the file is rubbish
}

func (c *cut) next() (now, off bool) {
	c.n++
	return c.n == c.at, c.n > c.at
}

func (c *cut) Write(name string, r io.Reader, size int64) error {
	now, off := c.next()
	switch {
	case off:
		return errPower
	case !now:
		return c.Disk.Write(name, r, size)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	keep := len(data) * c.part / 100
	for i := keep; i < len(data); i++ {
		data[i] = 0xff
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(name, data[:max(keep, len(data)/2)], 0o600), errPower)
}

func (c *cut) Sum(name string, size int64) ([sha256.Size]byte, error) {
	if now, off := c.next(); now || off {
		return [sha256.Size]byte{}, errPower
	}
	return c.Disk.Sum(name, size)
}

func (c *cut) Rename(from, to string) error {
	now, off := c.next()
	if off || now && c.part < 50 {
		return errPower
	}
	if err := c.Disk.Rename(from, to); err != nil || !now {
		return err
	}
	return errPower
}

func (c *cut) Remove(name string) error {
	now, off := c.next()
	if off || now && c.part < 50 {
		return errPower
	}
	if err := c.Disk.Remove(name); err != nil || !now {
		return err
	}
	return errPower
}

// An update may lose power at any moment: what boots afterwards is complete, and it is the old system or the whole new one.
func TestPowerCutInUpdate(t *testing.T) {
	for at := 1; ; at++ {
		finished := false
		for _, part := range []int{0, 30, 99} {
			d := newDisk(t)
			d.boot(t)
			// A first update lies in the other slot already, so that something is overwritten.
			if err := Install(opened(t, "2"), d.target(Disk{}, Booted{Slot: SlotA}), func(string) {}); err != nil {
				t.Fatal(err)
			}
			err := Install(opened(t, "3"), d.target(&cut{at: at, part: part}, Booted{Slot: SlotA}), func(string) {})
			if err == nil {
				finished = true
			}
			e, version := d.boot(t)
			switch {
			case version == "3" && e.Trial:
			case version == "2" && e.Trial && at == 1: // not begun
			case version == "1" && e.Slot == SlotA:
			default:
				t.Errorf("cut in call %d (%d %%): %s of version %s boots", at, part, e.File(), version)
			}
			// And the update can be repeated.
			if version == "1" {
				if err := Install(opened(t, "3"), d.target(Disk{}, Booted{Slot: SlotA}), func(string) {}); err != nil {
					t.Errorf("cut in call %d: again: %v", at, err)
				}
				if _, version := d.boot(t); version != "3" {
					t.Errorf("cut in call %d: the repeated update does not boot", at)
				}
			}
		}
		if finished {
			if at < 10 {
				t.Errorf("the update was done after %d calls", at)
			}
			return
		}
	}
}

// The same for the commit, and for the boot that gives attempts back.
func TestPowerCutInCommit(t *testing.T) {
	for at := 1; ; at++ {
		finished := true
		for _, part := range []int{0, 99} {
			d := newDisk(t)
			if err := Install(opened(t, "2"), d.target(Disk{}, Booted{Slot: SlotA}), func(string) {}); err != nil {
				t.Fatal(err)
			}
			d.boot(t)
			list, err := Entries(d.esp)
			if err != nil {
				t.Fatal(err)
			}
			remove, write, err := Commit(list, Booted{SlotB, true})
			if err != nil {
				t.Fatal(err)
			}
			if err := writeEntries(&cut{at: at, part: part}, d.esp, remove, write); err != nil {
				finished = false
			}
			e, version := d.boot(t)
			if version != "1" && e.Trial {
				t.Errorf("cut in call %d: the trial boots twice", at)
			}
			list, err = Entries(d.esp)
			if err != nil {
				t.Fatal(err)
			}
			_, remove, write = Settle(list, Booted{e.Slot, e.Trial})
			if err := writeEntries(Disk{}, d.esp, remove, write); err != nil {
				t.Fatal(err)
			}
			if again, _ := d.boot(t); again.Slot != e.Slot {
				t.Errorf("cut in call %d: after %s of slot %s, slot %s boots", at, version, e.Slot, again.Slot)
			}
		}
		if finished {
			return
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	d := newDisk(t)
	quiet := func(string) {}
	small := d.target(Disk{}, Booted{Slot: SlotA})
	small.Size = 10
	own := d.target(Disk{}, Booted{Slot: SlotA})
	own.Slot = SlotA
	for name, target := range map[string]Target{"too small": small, "runs": own, "on trial": d.target(Disk{}, Booted{SlotA, true})} {
		if err := Install(opened(t, "2"), target, quiet); err == nil {
			t.Errorf("%s: installed", name)
		}
	}
	if list, _ := Entries(d.esp); len(list) != 1 {
		t.Errorf("the entries have changed: %+v", list)
	}
	if _, err := os.Stat(d.rootB); err == nil {
		t.Error("something was written")
	}
}

// liar is a disk that gives back something else than was written.
type liar struct{ Disk }

func (liar) Sum(name string, size int64) ([sha256.Size]byte, error) {
	return [sha256.Size]byte{1}, nil
}

func TestReadBack(t *testing.T) {
	d := newDisk(t)
	err := Install(opened(t, "2"), d.target(liar{}, Booted{Slot: SlotA}), func(string) {})
	if !errors.Is(err, errReadBack) {
		t.Errorf("a bad medium: %v", err)
	}
	if _, version := d.boot(t); version != "1" {
		t.Errorf("version %s boots", version)
	}
}
