package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"vernemq/appliance/hostfs"
)

// The bounds of what is taken from the configuration partition.
const (
	maxBundle = 8 << 20 // bytes of all files
	maxFiles  = 500
)

// bundle is the configuration of an appliance: the files of its configuration partition that matter, by name.
type bundle map[string][]byte

// plain are the files at the top of the partition that belong to the configuration; conf.d/*.conf and certificates/* do too.
var plain = []string{confMain, confHostname, confNetwork, confKeys, "vmq.passwd", "vmq.acl"}

// readBundle reads the configuration partition mounted at dir.
func readBundle(dir string) (bundle, error) {
	out, left := bundle{}, int64(maxBundle)
	take := func(name string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return errors.Join(err, fmt.Errorf("%s is not a file", name))
		}
		data, err := io.ReadAll(io.LimitReader(f, left+1))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if left -= int64(len(data)); left < 0 || len(out) >= maxFiles {
			return fmt.Errorf("the configuration has more than %d MB or %d files", maxBundle>>20, maxFiles)
		}
		out[name] = data
		return nil
	}
	for _, name := range plain {
		if err := take(name); err != nil {
			return nil, err
		}
	}
	for _, sub := range []string{confDir, confCerts} {
		list, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, f := range list {
			// Editors of other systems leave hidden files.
			if f.IsDir() || strings.HasPrefix(f.Name(), ".") || sub == confDir && path.Ext(f.Name()) != ".conf" {
				continue
			}
			if err := take(path.Join(sub, f.Name())); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// place lays the bundle over /etc, so that the compiler and the broker find it, in place of any other. Files that may hold secrets are readable by
// root and the group gid alone.
func (b bundle) place(root hostfs.Root, gid int) error {
	for _, dir := range []string{hostfs.ImageDir, certDir, sshHome} {
		if err := os.RemoveAll(root.Path(dir)); err != nil {
			return err
		}
	}
	for _, name := range []string{hostfs.EtcDir + "/vmq.passwd", hostfs.EtcDir + "/vmq.acl", networkFile, ntpFile} {
		if err := os.Remove(root.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for name, data := range b {
		var err error
		switch {
		case name == confMain || path.Dir(name) == confDir:
			err = put(root, path.Join(hostfs.ImageDir, name), data, 0o640, gid)
		case path.Dir(name) == confCerts:
			err = put(root, path.Join(certDir, path.Base(name)), data, 0o640, gid)
		case name == confHostname:
			err = put(root, "/etc/hostname", append([]byte(hostname(data)), '\n'), 0o644, 0)
		case name == confNetwork:
			err = placeNetwork(root, data)
		case name == confKeys:
			err = put(root, sshHome+"/.ssh/"+confKeys, data, 0o600, 0)
		default:
			err = put(root, path.Join(hostfs.EtcDir, name), data, 0o640, gid)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func placeNetwork(root hostfs.Root, data []byte) error {
	n, _ := parseNetwork(data)
	if err := put(root, networkFile, []byte(n.unit()), 0o644, 0); err != nil || n.ntp == "" {
		return err
	}
	return put(root, ntpFile, []byte("[Time]\nNTP="+n.ntp+"\n"), 0o644, 0)
}

// hostname returns the name in a file hostname.
func hostname(data []byte) string { return strings.ToLower(strings.TrimSpace(string(data))) }

// put writes a file below the root, with its directories. Ownership is for root to give.
func put(root hostfs.Root, name string, data []byte, perm fs.FileMode, gid int) error {
	host, uid := root.Path(name), 0
	dir := filepath.Dir(host)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		uid, gid = -1, -1
	}
	return hostfs.WriteFile(host, data, perm, uid, gid)
}

// keep remembers a bundle as the last good one.
func (b bundle) keep(root hostfs.Root) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return put(root, lastGood, text, 0o600, 0)
}

// kept returns the last good bundle; nil if there is none, or it cannot be read.
func kept(root hostfs.Root) bundle {
	text, err := os.ReadFile(root.Path(lastGood))
	if err != nil {
		return nil
	}
	var b bundle
	if json.Unmarshal(text, &b) != nil {
		return nil
	}
	return b
}
