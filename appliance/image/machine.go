package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const brokerUnit = "vernemq.service"

// Machine is the machine the program runs on, with systemd as its service manager.
type Machine struct{}

// Hostname implements Host.
func (Machine) Hostname(name string) error { return unix.Sethostname([]byte(name)) }

// Reboot implements Host. It returns when the restart is on its way.
func (Machine) Reboot() error { return run("systemctl", "--no-block", "reboot") }

// BrokerActive implements Host.
func (Machine) BrokerActive(ctx context.Context) (active bool, state string) {
	out, _ := exec.CommandContext(ctx, "systemctl", "is-active", brokerUnit).Output() // its status says the same
	state = strings.TrimSpace(string(out))
	return state == "active", state
}

// RoundTrip implements Host.
func (Machine) RoundTrip(ctx context.Context) error { return RoundTrip(ctx, HealthSock) }

// MakeData implements Host.
func (Machine) MakeData(device string) error {
	return run("mke2fs", "-q", "-F", "-t", "ext4", "-L", PartData, "-b", "4096", "-J", "size=8", "-m", "1", device)
}

// Pause implements Host.
func (Machine) Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Grow makes the data partition of a disk, and the file system on it, as large as they can be. Nothing changes if they are.
func Grow(parts Partitions, definitions string) error {
	disk, err := parts.Disk()
	if err != nil {
		return err
	}
	if err := run("systemd-repart", "--dry-run=no", "--definitions="+definitions, disk); err != nil {
		return err
	}
	return run("/usr/lib/systemd/systemd-growfs", dataDir)
}

// run runs a program; what it printed is in the error.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Cmdline returns the kernel's command line.
func Cmdline() (string, error) {
	text, err := os.ReadFile("/proc/cmdline")
	return string(text), err
}
