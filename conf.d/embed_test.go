package confd

import (
	"io/fs"
	"strings"
	"testing"

	"vernemq/schema"
)

// The layers are shipped with everything commented, and every sample in them works once its # is gone.
func TestSamples(t *testing.T) {
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(Files, "*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("the layers are %q, %v", files, err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(Files, file)
		if err != nil {
			t.Fatal(err)
		}
		announced := strings.Contains(string(text), "have no effect yet")
		samples := 0
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			line = strings.TrimRight(line, "\n")
			if line == "" || strings.HasPrefix(line, "## ") {
				continue
			}
			sample, ok := strings.CutPrefix(line, "# ")
			if !ok {
				t.Errorf("%s:%d: not commented: %s", file, number, line)
				continue
			}
			samples++
			name, value, ok := strings.Cut(sample, " = ")
			if !ok {
				t.Errorf("%s:%d: no setting: %s", file, number, sample)
				continue
			}
			k, _, ok := s.Lookup(name)
			if !ok {
				t.Errorf("%s:%d: %s is no key", file, number, name)
				continue
			}
			if _, notes, err := k.Parse(value); err != nil || len(notes) > 0 {
				t.Errorf("%s:%d: %s: %v %v", file, number, name, err, notes)
			}
			if (k.Effect == schema.Planned) != announced || k.Effect == schema.Ignored || k.Effect == schema.Refused {
				t.Errorf("%s:%d: %s has the effect %q, but the file says otherwise", file, number, name, k.Effect)
			}
		}
		if samples == 0 {
			t.Errorf("%s has no samples", file)
		}
	}
}
