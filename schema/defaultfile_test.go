package schema

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The shipped main file is generated; whoever changes a row refreshes it with go test ./schema -update.
const shippedFile = "../packaging/vernemq.conf"

func TestDefaultFile(t *testing.T) {
	got := DefaultFile(load(t))
	if *update {
		if err := os.WriteFile(shippedFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(shippedFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("DefaultFile differs from %s (-want +got):\n%s", shippedFile, diff)
	}
}

// live returns the live settings of a conf file by key, and its last line.
func liveLines(text string) (settings map[string]string, last string) {
	settings = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		last = line
		if key, value, ok := strings.Cut(line, " = "); ok {
			settings[key] = value
		}
	}
	return settings, last
}

func TestDefaultFileIsTheDefault(t *testing.T) {
	s := load(t)
	settings, last := liveLines(string(DefaultFile(s)))
	if last != "include conf.d/*.conf" {
		t.Errorf("the last line is %q", last)
	}
	for name, value := range settings {
		k, _, ok := s.Lookup(name)
		if !ok {
			t.Errorf("%s is no key", name)
			continue
		}
		if k.Effect != Live {
			t.Errorf("%s = %s would warn at each start: its effect is %q", name, value, k.Effect)
		}
		if !k.Wild() && k.Sample == "" && value != k.Default {
			t.Errorf("%s = %s, but its default is %s", name, value, k.Default)
		}
	}
	for name, want := range map[string]string{"accept_eula": "no", "listener.tcp.default": "127.0.0.1:1883", "allow_anonymous": "off"} {
		if settings[name] != want {
			t.Errorf("%s = %q, want %q", name, settings[name], want)
		}
	}
	for _, name := range []string{"listener.vmq.clustering = 0.0.0.0:44053", "listener.http.default = 127.0.0.1:8888", "listener.ssl.default = 127.0.0.1:8883"} {
		if !strings.Contains(string(DefaultFile(s)), "\n# "+name+"\n") {
			t.Errorf("the sample %q is missing", name)
		}
	}
}

// Every sample must work once its # is gone.
func TestDefaultFileSamplesParse(t *testing.T) {
	s := load(t)
	n := 0
	for line := range strings.Lines(string(DefaultFile(s))) {
		sample, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !ok {
			continue
		}
		n++
		name, value, ok := strings.Cut(sample, " = ")
		if !ok {
			t.Errorf("%q is no setting", sample)
			continue
		}
		k, _, ok := s.Lookup(name)
		if !ok {
			t.Errorf("%s is no key", name)
			continue
		}
		if strings.HasPrefix(value, "'") {
			value = strings.Trim(value, "'")
		}
		if _, _, err := k.Parse(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(name, "$") {
			t.Errorf("%s has a wildcard left", name)
		}
	}
	if n < 100 {
		t.Errorf("only %d samples", n)
	}
}
