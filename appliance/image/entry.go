package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	entryDir       = "loader/entries" // on the EFI partition
	committedTries = 5                // attempts of a slot that has proved itself
	trialTries     = 1                // attempts of an update
	maxEntry       = 64 << 10         // bytes of an entry file
)

// Entry is a slot that the boot loader may start.
type Entry struct {
	Slot    string
	Serial  uint64 // the loader prefers the highest one; grows with each update
	Version string // of what is in the slot, for people
	Trial   bool   // not committed yet
	Counted bool   // attempts are counted; always, for entries written here
	Left    int    // attempts left
	Done    int    // attempts that were begun since they were last reset
	Options string // the kernel's command line, without what says which slot it is
}

// Exhausted reports whether the loader takes the entry only when there is nothing better.
func (e *Entry) Exhausted() bool { return e.Counted && e.Left == 0 }

var entryName = regexp.MustCompile(`^vernemq-([ab])(-trial)?(?:\+(\d{1,4})(?:-(\d{1,4}))?)?\.conf$`)

// File returns the entry's file name.
func (e *Entry) File() string {
	name := "vernemq-" + e.Slot
	if e.Trial {
		name += "-trial"
	}
	if e.Counted {
		name += "+" + strconv.Itoa(e.Left)
		if e.Done > 0 {
			name += "-" + strconv.Itoa(e.Done)
		}
	}
	return name + ".conf"
}

// Text returns the entry's content.
func (e *Entry) Text() string {
	trial := ""
	if e.Trial {
		trial = " vernemq.trial"
	}
	return fmt.Sprintf("title VerneMQ %s (slot %s)\nsort-key vernemq\nversion %d\nlinux /vernemq/%s/linux\ninitrd /vernemq/%s/initrd\noptions %s vernemq.slot=%s%s\n",
		e.Version, e.Slot, e.Serial, e.Slot, e.Slot, e.Options, e.Slot, trial)
}

// parseEntry reads an entry from its file name and content; ok is false if it is none of ours.
func parseEntry(name, text string) (e Entry, ok bool) {
	m := entryName.FindStringSubmatch(name)
	if m == nil {
		return Entry{}, false
	}
	e = Entry{Slot: m[1], Trial: m[2] != "", Counted: m[3] != ""}
	e.Left, _ = strconv.Atoi(m[3]) // digits or nothing
	e.Done, _ = strconv.Atoi(m[4])
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "version":
			serial, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return Entry{}, false
			}
			e.Serial = serial
		case "title":
			e.Version, _, _ = strings.Cut(strings.TrimPrefix(value, "VerneMQ "), " (slot ")
		case "options":
			e.Options, _, _ = strings.Cut(value, " vernemq.slot=")
		}
	}
	return e, e.Serial > 0
}

// Entries returns the entries on the EFI partition mounted at esp, the one the loader would take first in front. Files that are not ours, or cannot
// be read as ours, are not in it.
func Entries(esp string) ([]Entry, error) {
	list, err := os.ReadDir(filepath.Join(esp, entryDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, f := range list {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxEntry {
			continue
		}
		text, err := os.ReadFile(filepath.Join(esp, entryDir, f.Name()))
		if err != nil {
			return nil, err
		}
		if e, ok := parseEntry(f.Name(), string(text)); ok {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, before)
	return out, nil
}

// before orders entries as systemd-boot does: those with attempts left first, then the higher version, then the name backwards.
func before(a, b Entry) int {
	if a.Exhausted() != b.Exhausted() {
		if a.Exhausted() {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(b.Serial, a.Serial), strings.Compare(b.File(), a.File()))
}

// writeEntries makes the entries in write, then removes those in remove: between the two there is one too many, never one too few. One that only gets
// its attempts back is renamed.
func writeEntries(m Media, esp string, remove, write []Entry) error {
	file := func(e Entry) string { return filepath.Join(esp, entryDir, e.File()) }
	for _, w := range write {
		if i := slices.IndexFunc(remove, func(r Entry) bool { return r.Text() == w.Text() }); i >= 0 {
			if err := m.Rename(file(remove[i]), file(w)); err != nil {
				return err
			}
			remove = slices.Delete(slices.Clone(remove), i, i+1)
		} else if err := writeEntry(m, esp, w); err != nil {
			return err
		}
	}
	for _, r := range remove {
		if err := m.Remove(file(r)); err != nil {
			return err
		}
	}
	return nil
}

// writeEntry makes one entry appear all at once: the loader does not look at names without .conf.
func writeEntry(m Media, esp string, e Entry) error {
	name, text := filepath.Join(esp, entryDir, e.File()), []byte(e.Text())
	if err := m.Write(name+".new", bytes.NewReader(text), int64(len(text))); err != nil {
		return err
	}
	if sum, err := m.Sum(name+".new", int64(len(text))); err != nil || sum != sha256.Sum256(text) {
		return fmt.Errorf("%s is not what was written: %w", name, errors.Join(err, errReadBack))
	}
	return m.Rename(name+".new", name)
}
