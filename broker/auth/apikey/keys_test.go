package apikey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"vernemq/broker/auth/apikey"
	"vernemq/broker/config"
	"vernemq/broker/store"
	"vernemq/broker/store/wallog/faultfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is keys over a store, with a clock that stands.
type world struct {
	*apikey.Keys
	t       *testing.T
	options *config.Live
	now     time.Time
	set     bool
}

func open(t *testing.T, st apikey.Store) *world {
	t.Helper()
	w := &world{t: t, options: config.NewLive(&config.Options{}), now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), set: true}
	k, err := apikey.Open(st, w.options, apikey.Clock{Now: func() time.Time { return w.now }, ClockSet: func() bool { return w.set }})
	if err != nil {
		t.Fatal(err)
	}
	w.Keys = k
	return w
}

func (w *world) create(scope string, expires time.Time) string {
	w.t.Helper()
	key, err := w.Create(w.t.Context(), scope, expires)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// opens checks which scopes a key opens.
func (w *world) opens(key string, want ...string) {
	w.t.Helper()
	var got []string
	for _, scope := range apikey.Scopes() {
		if w.Check(key, scope) {
			got = append(got, scope)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%d characters open (-want +got):\n%s", len(key), diff)
	}
}

func TestCheck(t *testing.T) {
	w := open(t, store.NewMemory())
	a, b := w.create("mgmt", time.Time{}), w.create("metrics", time.Time{})
	if a == b || len(a) != 32 {
		t.Fatalf("%q and %q were created", a, b)
	}
	if err := w.Add(t.Context(), a, "api2", time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.opens(a, "mgmt", "api2")
	w.opens(b, "metrics")
	for _, key := range []string{"", a[:31], a + "x", strings.ToLower(a), a[:6], a[:6] + apikey.Ellipsis, strings.Repeat("x", apikey.MaxLength+1)} {
		w.opens(key)
	}
	if w.Check(a, "") || w.Check(a, "all") {
		t.Error("a key opens what is no scope")
	}
	if err := w.Delete(t.Context(), a, "mgmt"); err != nil {
		t.Fatal(err)
	}
	w.opens(a, "api2")
}

// TestExpiry: a key expires by the wall clock, once that is known to be right.
func TestExpiry(t *testing.T) {
	w := open(t, store.NewMemory())
	end := w.now.Add(time.Hour)
	key := w.create("mgmt", end)
	for _, c := range []struct {
		name string
		now  time.Time
		set  bool
		want []string
	}{
		{"a second before", end.Add(-time.Second), true, []string{"mgmt"}},
		{"at the end", end, true, nil},
		{"years later", end.AddDate(9, 0, 0), true, nil},
		{"at the end, by a clock that is not known to be right", end, false, []string{"mgmt"}},
		{"in the past again", end.AddDate(-50, 0, 0), true, []string{"mgmt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t, w.now, w.set = t, c.now, c.set
			w.opens(key, c.want...)
			want := []apikey.Key{{Beginning: key[:6] + "…", Scope: "mgmt", Expires: end, Expired: c.want == nil}}
			if diff := cmp.Diff(want, w.List("")); diff != "" {
				t.Errorf("listed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLife: what max_apikey_expiry_days and the clock allow.
func TestLife(t *testing.T) {
	w := open(t, store.NewMemory())
	day := 24 * time.Hour
	for i, c := range []struct {
		most, in time.Duration // 0: none
		year     int
		set      bool
		want     time.Duration // from now; 0: never
		err      string
	}{
		{0, 0, 2026, true, 0, ""},
		{0, day, 2026, true, day, ""},
		{30 * day, 0, 2026, true, 30 * day, ""},
		{30 * day, 30 * day, 2026, true, 30 * day, ""},
		{30 * day, 31 * day, 2026, true, 0, "max_apikey_expiry_days allows 30 days, until 2026-07-31T00:00:00Z"},
		{0, -time.Second, 2026, true, 0, "would have expired already: it is 2026-07-01T00:00:00Z"},
		{0, 0, 1970, false, 0, ""},
		{0, day, 1970, false, 0, "clock of this machine is not set, it says 1970-07-01"},
		{30 * day, 0, 1970, false, 0, "clock of this machine is not set"},
		{0, day, 2026, false, day, ""}, // right, and nobody has told the kernel
	} {
		w.options.Swap(&config.Options{MaxAPIKeyLife: c.most})
		w.now, w.set = time.Date(c.year, 7, 1, 0, 0, 0, 0, time.UTC), c.set
		var expires time.Time
		if c.in != 0 {
			expires = w.now.Add(c.in)
		}
		key, err := w.Create(t.Context(), "mgmt", expires)
		var refused apikey.Refusal
		if c.err != "" {
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%d: %v, want %q", i, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		var want time.Time
		if c.want != 0 {
			want = w.now.Add(c.want)
		}
		if got := w.List("mgmt")[0].Expires; !got.Equal(want) {
			t.Errorf("%d: it expires at %v, want %v", i, got, want)
		}
		if err := w.Delete(t.Context(), key, "mgmt"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBounds: how long keys are, how much of them is shown, and how many there are.
func TestBounds(t *testing.T) {
	w := open(t, store.NewMemory())
	for key, want := range map[string]string{"": "want 1 to", "two words": "cannot send", "tab\t": "cannot send", "umläut": "cannot send", "\x7f": "cannot send",
		strings.Repeat("x", apikey.MaxLength+1): "want 1 to 1024"} {
		if err := w.Add(t.Context(), key, "mgmt", time.Time{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", key, err)
		}
	}
	if err := w.Add(t.Context(), "x", "Mgmt", time.Time{}); err == nil || !strings.Contains(err.Error(), "one of status") {
		t.Errorf("no scope: %v", err)
	}
	for key, shown := range map[string]string{"abc": "…", "abcd": "a…", strings.Repeat("k", 1024): "kkkkkk…"} {
		if err := w.Add(t.Context(), key, "health", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := w.List("health"); len(got) != 1 || got[0].Beginning != shown {
			t.Errorf("%.20q is listed as %v", key, got)
		}
		if err := w.Delete(t.Context(), shown, "health"); err != nil {
			t.Errorf("by %q: %v", shown, err)
		}
	}
	w.options.Swap(&config.Options{MinAPIKeyLength: 40})
	if err := w.Add(t.Context(), strings.Repeat("k", 39), "mgmt", time.Time{}); err == nil || !strings.Contains(err.Error(), "39 characters, and min_apikey_length asks for 40") {
		t.Errorf("too short: %v", err)
	}
	if key := w.create("status", time.Time{}); len(key) != 40 {
		t.Errorf("%q was created, of 40 characters", key)
	}
	var err error
	for i := 1; i < apikey.MaxKeys; i++ {
		err = errors.Join(err, w.Add(t.Context(), fmt.Sprintf("%040d", i), "mgmt", time.Time{}))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(t.Context(), "api2", time.Time{}); err == nil || !strings.Contains(err.Error(), "There are 1000 keys") {
		t.Errorf("one more: %v", err)
	}
	if err := w.Delete(t.Context(), "…", "mgmt"); err == nil {
		t.Error("one of 999 keys was deleted by a beginning that none has")
	}
}

// TestRestart: the keys are there again, the store's files hold none of them, and neither does the log.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	cfg := store.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	st, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, st)
	a, b := w.create("mgmt", time.Time{}), w.create("metrics", w.now.Add(time.Hour))
	if err := w.Delete(t.Context(), a[:6]+"…", "mgmt"); err != nil {
		t.Fatal(err)
	}
	before := w.List("")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	var dump bytes.Buffer
	if err := store.Dump(dir, &dump); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"log": log.Bytes(), "dump": dump.Bytes()}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files[name], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		for _, key := range []string{a, b} {
			if bytes.Contains(text, []byte(key[:7])) {
				t.Errorf("%s holds more of a key than its beginning", name)
			}
		}
	}
	if !bytes.Contains(dump.Bytes(), []byte(b[:6])) {
		t.Errorf("the dump does not name the key by its beginning:\n%s", &dump)
	}
	if st, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	w = open(t, st)
	w.opens(a)
	w.opens(b, "metrics")
	if diff := cmp.Diff(before, w.List("")); diff != "" {
		t.Errorf("listed after a restart (-want +got):\n%s", diff)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(t.Context(), "mgmt", time.Time{}); err == nil {
		t.Error("a key was created in a store that is closed")
	}
}

// TestFull: a store that takes nothing more says why, and keys can be deleted all the same.
func TestFull(t *testing.T) {
	st := store.NewMemory()
	w := open(t, st)
	key := w.create("mgmt", time.Time{})
	st.Fill(errors.New("the disk is full"))
	if _, err := w.Create(t.Context(), "mgmt", time.Time{}); err == nil || err.Error() != "the key was not stored: the disk is full" {
		t.Errorf("a full store: %v", err)
	}
	if err := w.Delete(t.Context(), key, "mgmt"); err != nil {
		t.Error(err)
	}
}

// TestHeld: a key holds once it is durable, not before; who gives up waiting leaves none behind.
func TestHeld(t *testing.T) {
	st := store.NewMemory()
	w := open(t, st)
	st.Hold()
	done := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	add := func() { done <- w.Add(ctx, "some-key", "mgmt", time.Time{}) }
	held := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); st.Held() != n; {
			if time.Now().After(deadline) {
				t.Fatalf("%d writes wait, want %d", st.Held(), n)
			}
			runtime.Gosched()
		}
	}
	go add()
	held(1)
	w.opens("some-key")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	held(2) // it is taken away again
	w.opens("some-key")
	ctx = t.Context()
	go add()
	held(3)
	w.opens("some-key")
	st.Release(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.opens("some-key", "mgmt")
}

// TestBrokenDisk: a key that the disk does not take is refused, and does not come back with the disk; one that is deleted meanwhile opens nothing.
func TestBrokenDisk(t *testing.T) {
	dir := t.TempDir()
	var broken atomic.Bool
	fail := func(op, _ string) error {
		if broken.Load() && op == "batch" {
			return syscall.EIO
		}
		return nil
	}
	cfg := store.Config{Dir: dir, FS: &faultfs.FS{Root: dir, Fail: fail}, RetryEvery: time.Millisecond, BallastBytes: -1}
	st, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, st)
	key, other := w.create("mgmt", time.Time{}), w.create("mgmt", time.Time{})
	broken.Store(true)
	if err := w.Add(t.Context(), "never-there", "mgmt", time.Time{}); err == nil {
		t.Error("a broken disk took a key")
	}
	if err := w.Add(t.Context(), "never-there", "mgmt", time.Time{}); err == nil || !strings.Contains(err.Error(), "the store cannot write") {
		t.Errorf("a disk that is known to be broken: %v", err)
	}
	if err := w.Delete(t.Context(), key, "mgmt"); err == nil || !strings.Contains(err.Error(), "opens nothing any more") {
		t.Errorf("deleted on a broken disk: %v", err)
	}
	w.opens(key)
	broken.Store(false)
	third := ""
	for third == "" { // until the disk was tried again
		third, err = w.Create(t.Context(), "mgmt", time.Time{})
		if err != nil {
			third = ""
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err = store.Open(cfg); err != nil {
		t.Fatal(err)
	}
	w = open(t, st)
	w.opens(key)
	w.opens("never-there")
	w.opens(other, "mgmt")
	w.opens(third, "mgmt")
	if n := len(w.List("")); n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestConcurrent: keys come and go while others are checked.
func TestConcurrent(t *testing.T) {
	st, err := store.Open(store.Config{Dir: t.TempDir(), Durability: store.DurableInterval, BallastBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, st)
	stays := w.create("mgmt", time.Time{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				key, err := w.Create(t.Context(), "api2", time.Time{})
				if err != nil || !w.Check(key, "api2") || !w.Check(stays, "mgmt") || len(w.List("")) < 2 {
					t.Error("a key that was created does not hold", err)
				}
				if err := w.Delete(t.Context(), key, "api2"); err != nil || w.Check(key, "api2") {
					t.Error("a key that was deleted holds", err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(w.List("")); n != 1 {
		t.Errorf("%d keys are left, want 1", n)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}
