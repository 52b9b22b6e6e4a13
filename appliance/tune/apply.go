package tune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/probe"
)

// record is what was there before the first change, and what was made of it.
type record struct {
	Sysctls map[string]change  `json:"sysctls"`
	Files   map[string]*string `json:"files"` // content by path inside the root; null: there was no such file
}

// change is one sysctl.
type change struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// ErrNothing is returned by Revert where nothing was applied.
var ErrNothing = errors.New("nothing was applied, so there is nothing to take back")

// Apply changes what list says: the record first, then the files for later boots, each as a whole, then the values of the running kernel. It tells in
// list what became of each; what cannot be changed now is changed at the next boot. An error means that the files could not be written.
func (m Machine) Apply(list []Setting) error {
	if len(list) == 0 {
		return nil
	}
	r, err := m.readRecord()
	if errors.Is(err, ErrNothing) {
		r = record{Sysctls: map[string]change{}, Files: map[string]*string{}}
	} else if err != nil {
		return err
	}
	written := map[string]string{}
	for _, s := range list {
		if s.Name == probe.NoFileLimit {
			written[hostfs.TuneLimits] = limitsText(s.After)
			continue
		}
		before := s.Before
		if c, ok := r.Sysctls[s.Name]; ok {
			before = c.Before
		}
		r.Sysctls[s.Name] = change{before, s.After}
	}
	if len(r.Sysctls) > 0 {
		written[hostfs.TuneSysctl] = sysctlText(r, list)
	}
	for name := range written {
		if _, known := r.Files[name]; known {
			continue
		}
		switch text, err := os.ReadFile(m.Root.Path(name)); {
		case err == nil:
			old := string(text)
			r.Files[name] = &old
		case errors.Is(err, fs.ErrNotExist):
			r.Files[name] = nil
		default:
			return err
		}
	}
	if old := r.Files[hostfs.TuneSysctl]; old != nil && written[hostfs.TuneSysctl] != "" { // an operator's lines stay, below ours count more
		written[hostfs.TuneSysctl] = strings.TrimRight(*old, "\n") + "\n\n" + written[hostfs.TuneSysctl]
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := m.put(hostfs.TuneRecord, string(text)+"\n"); err != nil {
		return err
	}
	for name, text := range written {
		if err := m.put(name, text); err != nil {
			return err
		}
	}
	for i := range list {
		m.now(&list[i])
	}
	return nil
}

// atStart is when a limit of the service changes.
const atStart = "at the service's next start: systemctl daemon-reload && systemctl restart vernemq"

// now changes a value of the running kernel.
func (m Machine) now(s *Setting) {
	switch {
	case s.Name == probe.NoFileLimit:
		s.Applied = atStart
	case !m.Live:
		s.Applied = "at the next boot"
	default:
		if err := m.write(s.Name, s.After); err != nil {
			s.Applied, s.Failed = fmt.Sprintf("not now, at the next boot: %v", cause(err)), true
			return
		}
		s.Applied = "now"
		if is, err := m.read(s.Name); err == nil && is != s.After {
			s.Applied, s.Failed = "the kernel made "+is+" of it", true
		}
	}
}

// Revert puts back what was there before Apply: the files, and the values of the running kernel that are still as Apply left them.
func (m Machine) Revert() (list []Setting, err error) {
	r, err := m.readRecord()
	if err != nil {
		return nil, err
	}
	for name, text := range r.Files {
		if name != hostfs.TuneSysctl && name != hostfs.TuneLimits {
			return nil, fmt.Errorf("%s names %s, which is no file of this command", hostfs.TuneRecord, name)
		}
		if text != nil {
			err = m.put(name, *text)
		} else if err = os.Remove(m.Root.Path(name)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return nil, err
		}
		if name == hostfs.TuneLimits {
			list = append(list, Setting{Name: probe.NoFileLimit, After: "as before", Applied: atStart})
		}
	}
	for name, c := range r.Sysctls {
		s := Setting{Name: name, Before: c.After, After: c.Before}
		is, err := m.read(name)
		switch {
		case m.Live && err == nil && is == c.Before:
			s.Before, s.Applied = is, "as before already"
		case m.Live && err == nil && is != c.After:
			s.Before, s.After, s.Applied = is, is, "left alone: somebody else has changed it since"
		default:
			m.now(&s)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return list, os.Remove(m.Root.Path(hostfs.TuneRecord))
}

// sysctlText is the file for later boots: everything that was ever changed, with the reasons that are known.
func sysctlText(r record, list []Setting) string {
	var b strings.Builder
	b.WriteString("# Written by vernemq tune --apply; vernemq tune --revert takes it back. See vernemq tune for what each is for.\n")
	for _, name := range slices.Sorted(maps.Keys(r.Sysctls)) {
		for _, s := range list {
			if s.Name == name {
				b.WriteString("# " + s.Why + "\n")
			}
		}
		fmt.Fprintf(&b, "%s = %s\n", name, r.Sysctls[name].After)
	}
	return b.String()
}

func (m Machine) readRecord() (r record, err error) {
	text, err := os.ReadFile(m.Root.Path(hostfs.TuneRecord))
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNothing
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s cannot be read, remove it if what was before does not matter: %w", hostfs.TuneRecord, err)
	}
	if r.Sysctls == nil {
		r.Sysctls = map[string]change{}
	}
	if r.Files == nil {
		r.Files = map[string]*string{}
	}
	for name := range r.Sysctls {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "" || strings.Contains(name, "..") {
			return r, fmt.Errorf("%s names %q, which is no sysctl", hostfs.TuneRecord, name)
		}
	}
	return r, nil
}

// put replaces a file, which everybody may read.
func (m Machine) put(name, text string) error {
	host := m.Root.Path(name)
	if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
		return err
	}
	return hostfs.WriteFile(host, []byte(text), 0o644, -1, -1)
}

// cause is the reason of a failure without the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
