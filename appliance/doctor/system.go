package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/probe"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
)

// epoch is before every start of this program: a clock that shows less was never set.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock examines whether the time is set and kept.
func clock(in *Input) []Finding {
	const name = "system clock"
	reading := in.Now.UTC().Format(time.DateTime) + " UTC"
	if in.Now.Before(epoch) {
		return []Finding{{Status: Error, Name: name, Reading: reading, Wanted: "the present time",
			Why:  "certificates are not valid yet, and what expires by the clock does so when it is set",
			Mend: "timedatectl set-ntp true, or date -s 'YYYY-MM-DD HH:MM:SS'; a machine without a clock of its own needs a time server in reach"}}
	}
	state, err := in.Host.Clock()
	switch {
	case err != nil:
		return []Finding{{Status: Unknown, Name: name, Reading: reading}}
	case !state.Synchronised:
		return []Finding{{Status: Warning, Name: name, Reading: reading + ", not synchronised", Wanted: "synchronised with a time server",
			Why:  "a clock that runs away makes certificates invalid and records hard to compare; one that jumps ends sessions early or late",
			Mend: "timedatectl set-ntp true (systemd-timesyncd), or install chrony"}}
	}
	return []Finding{{Status: OK, Name: name, Reading: fmt.Sprintf("%s, synchronised, off by %v at most", reading, state.MaxError)}}
}

// The bounds of free space.
const (
	leastSpace  = 64 << 20  // bytes below which writing fails soon
	enoughSpace = 512 << 20 // bytes below which there is a warning
	mebi        = 1 << 20
)

// The bounds of what a sync may take.
const (
	slowSync    = 20 * time.Millisecond  // the middle one of several
	stalledSync = 200 * time.Millisecond // the worst one
)

// disk examines where sessions and messages are stored.
func disk(in *Input) (out []Finding) {
	dir := in.Root.Path(hostfs.DataDir)
	existing := dir
	for {
		if _, err := os.Stat(existing); err == nil || existing == filepath.Dir(existing) {
			break
		}
		existing = filepath.Dir(existing)
	}
	if s, err := in.Host.Space(existing); err == nil {
		out = append(out, room(s)...)
	} else {
		out = append(out, Finding{Status: Unknown, Name: "free space"})
	}
	if existing != dir {
		return append(out, Finding{Status: Note, Name: hostfs.DataDir, Reading: "does not exist", Wanted: "a directory of the service's user",
			Why: "the first start makes it; how fast its disk is cannot be measured before", Mend: "install -d -m 750 -o vernemq -g vernemq " + hostfs.DataDir})
	}
	if a, ok := source.Account(source.Host(in.Root), service.User); ok {
		if err := in.Host.Access(dir, a.UID, a.GIDs); err != nil {
			out = append(out, Finding{Status: Error, Name: hostfs.DataDir, Reading: "the user vernemq cannot write into it", Wanted: "owned by vernemq",
				Why: "nothing can be stored, and no start succeeds", Mend: "chown -R vernemq:vernemq " + hostfs.DataDir})
		}
	}
	return append(out, speed(in, dir))
}

// freeSome is how room is made on the disk.
const freeSome = "free some: du -xh " + hostfs.DataDir + " /var/log | sort -h | tail; journalctl --vacuum-size=50M"

// room judges free space.
func room(s Space) (out []Finding) {
	free := Finding{Status: OK, Name: "free space of " + hostfs.DataDir, Reading: fmt.Sprintf("%d MiB of %d MiB", s.Free/mebi, s.Total/mebi)}
	if s.Free < enoughSpace {
		free.Status, free.Wanted = Warning, fmt.Sprintf("%d MiB", enoughSpace/mebi)
		free.Why = "a full disk refuses messages of QoS 1 and 2, and with a few MiB left flash memory becomes slow"
		free.Mend = freeSome
	}
	if s.Free < leastSpace {
		free.Status = Error
	}
	out = append(out, free)
	if s.Files > 0 && s.Left < s.Files/100 {
		out = append(out, Finding{Status: Warning, Name: "free inodes of " + hostfs.DataDir, Reading: fmt.Sprintf("%d of %d", s.Left, s.Files),
			Wanted: fmt.Sprint(s.Files / 100), Why: "no file can be made without one, however much space is free",
			Mend: "find the many small files: du --inodes -x / | sort -n | tail"})
	}
	if s.Volatile {
		out = append(out, Finding{Status: Warning, Name: "file system of " + hostfs.DataDir, Reading: "memory (tmpfs)", Wanted: "a disk",
			Why: "sessions and stored messages are gone at the next boot", Mend: "mount a disk there, in /etc/fstab"})
	}
	if s.Remote {
		out = append(out, Finding{Status: Warning, Name: "file system of " + hostfs.DataDir, Reading: "another machine's (NFS or SMB)", Wanted: "a disk of this one",
			Why: "a network that hangs stops every acknowledgement of QoS 1 and 2", Mend: "mount a disk there, in /etc/fstab"})
	}
	return out
}

