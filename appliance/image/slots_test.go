package image

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entries makes entries of lines "file serial".
func entries(t *testing.T, lines ...string) (out []Entry) {
	t.Helper()
	for _, line := range lines {
		file, serial, _ := strings.Cut(line, " ")
		e, ok := parseEntry(file, "title VerneMQ v"+serial+" (slot x)\nversion "+serial+"\noptions quiet vernemq.slot=x\n")
		if !ok {
			t.Fatalf("%q is no entry", line)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, before)
	return out
}

func files(list []Entry) (out []string) {
	for _, e := range list {
		out = append(out, e.File())
	}
	slices.Sort(out)
	return out
}

func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		entries       []string
		booted        Booted
		remove, write []string
		failed, worn  string
	}{
		"first boot": {entries: []string{"vernemq-a+4-1.conf 1"}, booted: Booted{Slot: "a"},
			remove: []string{"vernemq-a+4-1.conf"}, write: []string{"vernemq-a+5.conf"}},
		"nothing was counted": {entries: []string{"vernemq-a+5.conf 1"}, booted: Booted{Slot: "a"}},
		"last attempt": {entries: []string{"vernemq-a+0-5.conf 1"}, booted: Booted{Slot: "a"},
			remove: []string{"vernemq-a+0-5.conf"}, write: []string{"vernemq-a+5.conf"}},
		"an entry somebody made uncounted": {entries: []string{"vernemq-a.conf 1"}, booted: Booted{Slot: "a"},
			remove: []string{"vernemq-a.conf"}, write: []string{"vernemq-a+5.conf"}},
		"on trial": {entries: []string{"vernemq-a+5.conf 1", "vernemq-b-trial+0-1.conf 2"}, booted: Booted{Slot: "b", Trial: true}},
		"fell back": {entries: []string{"vernemq-a+4-1.conf 1", "vernemq-b-trial+0-1.conf 2"}, booted: Booted{Slot: "a"},
			remove: []string{"vernemq-a+4-1.conf", "vernemq-b-trial+0-1.conf"}, write: []string{"vernemq-a+5.conf"}, failed: "v2"},
		"an update that waits for its boot": {entries: []string{"vernemq-a+5.conf 1", "vernemq-b-trial+1.conf 2"}, booted: Booted{Slot: "a"}},
		"the newer slot is worn out": {entries: []string{"vernemq-a+4-1.conf 1", "vernemq-b+0-5.conf 2"}, booted: Booted{Slot: "a"},
			remove: []string{"vernemq-a+4-1.conf"}, write: []string{"vernemq-a+5.conf"}, worn: "v2"},
		"the older slot is worn out": {entries: []string{"vernemq-a+0-5.conf 1", "vernemq-b+5.conf 2"}, booted: Booted{Slot: "b"}},
		"a commit was cut off": {entries: []string{"vernemq-a+5.conf 1", "vernemq-b+5.conf 2", "vernemq-b-trial+0-1.conf 2"}, booted: Booted{Slot: "b"},
			remove: []string{"vernemq-b-trial+0-1.conf"}},
		"no entry at all": {booted: Booted{Slot: "a"}},
	} {
		s, remove, write := Settle(entries(t, c.entries...), c.booted)
		if d := cmp.Diff(c.remove, files(remove)); d != "" {
			t.Errorf("%s: removes (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(c.write, files(write)); d != "" {
			t.Errorf("%s: writes (-want +got):\n%s", name, d)
		}
		version := func(e *Entry) string {
			if e == nil {
				return ""
			}
			return e.Version
		}
		if version(s.Failed) != c.failed || version(s.Worn) != c.worn {
			t.Errorf("%s: failed %q, worn %q", name, version(s.Failed), version(s.Worn))
		}
		// Whatever is done, the slot that runs can be started again.
		left := slices.DeleteFunc(slices.Clone(c.entries), func(l string) bool { f, _, _ := strings.Cut(l, " "); return slices.Contains(c.remove, f) })
		if len(c.entries) > 0 && !slices.ContainsFunc(append(entries(t, left...), write...), func(e Entry) bool { return e.Slot == c.booted.Slot }) {
			t.Errorf("%s: the slot that runs has no entry left", name)
		}
	}
}

