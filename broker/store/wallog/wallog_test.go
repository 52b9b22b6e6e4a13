package wallog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opened opens a log and returns it with what it holds, as "sequence:payload".
func opened(t testing.TB, cfg Config) (*Log, []string) {
	t.Helper()
	var got []string
	l, err := Open(cfg, func(r *Record) error {
		got = append(got, fmt.Sprintf("%d:%s", r.Seq, r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, got
}

// add writes n records in batches of 3, and returns them and their places.
func add(t testing.TB, l *Log, n int) (want []string, places []Place) {
	t.Helper()
	b := &Batch{}
	for i := range n {
		payload := fmt.Sprintf("payload-%d", i)
		want = append(want, fmt.Sprintf("%d:%s", l.Last()+uint64(b.Len())+1, payload))
		b.End(append(b.Add(1), payload...))
		if b.Len() == 3 || i == n-1 {
			if err := l.Write(b, true); err != nil {
				t.Fatal(err)
			}
			places = append(places, b.Places...)
			b.Reset(0)
		}
	}
	return want, places
}

func closed(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "log-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestWriteReadDrop(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), SegmentBytes: 200}
	l, _ := opened(t, cfg)
	want, places := add(t, l, 40)
	read := func() (got []string) {
		l.Read(places, func(i int, r Record, err error) {
			if err != nil {
				got = append(got, err.Error())
				return
			}
			got = append(got, fmt.Sprintf("%d:%s", r.Seq, r.Payload))
		})
		return got
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	eldest, _, ok := l.Eldest()
	if !ok {
		t.Fatal("one segment only")
	}
	if err := l.Drop(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; places[n].Segment == eldest.ID; n++ {
		want[n] = ErrGone.Error()
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("read after Drop (-want +got):\n%s", diff)
	}
	closed(t, l)
	l, got := opened(t, cfg)
	if diff := cmp.Diff(want[n:], got); diff != "" {
		t.Errorf("opened again (-want +got):\n%s", diff)
	}
	more, _ := add(t, l, 7)
	closed(t, l)
	l, got = opened(t, cfg)
	if diff := cmp.Diff(append(want[n:], more...), got); diff != "" {
		t.Errorf("with more (-want +got):\n%s", diff)
	}
	closed(t, l)
}

// TestCutAtEveryByte cuts the newest segment at each of its bytes: what is whole stays, the log can be written to, and what was cut is kept.
func TestCutAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	l, _ := opened(t, Config{Dir: dir, SegmentBytes: 1 << 20})
	want, places := add(t, l, 9)
	closed(t, l)
	file := segmentFiles(t, dir)[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		for _, tail := range []string{"", "\x00\x00\x00\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			if err := os.WriteFile(file, append(whole[:cut:cut], tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			n := 0
			for n < len(places) && int(places[n].Off+places[n].Size) <= cut {
				n++
			}
			l, got := opened(t, Config{Dir: dir, SegmentBytes: 1 << 20})
			if diff := cmp.Diff(want[:n], got, cmp.Transformer("", func(x []string) string { return strings.Join(x, " ") })); diff != "" || len(l.Damage()) > 0 {
				t.Fatalf("cut at %d with tail %q: damage %v, records (-want +got):\n%s", cut, tail, l.Damage(), diff)
			}
			good := 0
			if n > 0 {
				good = int(places[n-1].Off + places[n-1].Size)
			}
			if want := int64(cut + len(tail) - good); l.CutBytes() != want {
				t.Fatalf("cut at %d with tail %q: %d bytes were cut off, want %d", cut, tail, l.CutBytes(), want)
			}
			more, _ := add(t, l, 1)
			closed(t, l)
			l, got = opened(t, Config{Dir: dir, SegmentBytes: 1 << 20})
			if len(got) != n+1 || got[n] != more[0] {
				t.Fatalf("cut at %d: with one more %q", cut, got)
			}
			closed(t, l)
		}
	}
	kept, err := os.ReadDir(filepath.Join(dir, asideDir))
	if err != nil || len(kept) == 0 || len(kept) > maxAside {
		t.Errorf("%d files are kept aside (%v)", len(kept), err)
	}
}

// TestDamage destroys one byte after the other of what was synced: no record may be lost without a word, except those of the last batch, which
// nothing vouches for; and Repair loses no more than what is damaged.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Dir: dir, SegmentBytes: 300}
	l, _ := opened(t, cfg)
	want, places := add(t, l, 24)
	closed(t, l)
	lastBatch := places[len(places)-3]
	for n, file := range segmentFiles(t, dir) {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(whole); at += 3 {
			bad := slices.Clone(whole)
			bad[at] ^= 0x55
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if places[len(places)-1].Segment == uint32(n+1) && at >= int(lastBatch.Off) {
				continue
			}
			l, got := opened(t, cfg)
			if len(l.Damage()) == 0 {
				t.Fatalf("segment %d byte %d: no damage was seen", n, at)
			}
			if err := l.Write(&Batch{}, true); !errors.Is(err, ErrReadOnly) {
				t.Errorf("writing to a damaged log: %v", err)
			}
			closed(t, l)
			if len(got) != len(want)-1 {
				t.Fatalf("segment %d byte %d: %d records, want all but one of %d", n, at, len(got), len(want))
			}
			if lost, err := Repair(cfg, 9); err != nil || len(lost) == 0 {
				t.Fatalf("Repair: %v, %v", lost, err)
			}
			l, mended := opened(t, cfg)
			if len(l.Damage()) > 0 || len(mended) != len(want) {
				t.Fatalf("segment %d byte %d: %d records after Repair, damage %v", n, at, len(mended), l.Damage())
			}
			mended = slices.DeleteFunc(mended, func(s string) bool { return strings.HasSuffix(s, ":") })
			if diff := cmp.Diff(got, mended); diff != "" {
				t.Fatalf("after Repair (-damaged +mended):\n%s", diff)
			}
			closed(t, l)
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMissingSegment(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Dir: dir, SegmentBytes: 200}
	l, _ := opened(t, cfg)
	want, _ := add(t, l, 24)
	closed(t, l)
	if err := os.Remove(segmentFiles(t, dir)[1]); err != nil {
		t.Fatal(err)
	}
	l, got := opened(t, cfg)
	if len(l.Damage()) != 1 || len(got) >= len(want) {
		t.Fatalf("damage %v, %d records", l.Damage(), len(got))
	}
	closed(t, l)
	if _, err := Repair(cfg, 9); err != nil {
		t.Fatal(err)
	}
	l, mended := opened(t, cfg)
	if len(l.Damage()) != 0 || len(mended) != len(want) {
		t.Errorf("after Repair: damage %v, %d records, want %d", l.Damage(), len(mended), len(want))
	}
	closed(t, l)
}

// TestDigests: a log opened by its digests is the log; a bad digest is not believed.
func TestDigests(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Dir: dir, SegmentBytes: 4000, Digest: func(byte, []byte) int { return 3 }}
	l, _ := opened(t, cfg)
	b := &Batch{}
	for i := range 60 {
		b.End(append(b.Add(1), fmt.Sprintf("%03d%s", i, bytes.Repeat([]byte{'x'}, 200))...))
		if err := l.Write(b, true); err != nil {
			t.Fatal(err)
		}
		b.Reset(0)
	}
	segs := l.Segments()
	for _, s := range segs[:len(segs)-1] {
		if n, err := l.WriteDigest(s.ID); err != nil || n == 0 || n > 400 {
			t.Fatalf("digest of %d bytes, %v", n, err)
		}
	}
	closed(t, l)
	open := func() (digested int, got []string) {
		l, err := Open(cfg, func(r *Record) error {
			got = append(got, fmt.Sprintf("%d:%s %v", r.Seq, r.Payload[:3], r.Place))
			if r.Digest {
				digested++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, l)
		return digested, got
	}
	n, want := open()
	if n == 0 || len(want) != 60 {
		t.Fatalf("%d of %d records came from digests", n, len(want))
	}
	names, err := filepath.Glob(filepath.Join(dir, digestDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		d, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(d); at += 7 {
			bad := slices.Clone(d)
			bad[at] ^= 1
			if err := os.WriteFile(name, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			fewer, got := open()
			if fewer >= n {
				t.Fatalf("byte %d: a bad digest was believed", at)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("byte %d (-want +got):\n%s", at, diff)
			}
		}
		if err := os.WriteFile(name, d, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzDecode: no bytes make the decoder panic, and what it takes is what was written.
func FuzzDecode(f *testing.F) {
	f.Add(appendEntry(nil, 7, 3, 1, 5, []byte("hello")), uint32(7))
	f.Add([]byte{}, uint32(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0}, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, salt uint32) {
		r, n, err := decode(b, salt)
		if err != nil {
			return
		}
		if again := appendEntry(nil, salt, r.Seq, r.Synced, r.Type, r.Payload); !bytes.Equal(again, b[:n]) {
			t.Errorf("written again: %x, read: %x", again, b[:n])
		}
	})
}

// FuzzSegment: no segment makes opening panic or hang, and what is read follows from 1 on.
func FuzzSegment(f *testing.F) {
	two := appendEntry(appendEntry(nil, 0, 1, 0, 1, []byte("a")), 0, 2, 1, 1, []byte("b"))
	f.Add(two)
	f.Add(append([]byte{0, 0, 0}, two...))
	f.Add(append(slices.Clone(two), appendEntry(nil, 0, 9, 8, 1, nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, DirPrefix+"00000000"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, DirPrefix+"00000000", segmentName(1)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		last := uint64(0)
		l, err := Open(Config{Dir: dir, SegmentBytes: 1000}, func(r *Record) error {
			if r.Seq <= last {
				t.Errorf("record %d after %d", r.Seq, last)
			}
			last = r.Seq
			return nil
		})
		if err == nil {
			closed(t, l)
		}
	})
}