// speed measures how long a sync takes.
func speed(in *Input, dir string) Finding {
	const name = "fsync in " + hostfs.DataDir
	l, err := in.Host.Sync(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return Finding{Status: Unknown, Name: name, Reading: "not measured: permission denied", Mend: "run vernemq doctor as root or as vernemq"}
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return Finding{Status: Error, Name: name, Reading: err.Error(), Wanted: "a disk with room", Why: "nothing can be stored", Mend: freeSome}
	case errors.Is(err, unix.EROFS):
		return Finding{Status: Error, Name: name, Reading: err.Error(), Wanted: "a disk that can be written", Why: "nothing can be stored",
			Mend: "see dmesg for what made it read-only, then: mount -o remount,rw"}
	case err != nil:
		return Finding{Status: Error, Name: name, Reading: err.Error(), Wanted: "a sync that succeeds", Why: "nothing can be stored safely", Mend: "see dmesg"}
	case l.Samples == 0:
		return Finding{Status: Unknown, Name: name}
	}
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	reading := fmt.Sprintf("%v in the middle, %v at worst, of %d", round(l.Median), round(l.Worst), l.Samples)
	if l.Median <= slowSync && l.Worst <= stalledSync {
		return Finding{Status: OK, Name: name, Reading: reading}
	}
	return Finding{Status: Warning, Name: name, Reading: reading, Wanted: fmt.Sprintf("%v in the middle, %v at worst", slowSync, stalledSync),
		Why:  "a publisher of QoS 1 or 2 with a persistent subscriber waits for one before each acknowledgement",
		Mend: "use an SSD or industrial flash for " + hostfs.DataDir + "; on an SD card set profile = sdcard in vernemq.conf"}
}

// memory examines swap and huge pages.
func memory(in *Input) []Finding { return append([]Finding{swap(in)}, hugePages(in)...) }

// swap finds disks that memory may be moved to.
func swap(in *Input) Finding {
	text, err := in.Host.ReadFile("/proc/swaps")
	if err != nil {
		return Finding{Status: Unknown, Name: "swap"}
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var disks []string
	for _, line := range lines[1:] {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "/dev/zram") {
			disks = append(disks, words[0])
		}
	}
	const few = 10
	eager := in.Host.sysctl("vm.swappiness")
	if len(disks) == 0 || len(eager) == 1 && eager[0] <= few {
		return Finding{Status: OK, Name: "swap", Reading: "none on a disk, or hardly used"}
	}
	reading := strings.Join(disks, ", ")
	if len(eager) == 1 {
		reading += fmt.Sprintf(", vm.swappiness %d", eager[0])
	}
	return Finding{Status: Note, Name: "swap", Reading: reading, Wanted: "none, or vm.swappiness 1",
		Why: "sessions that are moved to a disk answer late, and flash memory wears out", Mend: byHand("vm.swappiness", "1")}
}

// hugePages examines transparent huge pages.
func hugePages(in *Input) (out []Finding) {
	for _, p := range (probe.Host{ReadFile: in.Host.ReadFile}).HugePages() {
		f := Finding{Status: OK, Name: p.Name, Reading: p.Reading, Why: p.Why}
		if p.Wanted != p.Reading {
			f.Status, f.Wanted, f.Mend = Note, p.Wanted, p.Mend
		}
		out = append(out, f)
	}
	if out == nil {
		out = []Finding{{Status: OK, Name: "transparent huge pages", Reading: "the kernel has none"}}
	}
	return out
}
