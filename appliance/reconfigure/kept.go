package reconfigure

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/source"
	"vernemq/broker/admin"
)

// keptFile holds what set --persist has given. It belongs to this package as a whole; other files of the directory are left alone.
const keptFile = hostfs.PersistDir + "/vmq-admin.conf"

const keptHead = "# Written by vmq-admin set --persist. Change it with that command, and with vmq-admin unset --persist.\n"

// keptMax bounds the file, in bytes.
const keptMax = 1 << 20

// kept is the content of the file.
type kept struct{ list []compile.Setting }

// readKept reads the file as it is now.
func (r *Reconfigurer) readKept() (k kept, err error) {
	data, err := r.Files.ReadFile(keptFile, keptMax)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("read %s: %w", keptFile, err)
	}
	assignments, findings := source.Parse(keptFile, data)
	if findings.Fatal(false) {
		return k, &admin.Error{Text: keptFile + " cannot be read; see vernemq chkconfig, and mend it or remove it"}
	}
	for _, a := range assignments {
		k.list = append(without(k.list, []string{a.Name()}), compile.Setting{Key: a.Name(), Value: a.Value})
	}
	return k, nil
}

// text is the file; nil: there is none.
func (k *kept) text() []byte {
	if len(k.list) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString(keptHead)
	for _, s := range k.list {
		value := strings.ReplaceAll(plan.Quote(s.Value), "$$(", "$(") // a reference stays one
		b.WriteString(s.Key + " = " + value + "\n")
	}
	return []byte(b.String())
}

// write replaces the file: a reader finds the old one or the new one. Only the broker's user reads it, there may be secrets.
func (k *kept) write(root hostfs.Root) error {
	name, text := root.Path(keptFile), k.text()
	dir := path.Dir(name)
	if text == nil {
		if err := os.Remove(name); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		return hostfs.SyncDir(dir)
	}
	uid, gid := -1, -1
	if err := os.Mkdir(dir, 0o750); err == nil || errors.Is(err, fs.ErrExist) {
		if err == nil {
			if err := hostfs.SyncDir(path.Dir(dir)); err != nil { // else a power cut takes the directory away again
				return err
			}
		}
		if u, g, ok := hostfs.Owner(root.Path(hostfs.DataDir)); ok && os.Geteuid() == 0 {
			uid, gid = u, g
			if err == nil {
				_ = os.Chown(dir, u, g) // it serves as it is, too
			}
		}
	} else {
		return err
	}
	return hostfs.WriteFile(name, text, 0o600, uid, gid)
}
