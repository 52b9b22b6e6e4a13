package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/store"
)

func storeVersion(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "VERSION"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// TestVersionRises: a store has the version that brokers without API keys can read until the first of them is stored, however often it is opened,
// and a copy has that of what is in it.
func TestVersionRises(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), BallastBytes: -1, SegmentBytes: 2000}
	s, _ := reopened(t, cfg)
	w := newWaiter(s)
	_, ticket := s.PutSession(&store.Session{})
	w.wait(ticket)
	backup := func(want string) {
		t.Helper()
		to := filepath.Join(t.TempDir(), "copy")
		if err := s.Backup(to); err != nil {
			t.Fatal(err)
		}
		if got := storeVersion(t, to); got != want {
			t.Errorf("the copy says %q, want %q", got, want)
		}
	}
	backup("vernemq-store 1")
	w.wait(s.DeleteAPIKey([32]byte{}, "mgmt")) // there is none: nothing is written
	mustClose(t, s)
	s, _ = reopened(t, cfg)
	w = newWaiter(s)
	if got := storeVersion(t, cfg.Dir); got != "vernemq-store 1" {
		t.Fatalf("without an API key it says %q", got)
	}
	w.wait(s.PutAPIKey(store.APIKey{Scope: "mgmt"}))
	if got := storeVersion(t, cfg.Dir); got != "vernemq-store 2" {
		t.Errorf("with an API key it says %q", got)
	}
	backup("vernemq-store 2")
	mustClose(t, s)
	s, _ = reopened(t, cfg)
	defer mustClose(t, s)
	if n := s.Stats().StoredAPIKeys; n != 1 {
		t.Errorf("%d API keys, want 1", n)
	}
	backup("vernemq-store 2")
}

// TestAPIKeysCarried: compaction keeps the API keys of segments of which nothing else is needed.
func TestAPIKeysCarried(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), BallastBytes: -1, SegmentBytes: 1000}
	s, _ := reopened(t, cfg)
	w := newWaiter(s)
	for i := range byte(3) {
		w.wait(s.PutAPIKey(store.APIKey{Digest: [32]byte{i}, Scope: "mgmt"}))
	}
	w.wait(s.DeleteAPIKey([32]byte{1}, "mgmt"))
	want := mustContents(t, s)
	for range 3 {
		for range 50 { // what nobody needs, enough for some segments
			k, ticket := s.PutSession(&store.Session{Username: strings.Repeat("x", 100)})
			w.wait(max(ticket, s.DeleteSession(k)))
		}
		if err := s.Compact(); err != nil {
			t.Fatal(err)
		}
		if err := s.Recount(); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		var got map[string]string
		s, got = reopened(t, cfg)
		w = newWaiter(s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after compaction (-want +got):\n%s", diff)
		}
	}
	if s.Stats().Segments > 3 {
		t.Errorf("%d segments are left: nothing was compacted", s.Stats().Segments)
	}
	mustClose(t, s)
}

// TestImportKeys: an export with an API key that makes no sense is refused with its line.
func TestImportKeys(t *testing.T) {
	for _, digest := range []string{`""`, `"AAAA"`, `"` + strings.Repeat("A", 48) + `"`} {
		s, _ := reopened(t, store.Config{Dir: t.TempDir(), BallastBytes: -1})
		err := s.Import(bytes.NewBufferString("{\"vernemq_store_export\":1}\n{\"api_key\":{\"Digest\":" + digest + ",\"Scope\":\"mgmt\"}}\n"))
		if err == nil || !strings.Contains(err.Error(), "line 2: an API key with a digest of") {
			t.Errorf("digest %s: %v", digest, err)
		}
		mustClose(t, s)
	}
}
