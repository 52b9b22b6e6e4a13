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
	Pages   map[string]change  `json:"pages,omitempty"` // choices of huge pages, by the kernel's file
	Files   map[string]*string `json:"files"`           // content by path inside the root; null: there was no such file
}

// change is one setting.
type change struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// ErrNothing is returned by Revert where nothing was applied.
var ErrNothing = errors.New("nothing was applied, so there is nothing to take back")

// Apply changes what list says: the record first, then the files for later boots, each as a whole, then the values of the running kernel. It tells in
// list what became of each; what cannot be changed now is changed at the next boot, but for huge pages: where their files are read-only they are another
// system's, and nothing is written for them. An error means that the files could not be written.
func (m Machine) Apply(list []Setting) error {
	if len(list) == 0 {
		return nil
	}
	r, err := m.readRecord()
	if errors.Is(err, ErrNothing) {
		r = record{Sysctls: map[string]change{}, Pages: map[string]change{}, Files: map[string]*string{}}
	} else if err != nil {
		return err
	}
	written := map[string]string{}
	for i, s := range list {
		switch {
		case s.Name == probe.NoFileLimit:
			written[hostfs.TuneLimits] = limitsText(s.After)
		case !probe.IsHugePage(s.Name):
			r.Sysctls[s.Name] = since(r.Sysctls, s)
			written[hostfs.TuneSysctl] = ""
		default:
			if err := m.writable(s.Name); err != nil {
				list[i].refused(err)
				continue
			}
			r.Pages[s.Name] = since(r.Pages, s)
			written[hostfs.TunePages] = ""
		}
	}
	if len(written) == 0 {
		return nil
	}
	if _, ok := written[hostfs.TuneSysctl]; ok {
		written[hostfs.TuneSysctl] = fileText(r.Sysctls, list, func(name, value string) string { return name + " = " + value })
	}
	if _, ok := written[hostfs.TunePages]; ok {
		written[hostfs.TunePages] = fileText(r.Pages, list, probe.HugePageLine)
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
		if !list[i].Failed {
			m.now(&list[i])
		}
	}
	return nil
}

// since is the change that a setting has gone through since the first time.
func since(known map[string]change, s Setting) change {
	if c, ok := known[s.Name]; ok {
		return change{c.Before, s.After}
	}
	return change{s.Before, s.After}
}

// writable returns why a setting of the running kernel cannot be changed, if that is so.
func (m Machine) writable(name string) error {
	if !m.Live {
		return nil
	}
	f, err := os.OpenFile(m.path(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// refused tells that huge pages cannot be chosen here.
func (s *Setting) refused(err error) {
	s.Applied, s.Failed = fmt.Sprintf("not here: %v; root may, and for a container only its host: run vernemq tune --apply there", cause(err)), true
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
		if err := m.write(s.Name, s.After); err != nil && probe.IsHugePage(s.Name) {
			s.refused(err)
			return
		} else if err != nil {
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
		if name != hostfs.TuneSysctl && name != hostfs.TunePages && name != hostfs.TuneLimits {
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
	changed := maps.Clone(r.Sysctls)
	maps.Copy(changed, r.Pages)
	for name, c := range changed {
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

// fileText is a file for later boots: everything of its kind that was ever changed, with the reasons that are known.
func fileText(changed map[string]change, list []Setting, line func(name, value string) string) string {
	var b strings.Builder
	b.WriteString("# Written by vernemq tune --apply; vernemq tune --revert takes it back. See vernemq tune for what each is for.\n")
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		for _, s := range list {
			if s.Name == name {
				b.WriteString("# " + s.Why + "\n")
			}
		}
		b.WriteString(line(name, changed[name].After) + "\n")
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
	if r.Pages == nil {
		r.Pages = map[string]change{}
	}
	if r.Files == nil {
		r.Files = map[string]*string{}
	}
	for name := range r.Sysctls {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "" || strings.Contains(name, "..") {
			return r, fmt.Errorf("%s names %q, which is no sysctl", hostfs.TuneRecord, name)
		}
	}
	for name := range r.Pages {
		if !probe.IsHugePage(name) {
			return r, fmt.Errorf("%s names %q, which is no choice of huge pages", hostfs.TuneRecord, name)
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
