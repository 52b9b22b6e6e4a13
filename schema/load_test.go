package schema

import "testing"

func load(t testing.TB) *Schema {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaultsAndSamplesParse(t *testing.T) {
	for _, k := range load(t).Keys() {
		if k.HasDefault() {
			if _, _, err := k.Parse(k.Default); err != nil {
				t.Errorf("%s: default: %v", k.Name, err)
			}
		}
		if k.Sample != "" {
			if _, _, err := k.Parse(k.Sample); err != nil {
				t.Errorf("%s: sample: %v", k.Name, err)
			}
		}
	}
}

// How long does a command wait for the schema?
func BenchmarkLoadFS(b *testing.B) {
	for b.Loop() {
		if _, err := LoadFS(tables); err != nil {
			b.Fatal(err)
		}
	}
}
