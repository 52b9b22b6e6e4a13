package store_test

import (
	"errors"
	"os"
	"path/filepath"
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
	damaged := flip(t, cfg.Dir, 2, 8)

	s, err := store.Open(cfg)
	if err != nil {
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
	if x := s.Stats(); !strings.Contains(x.Damage, filepath.Base(damaged)) {
		t.Errorf("%q", x.Damage)
	}
	w = newWaiter(s)
	if k, _ = s.PutSession(&store.Session{}); k == 0 {
		t.Error("no session")
	}
	put()
	mustClose(t, s)
	if _, err := os.Stat(damaged); err != nil {
		t.Error(err)
	}
	if s, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.Degraded(); err == nil || !strings.Contains(err.Error(), filepath.Base(damaged)) {
		t.Error(err)
	}
	if err := s.Compact(); err == nil || errors.Is(err, wallog.ErrDamaged) {
		t.Error(err) // it says why nothing is compacted
	}
	mustClose(t, s)
}

// flip damages a closed store: one bit in the middle of segment i of its log, which must have least segments or more. It returns the segment's path.
func flip(t *testing.T, dir string, i, least int) string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "log-*", "*")) // sorted
	if err != nil || len(segments) < least {
		t.Fatal(segments, err)
	}
	b, err := os.ReadFile(segments[i])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(segments[i], b, 0o600); err != nil {
		t.Fatal(err)
	}
	return segments[i]
}
