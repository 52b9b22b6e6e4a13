package probe

import (
	"io/fs"
	"strings"
	"testing"
)

// With little memory always becomes madvise; with enough the choice stays, and what it gives is told.
func TestHugePages(t *testing.T) {
	const small, large = "MemTotal:        4194303 kB\n", "MemFree: 1 kB\nMemTotal:        4194304 kB\nMemAvailable: 2 kB\n"
	const toAlways, toMadvise, toNever = "[always] madvise never\n", "always [madvise] never\n", "always madvise [never]\n"
	const waitAll, waitAsked = "[always] defer defer+madvise madvise never\n", "always defer defer+madvise [madvise] never\n"
	for name, c := range map[string]struct {
		memory, enabled, defrag string
		want                    string // reading>wanted of each; ! where there is something to tell
	}{
		"small, always":           {small, toAlways, waitAsked, "always>madvise! madvise>madvise"},
		"small, both always":      {small, toAlways, waitAll, "always>madvise! always>always"},
		"small, madvise":          {small, toMadvise, waitAsked, "madvise>madvise madvise>madvise"},
		"small, never":            {small, toNever, waitAll, "never>never always>always"},
		"large, always":           {large, toAlways, waitAsked, "always>always! madvise>madvise"},
		"large, everybody waits":  {large, toAlways, waitAll, "always>always! always>madvise!"},
		"large, older kernel":     {large, toAlways, "[always] never\n", "always>always! always>always"},
		"large, madvise":          {large, toMadvise, waitAll, "madvise>madvise! always>always"},
		"large, never":            {large, toNever, waitAsked, "never>never! madvise>madvise"},
		"no such file for defrag": {large, toMadvise, "", "madvise>madvise!"},
		"memory unknown":          {"", toAlways, waitAsked, "always>always madvise>madvise"},
		"memory unreadable":       {"MemTotal: much\nMemTotal: -5 kB\n", toAlways, waitAsked, "always>always madvise>madvise"},
		"memory without end":      {"MemTotal: 99999999999999999999 kB\n", toAlways, waitAsked, "always>always madvise>madvise"},
		"no huge pages":           {small, "", waitAll, ""},
		"no brackets":             {small, "always\n", "", "always>madvise!"},
		"nonsense":                {small, "[", "]", "[>[ ]>]"},
	} {
		files := map[string]string{"/proc/meminfo": c.memory, hugePages: c.enabled, hugePageDefrag: c.defrag}
		h := Host{ReadFile: func(name string) ([]byte, error) {
			if text := files[name]; text != "" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}}
		var got []string
		for _, p := range h.HugePages() {
			told := ""
			if p.Why != "" {
				told = "!"
			}
			got = append(got, p.Reading+">"+p.Wanted+told)
			if changed := p.Wanted != p.Reading; changed != (p.Mend != "") || changed && !strings.Contains(p.Mend, HugePageLine(p.Name, p.Wanted)) {
				t.Errorf("%s: the remedy of %+v", name, p)
			}
			if !IsHugePage(p.Name) {
				t.Errorf("%s is not known", p.Name)
			}
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}
