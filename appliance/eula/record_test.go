package eula

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

func TestRecordRoundTrip(t *testing.T) {
	root := hostfs.New(t.TempDir())
	if r, err := Load(root); r != nil || err != nil {
		t.Fatalf("without a file: %v, %v", r, err)
	}
	t.Setenv("SUDO_USER", "ann")
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	if err := Save(root, now, "a test\nuser = mallory"); err != nil {
		t.Fatal(err)
	}
	r, err := Load(root)
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	if r.Hash != Hash() || !r.Time.Equal(now) || !strings.HasPrefix(r.User, "ann as ") || r.By != "a test user = mallory" {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat(root.Path(RecordFile)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestParseRecord(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want *Record
	}{
		"empty":       {"", nil},
		"no hash":     {"time = 2026-05-04T03:02:01Z\nuser = a\n", nil},
		"commented":   {"# sha256 = 1\n", nil},
		"other words": {"sha256 = 1\ncolour = red\nnonsense\n", &Record{Hash: "1", User: "an unknown user"}},
		"bad time":    {"sha256 = 1\ntime = yesterday\nuser = a\n", &Record{Hash: "1", User: "a"}},
		"bytes":       {"\x00\xff = \nsha256 = 1", &Record{Hash: "1", User: "an unknown user"}},
	} {
		if diff := cmp.Diff(c.want, parse(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHashIgnoresLineBreaks(t *testing.T) {
	if hash("a b\nc") != hash(" a\r\n b c\n") {
		t.Error("other line breaks make another text")
	}
	if hash("a b c") == hash("a b d") {
		t.Error("another word makes no other text")
	}
}

func TestCheck(t *testing.T) {
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	other := &Record{Hash: "0123", Time: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), User: "ann"}
	for name, c := range map[string]struct {
		conf     string
		flag     bool // --accept-eula
		record   *Record
		accepted bool
		changed  bool
		recorded bool
	}{
		"nothing":                {"", false, nil, false, false, false},
		"no":                     {"accept_eula = no", false, nil, false, false, false},
		"no, recorded":           {"accept_eula = no", false, &Record{Hash: Hash()}, false, false, true},
		"the operator's word":    {"accept_eula = yes", false, nil, true, false, false},
		"recorded":               {"accept_eula = yes", false, &Record{Hash: Hash()}, true, false, true},
		"another text":           {"accept_eula = yes", false, other, false, true, false},
		"another text, this one": {"accept_eula = yes", true, other, true, false, false},
		"on the command line":    {"", true, nil, true, false, false},
	} {
		root := hostfs.New(t.TempDir())
		if c.record != nil {
			if err := os.MkdirAll(root.Path(hostfs.DataDir), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root.Path(RecordFile), []byte(c.record.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, _ := compile.Compile(compile.Input{Schema: s, FS: source.Texts{hostfs.MainConf: c.conf}, AcceptEULA: c.flag})
		got, err := Check(root, p)
		if err != nil {
			t.Fatal(err)
		}
		if got.Accepted != c.accepted || got.Changed != c.changed || got.Recorded() != c.recorded {
			t.Errorf("%s: accepted %v, changed %v, recorded %v", name, got.Accepted, got.Changed, got.Recorded())
		}
		if text := got.Refusal(); c.changed && (!strings.Contains(text, "2025-01-02 03:04:05 UTC by ann") || !strings.Contains(text, RecordFile)) {
			t.Errorf("%s: the refusal does not tell who accepted what, and how to go on:\n%s", name, text)
		}
	}
}

// A record that cannot be read is not taken for none.
func TestUnreadableRecord(t *testing.T) {
	root := hostfs.New(t.TempDir())
	if err := os.MkdirAll(root.Path(RecordFile), 0o755); err != nil { // a directory in its place
		t.Fatal(err)
	}
	state, err := Check(root, &plan.Plan{})
	if err == nil || state.Accepted {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestRefusalNamesEveryWay(t *testing.T) {
	text := (&State{From: plan.Origin{Pos: report.Pos{}}}).Refusal()
	for _, want := range []string{"chkconfig", "accept_eula = yes", "ACCEPT_EULA=yes", "DOCKER_VERNEMQ_ACCEPT_EULA", hostfs.EULAText} {
		if !strings.Contains(text, want) {
			t.Errorf("the message does not name %s", want)
		}
	}
}

// Whatever the umask of root is, the service can read what accepting leaves behind.
func TestLeavesReadableFiles(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	root := hostfs.New(t.TempDir())
	if err := Accept(root); err != nil {
		t.Fatal(err)
	}
	if err := Save(root, time.Now(), "a test"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{hostfs.EtcDir: 0o755, hostfs.MainConf: 0o644, hostfs.DataDir: 0o750, RecordFile: 0o644} {
		info, err := os.Stat(root.Path(name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
	}
}

// Run by root, what is new belongs to the service's user where that exists, and to whom the directory belongs.
func TestOwnerOfNewFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root gives files away
	}
	root := hostfs.New(t.TempDir())
	if err := os.MkdirAll(root.Path("/etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root.Path("/etc/passwd"), []byte("vernemq:x:4711:4712::/:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Save(root, time.Now(), "a test"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Dir(RecordFile), RecordFile} {
		if uid, gid, _ := hostfs.Owner(root.Path(name)); uid != 4711 || gid != 4712 {
			t.Errorf("%s belongs to %d:%d", name, uid, gid)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("sha256 = 1\ntime = 2026-05-04T03:02:01Z\nuser = a\nby = b\n")
	f.Add("# x\n = \n")
	f.Fuzz(func(t *testing.T, text string) {
		r := parse(text)
		if r == nil {
			return
		}
		again := parse(r.String())
		if again == nil || again.Hash != r.Hash {
			t.Errorf("%q becomes %+v, then %+v", text, r, again)
		}
	})
}
