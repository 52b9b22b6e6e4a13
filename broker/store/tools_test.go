package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// filled makes a store with some history and returns it with its contents.
func filled(t *testing.T, cfg store.Config) (*store.Durable, map[string]string) {
	t.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(t, s, 5)
	var last store.Ticket
	for range 200 {
		last = max(last, m.step())
	}
	m.wait(last)
	return s, mustContents(t, s)
}

func mustContents(t *testing.T, s *store.Durable) map[string]string {
	t.Helper()
	got, err := contents(s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustClose(t *testing.T, s *store.Durable) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func reopened(t *testing.T, cfg store.Config) (*store.Durable, map[string]string) {
	t.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, mustContents(t, s)
}

func TestCompactAndBackup(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), SegmentBytes: 500, BallastBytes: -1}
	s, want := filled(t, cfg)
	to := filepath.Join(t.TempDir(), "copy")
	if err := s.Backup(to); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(to); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a backup over a backup: %v", err)
	}
	before := s.Stats().DiskBytes
	if err := s.Compact(); err != nil {
		t.Fatal(err)
	}
	if after := s.Stats().DiskBytes; after >= before {
		t.Errorf("compaction made %d bytes of %d", after, before)
	}
	if diff := cmp.Diff(want, mustContents(t, s)); diff != "" {
		t.Errorf("after Compact (-want +got):\n%s", diff)
	}
	mustClose(t, s)
	for name, dir := range map[string]string{"compacted": cfg.Dir, "copy": to} {
		c := cfg
		c.Dir = dir
		s, got := reopened(t, c)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		mustClose(t, s)
	}
}

func TestExportImport(t *testing.T) {
	s, want := filled(t, store.Config{Dir: t.TempDir(), BallastBytes: -1})
	var out bytes.Buffer
	if err := s.Export(&out); err != nil {
		t.Fatal(err)
	}
	if err := s.Import(bytes.NewReader(out.Bytes())); err == nil {
		t.Error("an import over what is there")
	}
	mustClose(t, s)
	for name, text := range map[string]string{"cut off": out.String()[:out.Len()-5], "a line is missing": dropLine(out.String(), 3), "nothing": "", "another format": "{}\n"} {
		s, err := store.Open(store.Config{Dir: t.TempDir(), BallastBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Import(strings.NewReader(text)); err == nil {
			t.Errorf("%s: imported all the same", name)
		}
		mustClose(t, s)
	}
	cfg := store.Config{Dir: t.TempDir(), BallastBytes: -1}
	if s, err := store.Open(cfg); err != nil {
		t.Fatal(err)
	} else if err := s.Import(&out); err != nil {
		t.Fatal(err)
	} else {
		mustClose(t, s)
	}
	s, got := reopened(t, cfg)
	defer mustClose(t, s)
	// Sessions get new keys: what they have must be the same, under whichever.
	if diff := cmp.Diff(values(want), values(got)); diff != "" {
		t.Errorf("imported (-want +got):\n%s", diff)
	}
}

func dropLine(s string, n int) string {
	return strings.Join(slices.Delete(strings.SplitAfter(s, "\n"), n, n+1), "")
}

// values are what the contents are but for the keys of sessions.
func values(m map[string]string) (out []string) {
	for name, v := range m {
		w := strings.Fields(name)
		switch w[0] {
		case "session":
			_, v, _ = strings.Cut(v, " ")
			w = w[:1]
		case "sub", "delivery", "inbound":
			w = slices.Delete(w, 1, 2)
		}
		out = append(out, strings.Join(w, " ")+" = "+v)
	}
	slices.Sort(out)
	return out
}

func TestVerifyRepairDump(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), SegmentBytes: 2000, BallastBytes: -1}
	s, want := filled(t, cfg)
	if _, err := store.Verify(cfg.Dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("Verify beside a broker: %v", err)
	}
	if _, err := store.Open(cfg); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second broker: %v", err)
	}
	mustClose(t, s)
	r, err := store.Verify(cfg.Dir)
	if err != nil || len(r.Damage) > 0 || r.TornBytes > 0 || r.Records == 0 || r.Sessions == 0 || r.APIKeys == 0 {
		t.Errorf("Verify: %+v, %v", r, err)
	}
	var dump bytes.Buffer
	if err := store.Dump(cfg.Dir, &dump); err != nil || int64(strings.Count(dump.String(), "\n")) != r.Records {
		t.Errorf("Dump: %v, %d lines for %d records", err, strings.Count(dump.String(), "\n"), r.Records)
	}
	for _, word := range []string{"session ", "message ", "ack ", "retained ", "subscription ", "run ", "api-key "} {
		if !strings.Contains(dump.String(), word) {
			t.Errorf("no %sin the dump", word)
		}
	}
	if lost, err := store.Repair(cfg.Dir); err != nil || len(lost) > 0 {
		t.Errorf("Repair of a good store: %v, %v", lost, err)
	}

	flip(t, cfg.Dir, 1, 2)
	s, _ = reopened(t, cfg)
	if err := s.Degraded(); err == nil || !strings.Contains(err.Error(), "vernemq store repair") {
		t.Errorf("a damaged store is open: %v", err)
	}
	k, _ := s.PutSession(&store.Session{})
	if ref, _ := s.PutMessage(msg.New("", []byte("t"), []byte("x"), nil, 1, false), store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}}); ref != 0 {
		t.Error("a damaged store took a message")
	}
	told := &telling{}
	s.Notify(told)
	if told.err == nil {
		t.Error("nobody is told that a damaged store makes nothing durable")
	}
	mustClose(t, s)
	if r, err := store.Verify(cfg.Dir); err != nil || len(r.Damage) != 1 {
		t.Errorf("Verify of a damaged store: %+v, %v", r, err)
	}
	if lost, err := store.Repair(cfg.Dir); err != nil || len(lost) != 1 {
		t.Errorf("Repair: %v, %v", lost, err)
	}
	s, got := reopened(t, cfg)
	if err := s.Degraded(); err != nil {
		t.Error(err)
	}
	if missing := len(want) - len(got); missing > 6 || missing < -6 {
		t.Errorf("%d things after Repair, %d before the damage of one record", len(got), len(want))
	}
	mustClose(t, s)
}

