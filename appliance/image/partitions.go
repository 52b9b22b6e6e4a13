package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Partitions finds and mounts the partitions of the disk that the running root lies on.
type Partitions interface {
	// With calls f with the host directory where the partition of that label is mounted. write asks for a mount that can be written; f's changes are on
	// the medium when With returns.
	With(label string, write bool, f func(dir string) error) error
	// Device returns the host path of a partition's device, and its size in bytes.
	Device(label string) (path string, size int64, err error)
	// Disk returns the host path of the disk itself.
	Disk() (string, error)
}

// errReadOnly is what a file system that cannot be written answers.
var errReadOnly error = unix.EROFS

// Mounted finds partitions by the labels in the partition table, through /sys, without the help of a device manager. Two disks with the same image do
// not confuse it: only the one that the root file system lies on counts.
type Mounted struct{}

// Disk implements Partitions.
func (Mounted) Disk() (string, error) {
	d, err := disk()
	return filepath.Join("/dev", filepath.Base(d)), err
}

// disk returns the directory of the disk in /sys.
func disk() (string, error) {
	var st unix.Stat_t
	if err := unix.Stat("/", &st); err != nil {
		return "", err
	}
	part, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	if err != nil {
		return "", fmt.Errorf("find the disk of the root: %w", err)
	}
	return filepath.Dir(part), nil
}

// Device implements Partitions.
func (Mounted) Device(label string) (path string, size int64, err error) {
	d, err := disk()
	if err != nil {
		return "", 0, err
	}
	parts, err := filepath.Glob(filepath.Join(d, "*", "uevent"))
	if err != nil {
		return "", 0, err
	}
	for _, uevent := range parts {
		text, err := os.ReadFile(uevent)
		if err != nil || !strings.Contains("\n"+string(text), "\nPARTNAME="+label+"\n") {
			continue
		}
		dir := filepath.Dir(uevent)
		blocks, err := os.ReadFile(filepath.Join(dir, "size"))
		if err != nil {
			return "", 0, err
		}
		if _, err := fmt.Sscan(string(blocks), &size); err != nil {
			return "", 0, fmt.Errorf("size of %s: %w", dir, err)
		}
		return filepath.Join("/dev", filepath.Base(dir)), size * 512, nil
	}
	return "", 0, fmt.Errorf("%s has no partition %s", filepath.Base(d), label)
}

// With implements Partitions. The mount is private to this process's caller only in that nobody else knows of it: it is gone when With returns.
func (m Mounted) With(label string, write bool, f func(dir string) error) (err error) {
	device, _, err := m.Device(label)
	if err != nil {
		return err
	}
	dir := filepath.Join(RunDir, "mnt-"+label)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	flags, options := uintptr(unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_NOATIME), "utf8,umask=0077,flush"
	if !write {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount(device, dir, "vfat", flags, options); err != nil {
		return fmt.Errorf("mount %s (%s): %w", label, device, err)
	}
	defer func() {
		if e := unix.Unmount(dir, 0); e != nil {
			err = errors.Join(err, fmt.Errorf("unmount %s: %w", label, e))
		}
	}()
	return f(dir)
}
