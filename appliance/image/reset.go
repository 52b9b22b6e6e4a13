package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vernemq/appliance/hostfs"
)

// A factory reset empties the data partition: sessions, retained messages, settings made at run time, the last good configuration, logs, keys. The
// configuration partition stays, it is the operator's. It is asked for by a file on the configuration partition, which is renamed when it is done, or
// by a file on the data partition, which goes with the rest.
//
// A partition that cannot be written must not cause a reset at every boot. So the request that was fulfilled is remembered by its content and time.

// resetRequest returns what identifies the request for a reset; empty if there is none.
func resetRequest(root hostfs.Root, config string) (request string, err error) {
	if _, err := os.Lstat(root.Path(resetFile)); err == nil {
		return "command", nil
	}
	if config == "" {
		return "", nil
	}
	info, err := os.Stat(filepath.Join(config, confReset))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", info.Size(), info.ModTime().Unix()))
	request = hex.EncodeToString(sum[:])
	if done, err := os.ReadFile(root.Path(resetDone)); err == nil && strings.TrimSpace(string(done)) == request {
		return "", nil
	}
	return request, nil
}

// takeOff renames the request on the configuration partition mounted at dir, if there is one.
func takeOff(dir string) error {
	file := filepath.Join(dir, confReset)
	if err := os.Rename(file, file+".done"); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// empty empties the data partition, and remembers the request. /data/var is mounted elsewhere too, so directories at the top stay and are emptied.
func empty(root hostfs.Root, request string) error {
	top, err := os.ReadDir(root.Path(dataDir))
	if err != nil {
		return err
	}
	for _, entry := range top {
		name := filepath.Join(root.Path(dataDir), entry.Name())
		if !entry.IsDir() {
			if entry.Name() != filepath.Base(resetFile) { // last: a reset that is cut off begins anew
				err = errors.Join(err, os.Remove(name))
			}
			continue
		}
		inside, readErr := os.ReadDir(name)
		err = errors.Join(err, readErr)
		for _, e := range inside {
			err = errors.Join(err, os.RemoveAll(filepath.Join(name, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	if err := hostfs.WriteFile(root.Path(resetDone), []byte(request+"\n"), 0o600, -1, -1); err != nil {
		return err
	}
	if err := os.Remove(root.Path(resetFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return hostfs.SyncDir(root.Path(dataDir))
}

// RequestReset asks for a factory reset at the next boot.
func (s *System) RequestReset() error { return put(s.Root, resetFile, nil, 0o600, 0) }
