package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vernemq/broker/store"
	"vernemq/broker/store/wallog/faultfs"
)

// TestPowerCut cuts the power after every operation on the files, with every kind of loss: each time the store must open, whole, with all that
// it had promised.
func TestPowerCut(t *testing.T) {
	for i, segment := range []int{250, 4000} {
		seed := uint64(i)
		t.Run(fmt.Sprintf("segments of %d", segment), func(t *testing.T) {
			dir := t.TempDir()
			fs := &faultfs.FS{Root: dir}
			fs.Record()
			cfg := store.Config{Dir: filepath.Join(dir, "s"), SegmentBytes: segment, BallastBytes: -1, FS: fs, CompactRate: 1 << 30}
			s, err := store.Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			m := newModel(t, s, seed)
			m.at = fs.Len
			for range 330 {
				if ticket := m.step(); m.rnd.IntN(3) == 0 {
					m.wait(ticket)
				}
				if err := s.Recount(); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			trace := fs.Trace()
			images, dropped := 0, s.Stats().Dropped
			for at := range len(trace) + 1 {
				for loss := range faultfs.Losses {
					images++
					if !openImage(t, m, cfg, trace[:at], loss) {
						t.Fatalf("image after %d of %d operations, lost: %v", at, len(trace), loss)
					}
				}
			}
			t.Logf("%d operations, %d images, %d segments were compacted", len(trace), images, dropped)
			if segment < 1000 && dropped < 5 {
				t.Error("hardly anything was compacted")
			}
		})
	}
}

// memoryDir is a temporary directory, in memory if there is such a place: thousands of little stores are made there.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// openImage opens what a power cut left, twice, and compares it with the model.
func openImage(t *testing.T, m *model, cfg store.Config, trace []faultfs.Op, loss faultfs.Loss) bool {
	t.Helper()
	dir := memoryDir(t)
	if err := faultfs.Build(dir, trace, loss); err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.FS = filepath.Join(dir, "s"), &faultfs.FS{Root: dir}
	for range 2 {
		s, err := store.Open(cfg)
		if err != nil {
			t.Error(err)
			return false
		}
		if err := s.Degraded(); err != nil {
			t.Error(err)
			return false
		}
		got, err := contents(s)
		if err != nil {
			t.Error(err)
			return false
		}
		wrong := m.check(got, m.completeAt(len(trace)))
		for _, w := range wrong {
			t.Error(w)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
			return false
		}
		if len(wrong) > 0 {
			return false
		}
	}
	return true
}
