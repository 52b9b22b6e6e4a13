package image

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// install puts an update on the configuration partition and lets the appliance find it.
func (b *box) install(name string, data []byte) {
	b.t.Helper()
	b.write(name, string(data))
	if err := b.Health(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

func accepted(t *testing.T) *box {
	b := newBox(t)
	b.write("vernemq.conf", goodConf)
	b.boot()
	return b
}

func TestUpdateIsTriedAndCommitted(t *testing.T) {
	b := accepted(t)
	b.install("a.update", packed(t, "2"))
	if b.reboots != 1 || b.on("a.update") != "" {
		t.Fatalf("%d restarts\n%s", b.reboots, b.console.String())
	}
	if s := b.boot(); !s.Trial || s.Slot != SlotB || s.Version != "2" {
		t.Fatalf("the trial: %+v", s)
	}
	b.trips = []error{errors.New("not yet"), nil, errors.New("once more"), nil}
	if err := b.Health(context.Background()); err != nil {
		t.Fatal(err)
	}
	s, err := LoadStatus(b.Root)
	if err != nil || s.Trial || s.Update != "2 is installed" {
		t.Errorf("%+v, %v", s, err)
	}
	for range 3 {
		if s := b.boot(); s.Trial || s.Version != "2" || s.Other != "1, can boot" || s.Update != "2 is installed" {
			t.Errorf("after the commit: %+v", s)
		}
	}
	if b.reboots != 1 {
		t.Errorf("%d restarts", b.reboots)
	}
}

func TestUnhealthyUpdateIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		trip  error
		want  string
	}{
		"no message goes through":   {"active", errors.New("the message is lost"), "the message is lost"},
		"never ready":               {"activating", nil, "activating"},
		"failed":                    {"failed", nil, "failed"},
		"not even in the new world": {"inactive", nil, "inactive"},
	} {
		t.Run(name, func(t *testing.T) {
			b := accepted(t)
			b.install("a.update", packed(t, "2"))
			b.boot()
			b.state, b.trips = c.state, []error{c.trip}
			if err := b.Health(context.Background()); err != nil {
				t.Fatal(err)
			}
			if b.reboots != 2 {
				t.Fatalf("%d restarts", b.reboots)
			}
			s := b.boot()
			if s.Trial || s.Slot != SlotA || s.Version != "1" || s.Other != "empty" {
				t.Errorf("%+v", s)
			}
			if !strings.Contains(s.Update, "2 was tried and not committed") || !strings.Contains(s.Update, c.want) {
				t.Errorf("update: %s", s.Update)
			}
			b.state, b.trips = "active", []error{nil}
			if err := b.Health(context.Background()); err != nil || b.reboots != 2 {
				t.Errorf("%v, %d restarts: the file is tried again", err, b.reboots)
			}
		})
	}
}

func TestUpdateThatDoesNotBoot(t *testing.T) {
	b := accepted(t)
	b.install("a.update", packed(t, "2"))
	d := testDisk{filepath.Join(b.dir, "esp"), filepath.Join(b.dir, "root-a"), filepath.Join(b.dir, "root-b")}
	if e, _ := d.boot(t); !e.Trial {
		t.Fatal("the loader does not try it")
	} // and nothing more is heard of it
	if s := b.boot(); s.Version != "1" || !strings.Contains(s.Update, "2 was tried and not committed: the system did not get as far") {
		t.Errorf("%+v", s)
	}
}

// A committed slot that stops booting gives way to the other one.
func TestWornSlot(t *testing.T) {
	b := accepted(t)
	b.install("a.update", packed(t, "2"))
	b.boot()
	if err := b.Health(context.Background()); err != nil {
		t.Fatal(err)
	}
	d := testDisk{filepath.Join(b.dir, "esp"), filepath.Join(b.dir, "root-a"), filepath.Join(b.dir, "root-b")}
	for i := range committedTries {
		if e, _ := d.boot(t); e.Slot != SlotB {
			t.Fatalf("attempt %d is of slot %s", i, e.Slot)
		}
	}
	if s := b.boot(); s.Version != "1" || s.Other != "2, did not boot any more" || !strings.Contains(s.Update, "2 does not boot any more") {
		t.Errorf("%+v", s)
	}
}