func TestCommit(t *testing.T) {
	remove, write, err := Commit(entries(t, "vernemq-a+5.conf 1", "vernemq-b-trial+0-1.conf 2"), Booted{Slot: "b", Trial: true})
	if err != nil || !slices.Equal(files(remove), []string{"vernemq-b-trial+0-1.conf"}) || !slices.Equal(files(write), []string{"vernemq-b+5.conf"}) {
		t.Errorf("removes %v, writes %v, %v", files(remove), files(write), err)
	}
	if write[0].Serial != 2 || write[0].Options != "quiet" {
		t.Errorf("committed as %+v", write[0])
	}
	if _, _, err := Commit(entries(t, "vernemq-a+5.conf 1"), Booted{Slot: "b", Trial: true}); err == nil {
		t.Error("a trial without an entry is committed")
	}
}

// A commit that finds what it was to write leaves it.
func TestCommitAgain(t *testing.T) {
	esp := t.TempDir()
	if err := writeEntries(Disk{}, esp, nil, entries(t, "vernemq-b-trial+0-1.conf 2", "vernemq-b+5.conf 2")); err != nil {
		t.Fatal(err)
	}
	list, err := Entries(esp)
	if err != nil {
		t.Fatal(err)
	}
	remove, write, err := Commit(list, Booted{Slot: "b", Trial: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeEntries(Disk{}, esp, remove, write); err != nil {
		t.Fatal(err)
	}
	if list, err := Entries(esp); err != nil || !slices.Equal(files(list), []string{"vernemq-b+5.conf"}) {
		t.Errorf("left are %v, %v", files(list), err)
	}
}

func TestEntryText(t *testing.T) {
	e := Entry{Slot: "b", Serial: 7, Version: "1.2.3", Trial: true, Counted: true, Left: 1, Options: "console=ttyS0 quiet"}
	want := `title VerneMQ 1.2.3 (slot b)
sort-key vernemq
version 7
linux /vernemq/b/linux
initrd /vernemq/b/initrd
options console=ttyS0 quiet vernemq.slot=b vernemq.trial
`
	if d := cmp.Diff(want, e.Text()); d != "" {
		t.Error(d)
	}
	if got, ok := parseEntry(e.File(), e.Text()); !ok || got != e {
		t.Errorf("read back as %+v", got)
	}
	for _, name := range []string{"vernemq-c.conf", "vernemq-a.conf.new", "vernemq-a+.conf", "debian.conf", "vernemq-a+5.CONF", "vernemq-a+99999.conf"} {
		if _, ok := parseEntry(name, e.Text()); ok {
			t.Errorf("%s is taken for an entry", name)
		}
	}
	if _, ok := parseEntry("vernemq-a.conf", "title VerneMQ\n"); ok {
		t.Error("an entry without a version is taken")
	}
}

// The order is the boot loader's: what is exhausted comes last, then the higher version wins.
func TestOrder(t *testing.T) {
	got := entries(t, "vernemq-a+5.conf 3", "vernemq-b-trial+0-1.conf 4", "vernemq-b+2-3.conf 2", "vernemq-a.conf 1")
	var order []string
	for _, e := range got {
		order = append(order, e.File())
	}
	if d := cmp.Diff([]string{"vernemq-a+5.conf", "vernemq-b+2-3.conf", "vernemq-a.conf", "vernemq-b-trial+0-1.conf"}, order); d != "" {
		t.Error(d)
	}
}

func TestEntriesOfADirectory(t *testing.T) {
	esp := t.TempDir()
	if list, err := Entries(esp); err != nil || len(list) != 0 {
		t.Errorf("an empty partition: %v, %v", list, err)
	}
	dir := filepath.Join(esp, entryDir)
	e := Entry{Slot: "a", Serial: 1, Version: "1", Counted: true, Left: 5, Options: "quiet"}
	if err := writeEntry(Disk{}, esp, e); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "other.conf"), []byte("title x\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "vernemq-b.conf"), make([]byte, maxEntry+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	list, err := Entries(esp)
	if err != nil || !slices.Equal(list, []Entry{e}) {
		t.Errorf("%+v, %v", list, err)
	}
}
