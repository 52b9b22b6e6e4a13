package eula

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
	"vernemq/packaging"
)

// RecordFile holds who accepted which text when, inside the root.
const RecordFile = hostfs.DataDir + "/eula-accepted"

// maxRecord is how many bytes of a record are looked at.
const maxRecord = 16 << 10

// Record is one acceptance.
type Record struct {
	Hash string    // of the text, see Hash
	Time time.Time // when; the zero time if that cannot be read
	User string    // who, as the system calls the person
	By   string    // how: a place in the configuration, or the answer to a question
}

// Hash identifies the shipped text: the SHA-256 of its words in hexadecimal. How the lines are broken does not matter.
func Hash() string { return hash(packaging.EULA) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	return hex.EncodeToString(sum[:])
}

// Load reads the record under root; nil without an error if there is none, or if what is there names no text.
func Load(root hostfs.Root) (*Record, error) {
	f, err := os.Open(root.Path(RecordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read who accepted the licence: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return nil, fmt.Errorf("read who accepted the licence: %w", err)
	}
	return parse(string(text)), nil
}

// parse reads a record; nil if it names no text. What it does not know it passes over.
func parse(text string) *Record {
	r := &Record{User: "an unknown user"}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		switch name {
		case "sha256":
			r.Hash = oneLine(value)
		case "time":
			if at, err := time.Parse(time.RFC3339, value); err == nil {
				r.Time = at
			}
		case "user":
			r.User = value
		case "by":
			r.By = value
		}
	}
	if r.Hash == "" {
		return nil
	}
	return r
}

// String returns the record as it stands in its file.
func (r *Record) String() string {
	return fmt.Sprintf("# Who accepted the terms of use, and which text that was. Without this file accept_eula in vernemq.conf decides alone.\n"+
		"sha256 = %s\ntime = %s\nuser = %s\nby = %s\n", oneLine(r.Hash), r.Time.UTC().Format(time.RFC3339), oneLine(r.User), oneLine(r.By))
}

// oneLine keeps a text from beginning further lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Save records that the shipped text is accepted now by the person who runs the program, replacing an older record. by says how. The file can be read
// by everybody; it belongs to whom the data directory belongs, so that the service can replace it.
func Save(root hostfs.Root, now time.Time, by string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("record that the licence is accepted: %w", err)
		}
	}()
	name := root.Path(RecordFile)
	if err := makeDir(root, filepath.Dir(name), 0o750); err != nil {
		return err
	}
	uid, gid := dirOwner(filepath.Dir(name))
	r := &Record{Hash: Hash(), Time: now, User: whoami(), By: by}
	return hostfs.WriteFile(name, []byte(r.String()), 0o644, uid, gid)
}

// whoami names the person who runs the program, through sudo too.
func whoami() string {
	name := fmt.Sprintf("user %d", os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	if behind := os.Getenv("SUDO_USER"); behind != "" && behind != name {
		name = behind + " as " + name
	}
	return name
}

// makeDir makes a host directory that the service can use: whatever root's umask is, it has mode perm, and it belongs to the service's account if
// that exists and the caller is root. A directory that is there stays as it is.
func makeDir(root hostfs.Root, dir string, perm fs.FileMode) error {
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, perm); err != nil {
		return err
	}
	if err := os.Chmod(dir, perm); err != nil {
		return err
	}
	if a, ok := source.Account(source.Host(root), service.User); ok && os.Geteuid() == 0 {
		return os.Chown(dir, a.UID, a.GIDs[0])
	}
	return nil
}

// dirOwner returns who shall own a file that root makes in dir: whoever owns dir. -1 means the caller.
func dirOwner(dir string) (uid, gid int) {
	if os.Geteuid() == 0 {
		if u, g, ok := hostfs.Owner(dir); ok {
			return u, g
		}
	}
	return -1, -1
}
