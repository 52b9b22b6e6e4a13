package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vernemq/appliance/hostfs"
)

// The settings of transparent huge pages. Each file lists all its words, the chosen one in brackets.
const (
	hugePages      = "/sys/kernel/mm/transparent_hugepage/enabled" // whose memory: always, madvise (of who asks), never
	hugePageDefrag = "/sys/kernel/mm/transparent_hugepage/defrag"  // who waits until there is room for one
)

// SmallMemory is below how many bytes of memory a machine has none to spend on huge pages for programs that did not ask: 4 GiB.
const SmallMemory = 4 << 30

// The words of the settings that the rule knows.
const (
	always  = "always"
	madvise = "madvise"
)

// HugePage is one setting of transparent huge pages: what it is, what it should be.
type HugePage struct {
	Name    string // the kernel's file
	Reading string // the chosen word
	Wanted  string // the word to choose; that of Reading: it is left as it is
	Why     string // what Wanted is for; where it is left, what it gives, if there is something to tell
	Mend    string // the command that chooses Wanted; empty: it is left
}

// IsHugePage reports whether name is a Name of HugePage.
func IsHugePage(name string) bool { return name == hugePages || name == hugePageDefrag }

// Chosen returns the word that a text such as "always [madvise] never" has in brackets; without brackets the text itself.
func Chosen(text string) string {
	if _, rest, ok := strings.Cut(text, "["); ok {
		if word, _, ok := strings.Cut(rest, "]"); ok {
			return strings.TrimSpace(word)
		}
	}
	return strings.TrimSpace(text)
}

// HugePages returns the settings of transparent huge pages; nil if the kernel has none. The memory of the machine decides: with little of it only
// programs that ask get huge pages; with enough the operator's choice stays. The broker does not ask, so always alone gives its heap huge pages.
func (h Host) HugePages() (out []HugePage) {
	text, err := h.ReadFile(hugePages)
	if err != nil {
		return nil
	}
	p := HugePage{Name: hugePages, Reading: Chosen(string(text))}
	p.Wanted = p.Reading
	switch memory := h.machineMemory(); {
	case memory == 0: // what is right is not known
	case memory < SmallMemory && p.Reading == always:
		p.Wanted = madvise
		p.Why = fmt.Sprintf("less than %d GiB of memory: 2 MiB for a few bytes bloat every program, and the kernel stops programs to join pages; "+
			"with madvise those that ask still get them", SmallMemory>>30)
		p.Mend = setHugePage(p.Name, p.Wanted)
	case memory < SmallMemory:
	case p.Reading == always:
		p.Why = "the broker's heap gets huge pages: with hundreds of thousands of subscriptions, the subscribers of a message are found about a fifth faster"
	default:
		p.Why = "the broker's heap gets no huge pages; with always, and hundreds of thousands of subscriptions, the subscribers of a message would be " +
			"found about a fifth faster, and all programs take more memory"
	}
	out = append(out, p)
	if text, err = h.ReadFile(hugePageDefrag); err != nil {
		return out
	}
	d := HugePage{Name: hugePageDefrag, Reading: Chosen(string(text))}
	d.Wanted = d.Reading
	words := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(string(text)))
	if p.Wanted == always && d.Reading == always && slices.Contains(words, madvise) { // else only who asks waits anyway
		d.Wanted = madvise
		d.Why = "every program that needs memory is stopped until the kernel has made room for a huge page; with madvise those that ask wait, " +
			"others get what is free"
		d.Mend = setHugePage(d.Name, d.Wanted)
	}
	return append(out, d)
}

// HugePageLine is the line of tmpfiles.d that makes a choice at every boot.
func HugePageLine(name, word string) string { return "w " + name + " - - - - " + word }

// setHugePage is the command that makes a choice now and at every boot.
func setHugePage(name, word string) string {
	return fmt.Sprintf("vernemq tune --apply; or echo %s > %s && echo '%s' >> %s (in a container: on its host)",
		word, name, HugePageLine(name, word), hostfs.TunePages)
}

// machineMemory returns the memory of the machine in bytes, which all its programs share; 0 if that cannot be read.
func (h Host) machineMemory() uint64 {
	text, err := h.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "MemTotal:")
		if words := strings.Fields(rest); ok && len(words) == 2 && words[1] == "kB" {
			n, err := strconv.ParseUint(words[0], 10, 50)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