type telling struct{ err error }

func (c *telling) Durable(_ store.Ticket, err error) { c.err = err }

func TestVersions(t *testing.T) {
	for text, want := range map[string]string{
		"vernemq-store 3\n": "install the newer broker again",
		"vernemq-store 0\n": "with the older broker",
		"something":         "does not say which version",
		"":                  "does not say which version",
	} {
		cfg := store.Config{Dir: t.TempDir(), BallastBytes: -1}
		s, _ := reopened(t, cfg)
		mustClose(t, s)
		if err := os.WriteFile(filepath.Join(cfg.Dir, "VERSION"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(cfg); !errors.Is(err, store.ErrVersion) || !strings.Contains(err.Error(), want) {
			t.Errorf("version %q: %v", text, err)
		}
		if err := os.Remove(filepath.Join(cfg.Dir, "VERSION")); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(cfg); !errors.Is(err, store.ErrVersion) || !strings.Contains(err.Error(), "no file VERSION") {
			t.Errorf("no version: %v", err)
		}
	}
}

// TestClock: what expires keeps what it had left; by the wall clock it ages only when that can be trusted, and only forwards.
func TestClock(t *testing.T) {
	const second = int64(1e9)
	for _, c := range []struct {
		name    string
		before  bool  // the clock is set when it is written
		set     bool  // and at the second start
		wall    int64 // ms later, at the second start
		wantSec int64 // left
	}{
		{"an hour off, clock known", true, true, 3_600_000, 5_000 - 3_600},
		{"an hour off, clock unknown", false, false, 3_600_000, 5_000},
		{"an hour off, clock not known any more", true, false, 3_600_000, 5_000},
		{"the clock went back", true, true, -9_000_000, 5_000},
		{"years off, for the clock was not set before", false, true, 1_700_000_000_000, 5_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, wall, set := 100*second, int64(1_700_000_000_000), c.before
			cfg := store.Config{Dir: t.TempDir(), BallastBytes: -1, Now: func() int64 { return now }, Wall: func() int64 { return wall }, ClockSet: func() bool { return set }}
			s, _ := reopened(t, cfg)
			k, _ := s.PutSession(&store.Session{Disconnected: wall / 1000})
			since := int64(store.UnknownTime)
			if c.before {
				since = wall / 1000
			}
			m := msg.New("", []byte("t"), []byte("x"), nil, 1, false)
			m.Deadline = now + 5000*second
			s.PutMessage(m, store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
			s.PutRetained("", m)
			check := func(want int64) {
				t.Helper()
				n := 0
				look := func(m *msg.Message) {
					n++
					if left := (m.Deadline - now) / second; left != want {
						t.Errorf("%d s are left, want %d", left, want)
					}
				}
				known := func(rec *store.Session) {
					if rec.Disconnected != since {
						t.Errorf("disconnected at %d, want %d", rec.Disconnected, since)
					}
				}
				err := s.Load(store.Loader{Session: known, Inbound: func(store.Inbound) {},
					Message:  func(_ store.MessageRef, m *msg.Message, _ store.Recipient, _ store.AckKind) { look(m) },
					Retained: func(_ string, m *msg.Message) { look(m) }})
				if err != nil || n != 2 {
					t.Fatal(n, err)
				}
			}
			now += 1000 * second
			check(4000)
			mustClose(t, s)
			now, wall, set = 7*second, wall+c.wall, c.set
			s, _ = reopened(t, cfg)
			check(c.wantSec)
			if err := s.Compact(); err != nil {
				t.Fatal(err)
			}
			check(c.wantSec)
			mustClose(t, s)
		})
	}
}
