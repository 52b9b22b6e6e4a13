package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// box is an appliance whose partitions are directories and files, and whose machine does what a test says.
type box struct {
	*System
	t        *testing.T
	dir      string
	console  bytes.Buffer
	locked   bool // the configuration partition cannot be written
	broken   bool // it cannot be mounted
	hostname string
	reboots  int
	made     []string // devices that were formatted
	state    string   // of the broker's unit
	trips    []error  // results of the round trips; the last one stays
	pauses   int
}

// newBox returns an appliance whose slot a runs version 1.
func newBox(t *testing.T) *box {
	t.Helper()
	d := newDisk(t)
	b := &box{t: t, dir: filepath.Dir(d.esp), state: "active", trips: []error{nil}}
	root := hostfs.New(filepath.Join(b.dir, "root"))
	for _, dir := range []string{root.Path(dataDir), root.Path(hostfs.ConfDir), filepath.Join(b.dir, PartConfig)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(root.Path(hostfs.MainConf), []byte("accept_eula = no\nlistener.tcp.default = 127.0.0.1:1883\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	b.System = &System{Root: root, Parts: b, Media: Disk{}, Booted: Booted{Slot: SlotA}, Arch: "amd64", Key: public(t), Host: b, Out: &b.console,
		GID: -1, Compile: func() (*plan.Plan, *report.Report, error) {
			p, r := compile.Compile(compile.Input{Schema: keys, FS: source.Host(root)})
			return p, r, nil
		}}
	return b
}

func (b *box) With(label string, write bool, f func(string) error) error {
	dir := filepath.Join(b.dir, label)
	if label == PartConfig && (b.broken || b.locked && write) {
		return errReadOnly
	}
	return f(dir)
}

func (b *box) Device(label string) (string, int64, error) {
	return filepath.Join(b.dir, label), 1 << 20, nil
}

func (b *box) Disk() (string, error) { return filepath.Join(b.dir, "disk"), nil }

func (b *box) Hostname(name string) error { b.hostname = name; return nil }

func (b *box) Reboot() error { b.reboots++; return nil }

func (b *box) BrokerActive(context.Context) (bool, string) { return b.state == "active", b.state }

func (b *box) RoundTrip(context.Context) error {
	result := b.trips[0]
	if len(b.trips) > 1 {
		b.trips = b.trips[1:]
	}
	return result
}

func (b *box) MakeData(device string) error { b.made = append(b.made, device); return nil }

// Pause lets no time pass, but not for ever.
func (b *box) Pause(ctx context.Context, _ time.Duration) error {
	if b.pauses++; b.pauses > 100 {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// write puts a file on the configuration partition.
func (b *box) write(name, text string) {
	b.t.Helper()
	file := filepath.Join(b.dir, PartConfig, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		b.t.Fatal(err)
	}
}

// read returns a file of the root, empty if it is not there.
func (b *box) read(name string) string {
	text, err := os.ReadFile(b.Root.Path(name))
	if err != nil {
		return ""
	}
	return string(text)
}

// on returns a file of the configuration partition, empty if it is not there.
func (b *box) on(name string) string {
	text, err := os.ReadFile(filepath.Join(b.dir, PartConfig, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// boot is one boot of the appliance: the loader, then the first service.
func (b *box) boot() Status {
	b.t.Helper()
	d := testDisk{filepath.Join(b.dir, "esp"), filepath.Join(b.dir, "root-a"), filepath.Join(b.dir, "root-b")}
	e, _ := d.boot(b.t)
	b.Booted = Booted{e.Slot, e.Trial}
	b.console.Reset()
	if err := b.Boot(); err != nil && !b.broken && !b.locked {
		b.t.Fatalf("%v\n%s", err, b.console.String())
	}
	s, err := LoadStatus(b.Root)
	if err != nil && b.reboots == 0 {
		b.t.Fatal(err)
	}
	return s
}
