package plan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vernemq/appliance/hostfs"
)

const (
	keep       = 3              // compiled files that stay, the current one included
	current    = "current.toml" // symlink to the newest
	filePrefix = "vernemq."
	fileSuffix = ".toml"
	stamp      = "2006.01.02.15.04.05"
)

// CurrentFile is the compiled file the broker loads, inside the root.
const CurrentFile = hostfs.CompiledDir + "/" + current

// Save writes the compiled file vernemq.<now>.toml into the directory of compiled files under root, points current.toml to it and removes all
// but the last three. A reader finds the old state or the new one, also after a power cut. The files are readable by their owner only; if the
// caller is root, the owner is that of the data directory. The name inside the root is returned.
func (p *Plan) Save(root hostfs.Root, now time.Time) (name string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the compiled configuration: %w", err)
		}
	}()
	var text bytes.Buffer
	if err := p.WriteTOML(&text); err != nil {
		return "", err
	}
	uid, gid, err := makeDirs(root)
	if err != nil {
		return "", err
	}
	dir := root.Path(hostfs.CompiledDir)
	existing, err := compiled(dir)
	if err != nil {
		return "", err
	}
	second := filePrefix + now.UTC().Format(stamp)
	name = second + fileSuffix
	for _, old := range existing { // several within one second: after the youngest
		if base, n := age(old); base == second {
			name = fmt.Sprintf("%s-%d%s", second, n+1, fileSuffix)
		}
	}
	if err := hostfs.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o600, uid, gid); err != nil {
		return "", err
	}
	before, _ := os.Readlink(filepath.Join(dir, current))
	if err := link(dir, name); err != nil {
		return "", err
	}
	prune(dir, existing, before)
	return path.Join(hostfs.CompiledDir, name), nil
}

// makeDirs creates the data directory and the one of compiled files, and returns who shall own what is written; -1 means the caller.
func makeDirs(root hostfs.Root) (uid, gid int, err error) {
	data, dir := root.Path(hostfs.DataDir), root.Path(hostfs.CompiledDir)
	if err := os.MkdirAll(data, 0o750); err != nil {
		return 0, 0, err
	}
	uid, gid = -1, -1
	if os.Geteuid() == 0 {
		if u, g, ok := hostfs.Owner(data); ok && u != 0 {
			uid, gid = u, g
		}
	}
	err = os.Mkdir(dir, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return uid, gid, nil
	}
	if err == nil && uid >= 0 {
		err = os.Chown(dir, uid, gid)
	}
	return uid, gid, err
}

// age takes the name of a compiled file apart: the second it was made in, and how many were made before in this second.
func age(name string) (base string, n int) {
	base = strings.TrimSuffix(name, fileSuffix)
	if second, number, ok := strings.Cut(base, "-"); ok {
		if n, err := strconv.Atoi(number); err == nil && n > 0 {
			return second, n
		}
	}
	return base, 0
}

// compiled lists the compiled files in dir, oldest name first.
func compiled(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, filePrefix) && strings.HasSuffix(n, fileSuffix) && e.Type().IsRegular() {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		baseA, nA := age(a)
		baseB, nB := age(b)
		return cmp.Or(strings.Compare(baseA, baseB), cmp.Compare(nA, nB))
	})
	return names, nil
}

// link points current.toml to name.
func link(dir, name string) error {
	temp := filepath.Join(dir, "."+current)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(name, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, current)); err != nil {
		return err
	}
	return hostfs.SyncDir(dir)
}

// prune removes old files so that with the new one at most keep remain. The one that was current before stays whatever its name says: clocks
// jump backwards. What cannot be removed stays; that is no reason not to start.
func prune(dir string, old []string, before string) {
	if i := slices.Index(old, before); i >= 0 {
		old = append(slices.Delete(slices.Clone(old), i, i+1), before)
	}
	for _, name := range old[:max(len(old)-(keep-1), 0)] {
		_ = os.Remove(filepath.Join(dir, name))
	}
}
