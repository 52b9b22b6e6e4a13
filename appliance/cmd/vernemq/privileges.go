package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
)

// stay is the word of --user for no change.
const stay = "root"

// account returns who the broker is to run as; ok is false if it stays who the caller is. Root becomes the service's user, unless --user or a root of its own
// says otherwise.
func (p *program) account(user string) (u source.User, ok bool, err error) {
	accounts := source.Host(hostfs.New(""))
	switch {
	case user == "" && (os.Geteuid() != 0 || p.root.Dir() != "/"):
		return u, false, nil
	case user == "":
		if u, ok = source.Account(accounts, service.User); !ok {
			fmt.Fprintf(p.stderr, "warning: there is no user %s, so the broker runs as root; make one, or name another with --user\n", service.User)
		}
		return u, ok, nil
	case user == stay && os.Geteuid() == 0:
		return u, false, nil
	}
	if u, ok = source.Account(accounts, user); !ok {
		return u, false, fmt.Errorf("--user: there is no user %s in /etc/passwd", user)
	}
	if u.UID == os.Geteuid() {
		return u, false, nil
	}
	if os.Geteuid() != 0 {
		return u, false, fmt.Errorf("--user %s: only root can start the broker as somebody else", user)
	}
	return u, true, nil
}

// become gives up root for good and begins the program anew as u, with the same arguments and process id. All it keeps is the right to listen on ports below
// 1024, where the kernel lets it. It returns only if that is not possible.
func (p *program) become(u source.User, args []string) error {
	if err := p.handOver(u); err != nil {
		return err
	}
	// Credentials and capabilities belong to threads; what counts is those of the one that calls exec.
	runtime.LockOSThread()
	keeps := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0) == nil
	if err := setIDs(u.UID, u.GIDs); err != nil {
		return fmt.Errorf("become user %s: %w", u.Name, err)
	}
	if keeps {
		keepLowPorts()
	}
	argv := []string{"vernemq"}
	if p.root.Dir() != "/" {
		argv = append(argv, "--root", p.root.Dir())
	}
	argv = append(append(argv, "foreground"), args...)
	err := syscall.Exec("/proc/self/exe", argv, os.Environ())
	return fmt.Errorf("begin anew as user %s: %w", u.Name, err)
}

// setIDs gives up root for good: the first of gids is the group.
func setIDs(uid int, gids []int) error {
	if err := syscall.Setgroups(gids); err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	if err := syscall.Setgid(gids[0]); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	return syscall.Setuid(uid)
}

// keepLowPorts keeps CAP_NET_BIND_SERVICE of all capabilities, beyond exec. Without it those ports are refused, and the error says so.
func keepLowPorts() {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	const bit = 1 << unix.CAP_NET_BIND_SERVICE
	data := [2]unix.CapUserData{{Effective: bit, Permitted: bit, Inheritable: bit}}
	if unix.Capset(&head, &data[0]) == nil {
		_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_BIND_SERVICE, 0, 0)
		return
	}
	none := [2]unix.CapUserData{}
	_ = unix.Capset(&head, &none[0])
}

// handOver makes the broker's directories and gives those of root to u, never what is in them: that may be much, and somebody's. Files that a broker of
// root has left behind and u could not replace are removed, or named.
func (p *program) handOver(u source.User) error {
	for _, dir := range []string{hostfs.DataDir, hostfs.LogDir, hostfs.RunDir} {
		host := p.root.Path(dir)
		if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(host, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		uid, _, ok := hostfs.Owner(host)
		if info, err := os.Lstat(host); !ok || uid != 0 || err != nil || !info.IsDir() {
			continue
		}
		if err := os.Lchown(host, u.UID, u.GIDs[0]); err != nil {
			return err
		}
	}
	pidFile := p.root.Path(hostfs.PIDFile)
	if pid, _, err := runningPID(pidFile); err == nil && pid == 0 {
		for _, stale := range []string{pidFile, p.root.Path(hostfs.AdminSocket)} {
			if err := os.Remove(stale); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	var foreign []string
	for _, dir := range []string{hostfs.DataDir + "/store", hostfs.CompiledDir, hostfs.PersistDir} {
		if uid, _, ok := hostfs.Owner(p.root.Path(dir)); ok && uid == 0 {
			foreign = append(foreign, filepath.Base(dir))
		}
	}
	if foreign != nil {
		dir := p.root.Path(hostfs.DataDir)
		return fmt.Errorf("%s of %s belongs to root: chown -R %s: %s, or go on as root with --user %s", strings.Join(foreign, ", "), dir, u.Name, dir, stay)
	}
	return nil
}
