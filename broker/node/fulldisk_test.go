package node_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// diskDir names, in its environment, the directory over which the process of TestFullDisk mounts its disk.
const diskDir = "VERNEMQ_FULL_DISK"

const diskSize = 56 << 20

// TestFullDisk runs a broker on a small file system of its own, an ext4 in a file where that can be mounted, else in memory: see fullDisk.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(diskDir); dir != "" {
		fullDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), diskDir+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && len(out) == 0:
		t.Logf("NOT RUN: this machine lets nobody mount a file system: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	default:
		t.Logf("%s", out)
	}
}

// mountDisk mounts the disk and says what it is; "" where nothing can be mounted.
func mountDisk(t *testing.T, dir string) string {
	t.Helper()
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return ""
	}
	image := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, diskSize); err != nil {
		t.Fatal(err)
	}
	if exec.Command("mkfs.ext4", "-q", "-m", "0", image).Run() == nil && exec.Command("mount", "-o", "loop", image, dir).Run() == nil {
		return "ext4 in a file"
	}
	if unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)) == nil {
		return "tmpfs"
	}
	return ""
}

// fullDisk fills the disk while the broker serves: messages above QoS 0 are refused and never half taken, QoS 0 goes on, subscribers' acknowledgements
// are still written, and when space returns so does service, with every message that was acknowledged, once and in order.
func fullDisk(t *testing.T, dir string) {
	kind := mountDisk(t, dir)
	if kind == "" {
		t.Log("NOT RUN: nothing can be mounted here")
		return
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	if err := fillSpace(filler, 16<<20); err != nil {
		t.Fatal(err)
	}
	o := options(2)
	o.MaxOfflineMessages, o.MaxOnlineMessages = -1, -1
	o.StoreDir, o.StoreDurability, o.StoreSegmentSize = filepath.Join(dir, "store"), "ack", 1<<20
	n, err := node.Start(t.Context(), node.Params{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	addr := n.Listening()[0][2]
	s := connect(t, addr, "s", mqtt.V311, persist)
	s.subscribe("d/#", 2)
	_ = s.Close()
	live := connect(t, addr, "live", mqtt.V311)
	live.subscribe("live", 0)

	p := &filling{peer: connect(t, addr, "p", mqtt.V5)}
	for refused := 0; refused < 20; {
		if p.offer() {
			refused = 0
		} else {
			refused++
		}
		if p.n > diskSize/len(p.payload()) {
			t.Fatal("the disk is never full")
		}
	}
	if b, err := os.ReadFile("/proc/self/mountinfo"); err != nil || !strings.Contains(string(b), dir) {
		t.Fatal("the broker was not on the disk", err)
	}
	t.Logf("%s: full after %d messages", kind, len(p.taken[1])+len(p.taken[2]))
	p.publish("live", []byte("x"), 0, 0)
	live.wantMessage("x")

	s = connect(t, addr, "s", mqtt.V311, persist)
	got := receiveAll(t, s, 60) // PUBREL comes when it is on the disk that PUBREC came: acknowledgements are written
	if p.offer() {              // the reserve is not for messages
		t.Error("a message was taken although the disk is full")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	until(t, "messages are taken again", func() bool { return p.offer() })
	rest := receiveAll(t, s, len(p.taken[1])+len(p.taken[2])-60)
	s.ping()
	for qos := 1; qos <= 2; qos++ {
		if diff := cmp.Diff(p.taken[qos], append(got[qos], rest[qos]...)); diff != "" {
			t.Errorf("QoS %d: delivered is not what was taken (-want +got):\n%.2000s", qos, diff)
		}
	}
	stop(t, n)

	_, addr = start(t, o)
	s = connect(t, addr, "s", mqtt.V311, persist)
	s.ping() // and nothing comes twice
}

func fillSpace(name string, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), 0, 0, size)
}

// filling is a publisher that notes what was taken, by QoS.
type filling struct {
	*peer
	n     int
	taken [3][]string
}

func (p *filling) payload() []byte { return fmt.Appendf(nil, "%06d%032000d", p.n, 0) }

// offer publishes one message, of QoS 1 and 2 in turns, to the end of its exchange, and reports whether it was taken.
func (p *filling) offer() bool {
	p.t.Helper()
	p.n++
	qos, payload := byte(1+p.n%2), p.payload()
	p.publish(fmt.Sprint("d/", qos), payload, qos, 1)
	typ := mqtt.TypePuback
	if qos == 2 {
		typ = mqtt.TypePubrec
	}
	if body := p.want(typ); len(body) > 2 && body[2] >= 0x80 {
		if body[2] != byte(mqtt.CodeQuotaExceeded) {
			p.t.Errorf("refused with %#x", body[2])
		}
		return false
	}
	p.taken[qos] = append(p.taken[qos], string(payload))
	if qos == 2 {
		p.send((&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: 1}).Append(nil, p.v))
		if id := binary.BigEndian.Uint16(p.want(mqtt.TypePubcomp)); id != 1 {
			p.t.Errorf("PUBCOMP %d", id)
		}
	}
	return true
}