func TestUpdatesThatAreRefused(t *testing.T) {
	_, other, err := ed25519.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{9}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key ed25519.PrivateKey, arch string) []byte {
		var out bytes.Buffer
		if err := Pack(&out, key, "2", arch, "quiet", parts("2")); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	changed := sign(signer(t), "amd64")
	changed[len(changed)-1] ^= 1
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"foreign": {sign(other, "amd64"), "not signed"},
		"changed": {changed, "root is not what was signed"},
		"machine": {sign(signer(t), "arm64"), "for arm64"},
		"rubbish": {[]byte("hello"), "not an update"},
	} {
		t.Run(name, func(t *testing.T) {
			b := accepted(t)
			b.install("x.update", c.data)
			s, err := LoadStatus(b.Root)
			if err != nil || !strings.Contains(s.Update, "x.update was refused") || !strings.Contains(s.Update, c.want) {
				t.Errorf("%+v, %v", s, err)
			}
			if b.on("x.update.refused") == "" || !strings.Contains(b.on("status.txt"), c.want) {
				t.Errorf("not told on the partition:\n%s", b.on("status.txt"))
			}
			if _, err := os.Stat(filepath.Join(b.dir, "root-b")); err == nil {
				t.Error("something was written")
			}
			if list, _ := Entries(filepath.Join(b.dir, "esp")); b.reboots != 0 || len(list) != 1 {
				t.Errorf("%d restarts, %+v", b.reboots, list)
			}
		})
	}
}

// A file that cannot be renamed is not tried for ever.
func TestUpdateOnALockedPartition(t *testing.T) {
	b := accepted(t)
	b.write("x.update", "hello")
	b.locked = true
	for range 3 {
		_ = b.Health(context.Background()) // the status cannot be written
	}
	if n := strings.Count(b.console.String(), "was refused"); n > 1 {
		t.Errorf("refused %d times", n)
	}
}

func TestUpdateFromTheDataPartition(t *testing.T) {
	b := accepted(t)
	if err := put(b.Root, updateDir+"/y.update", packed(t, "2"), 0o600, -1); err != nil {
		t.Fatal(err)
	}
	if err := b.Health(context.Background()); err != nil || b.reboots != 1 {
		t.Errorf("%v, %d restarts", err, b.reboots)
	}
	name, err := b.Stage(bytes.NewReader(packed(t, "3")))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Update(name); err != nil || !strings.Contains(b.console.String(), "update to 3: written") {
		t.Errorf("%v\n%s", err, b.console.String())
	}
}

// Even if the judge does not start, an update does not stay on trial.
func TestGuard(t *testing.T) {
	b := accepted(t)
	ctx := context.Background()
	if err := b.Guard(ctx, time.Minute); err != nil || b.pauses != 0 {
		t.Errorf("on a committed system: %v", err)
	}
	b.install("a.update", packed(t, "2"))
	b.boot()
	if err := b.Guard(ctx, time.Minute); err != nil || b.reboots != 2 {
		t.Errorf("%v, %d restarts", err, b.reboots)
	}
	if s := b.boot(); !strings.Contains(s.Update, "2 was tried and not committed: after 1m0s it was still not judged") {
		t.Errorf("%+v", s)
	}
	b = accepted(t)
	b.install("a.update", packed(t, "2"))
	b.boot()
	if err := b.Health(ctx); err != nil {
		t.Fatal(err)
	}
	b.Booted.Trial = true // the guard has its own view of the boot
	if err := b.Guard(ctx, time.Minute); err != nil || b.reboots != 1 {
		t.Errorf("after the verdict: %v, %d restarts", err, b.reboots)
	}
}

// A machine that is switched off while it judges has not judged.
func TestHealthIsInterrupted(t *testing.T) {
	b := accepted(t)
	b.install("a.update", packed(t, "2"))
	b.boot()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Health(ctx); !errors.Is(err, context.Canceled) || b.reboots != 1 {
		t.Errorf("%v, %d restarts", err, b.reboots)
	}
}
