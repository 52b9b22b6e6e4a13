package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vernemq/broker/store"
	"vernemq/broker/store/wallog"
)

// Damage that a digest hides at the start is found by compaction. Then compaction ends with a word for whoever waits for it, messages go on, nothing of the
// damaged segment is thrown away, and the next start knows.
func TestDamageFoundByCompaction(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), SegmentBytes: 4 << 10, CompactRate: -1}
	s, _ := filled(t, cfg)
	k, _ := s.PutSession(&store.Session{})
	var refs []store.MessageRef
	w := newWaiter(s)
	put := func() {
		t.Helper()
		ref, ticket := s.PutMessage(payload(1000), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
		if ref == 0 {
			t.Fatal(s.Health())
		}
		refs = append(refs, ref)
		w.wait(ticket)
	}
	for range 60 {
		put()
	}
	s.Digest()
	mustClose(t, s)
	segments, err := filepath.Glob(filepath.Join(cfg.Dir, "log-*", "*"))
	if err != nil || len(segments) < 8 {
		t.Fatal(segments, err)
	}
	slices.Sort(segments)
	b, err := os.ReadFile(segments[2])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(segments[2], b, 0o600); err != nil {
		t.Fatal(err)
	}

	if s, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.Degraded(); err != nil {
		t.Fatal("there is no digest: ", err)
	}
	for range 2 {
		if err := s.Compact(); !errors.Is(err, wallog.ErrDamaged) {
			t.Error(err)
		}
	}
	if x := s.Stats(); !strings.Contains(x.Damage, filepath.Base(segments[2])) {
		t.Errorf("%q", x.Damage)
	}
	w = newWaiter(s)
	if k, _ = s.PutSession(&store.Session{}); k == 0 {
		t.Error("no session")
	}
	put()
	mustClose(t, s)
	if _, err := os.Stat(segments[2]); err != nil {
		t.Error(err)
	}
	if s, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.Degraded(); err == nil || !strings.Contains(err.Error(), filepath.Base(segments[2])) {
		t.Error(err)
	}
	if err := s.Compact(); err == nil || errors.Is(err, wallog.ErrDamaged) {
		t.Error(err) // it says why nothing is compacted
	}
	mustClose(t, s)
}
