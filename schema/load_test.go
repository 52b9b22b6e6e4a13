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

// How long does a command wait for the schema?
func BenchmarkLoadFS(b *testing.B) {
	for b.Loop() {
		if _, err := LoadFS(tables); err != nil {
			b.Fatal(err)
		}
	}
}
