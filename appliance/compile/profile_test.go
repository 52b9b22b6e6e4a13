package compile

import (
	"strings"
	"testing"

	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// Every profile that can be chosen is embedded, compiles without a finding on the machine it is for, sets only keys that work, to something else
// than their default, and says why above each line. No line of the shipped vernemq.conf, which counts more, hides one of them.
func TestProfiles(t *testing.T) {
	s := loadSchema(t)
	key, _, _ := s.Lookup(profileKey)
	machines := map[string]probe.Facts{
		"gateway": {Cores: 4, MemoryTotal: 512 << 20, NoFile: 524288},
		"sdcard":  {Cores: 4, MemoryTotal: 1 << 30, NoFile: 524288},
		"server":  {Cores: 32, MemoryTotal: 16 << 30, NoFile: 1 << 20},
	}
	want := map[string]string{"gateway": "16384", "sdcard": "32768", "server": "524288"} // connections
	for _, word := range key.Words {
		if word == noProfile {
			continue
		}
		t.Run(word, func(t *testing.T) {
			name := "/usr/share/vernemq/profiles/" + word + ".conf"
			text, ok := embeddedProfiles()[name]
			if !ok {
				t.Fatal("it is not embedded")
			}
			above := ""
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" && !strings.HasPrefix(above, "## ") {
					t.Errorf("no reason above %s", line)
				}
				above = line
			}
			shipped := strings.Replace(string(schema.DefaultFile(s)), "\n# profile = none\n", "\nprofile = "+word+"\n", 1)
			p, r := Compile(Input{Schema: s, Host: machines[word], FS: source.Texts{
				"/etc/vernemq/vernemq.conf": shipped, "/etc/vernemq/conf.d/50-site.conf": ""}})
			var out strings.Builder
			if err := r.WriteText(&out, 0); err != nil || out.Len() > 0 {
				t.Errorf("%v %s", err, out.String())
			}
			chosen := 0
			for _, v := range p.All() {
				if v.Origin.Layer != plan.Profile {
					continue
				}
				chosen++
				if v.Key.Effect != schema.Live {
					t.Errorf("%s does not work", v.Name)
				}
				if d := defaultOf(v.Key); d != nil && v.Key.Format(d) == v.Text() {
					t.Errorf("%s has its default", v.Name)
				}
			}
			if written := strings.Count(text, " = "); chosen != written || chosen < 4 {
				t.Errorf("%d of %d values come from the profile, the shipped vernemq.conf hides the others", chosen, written)
			}
			if v, _ := p.Find("listener.tcp.default.max_connections"); v.Text() != want[word] {
				t.Errorf("%s connections, want %s", v.Text(), want[word])
			}
		})
	}
	if got := len(embeddedProfiles()); got != len(key.Words)-1 {
		t.Errorf("%d profiles are embedded, and %d can be chosen", got, len(key.Words)-1)
	}
}

// Every rule that the schema names is in the table, and the table holds no other.
func TestAutoRules(t *testing.T) {
	used := map[string]bool{}
	for _, k := range loadSchema(t).Keys() {
		if k.Auto == "" {
			continue
		}
		used[k.Auto] = true
		rule, ok := autoRules[k.Auto]
		if !ok || rule.text == "" {
			t.Errorf("%s follows the rule %q, which is not there", k.Name, k.Auto)
		}
	}
	for name := range autoRules {
		if !used[name] {
			t.Errorf("no key follows the rule %s", name)
		}
	}
}
