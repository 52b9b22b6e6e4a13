package hostfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Kept returns the mode and the owner to give to WriteFile so that the file at the host path name keeps its own; uid is negative if that is who
// writes.
func Kept(name string) (perm fs.FileMode, uid, gid int, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, -1, -1, err
	}
	if u, g, ok := Owner(name); ok && (u != os.Geteuid() || g != os.Getegid()) {
		return info.Mode().Perm(), u, g, nil
	}
	return info.Mode().Perm(), -1, -1, nil
}

// WritePrivate is WriteFile for a file that is not for everybody, such as one of passwords. Owner and mode are kept. A new file is readable for
// its owner alone; one that root makes in a directory of a group, as EtcDir is the broker's, is readable for that group, too.
func WritePrivate(name string, data []byte) error {
	perm, uid, gid, err := Kept(name)
	if err != nil {
		perm = 0o600
		if u, g, ok := Owner(filepath.Dir(name)); ok && os.Geteuid() == 0 && (u != 0 || g != 0) {
			perm, uid, gid = 0o640, 0, g
		}
	}
	return WriteFile(name, data, perm, uid, gid)
}

// Lock makes those wait who lock the directory of the host path name as well, until unlock is called: for a file that is read, changed and
// written back, which WriteFile replaces by another one.
func Lock(name string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", dir.Name(), err)
	}
	return func() { dir.Close() }, nil
}
