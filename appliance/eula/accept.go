package eula

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/source"
	"vernemq/packaging"
)

// Accept sets accept_eula = yes in vernemq.conf under root, atomically. Of the file only the value in the last accept_eula line changes; comments,
// order, line ends, owner and mode stay. A file without such a line gets one at its end; without a file the default one is written first, so that
// the service can read it whoever runs this.
func Accept(root hostfs.Root) error {
	name := root.Path(hostfs.MainConf)
	text, err := os.ReadFile(name)
	var uid, gid int
	perm := fs.FileMode(0o644)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := makeDir(root, filepath.Dir(name), 0o755); err != nil {
			return err
		}
		text = []byte(packaging.Conf)
		uid, gid = dirOwner(filepath.Dir(name))
	case err != nil:
		return err
	default:
		if perm, uid, gid, err = hostfs.Kept(name); err != nil {
			return err
		}
	}
	if err := hostfs.WriteFile(name, []byte(accept(string(text))), perm, uid, gid); err != nil {
		return fmt.Errorf("write %s: %w", hostfs.MainConf, err)
	}
	return nil
}

// accept returns text with the value of its last accept_eula line set to yes.
func accept(text string) string {
	assignments, _ := source.Parse(hostfs.MainConf, []byte(text))
	for i := len(assignments) - 1; i >= 0; i-- {
		a := &assignments[i]
		if a.Name() != key || strings.Contains(a.Value, "\n") {
			continue
		}
		lines := strings.SplitAfter(text, "\n")
		line := lines[a.ValuePos.Line-1]
		if a.ValuePos.Line == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // columns do not count a byte order mark
		}
		start := byteOffset(line, a.ValuePos.Col-1)
		end := byteOffset(line, a.ValuePos.Col-1+a.ValueWidth)
		bom := lines[a.ValuePos.Line-1][:len(lines[a.ValuePos.Line-1])-len(line)]
		lines[a.ValuePos.Line-1] = bom + line[:start] + accepted + line[end:]
		return strings.Join(lines, "")
	}
	eol := "\n"
	if strings.Contains(text, "\r\n") {
		eol = "\r\n"
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += eol
	}
	return text + key + " = " + accepted + eol
}

// byteOffset returns where the n-th character of line begins.
func byteOffset(line string, n int) int {
	off := 0
	for ; n > 0 && off < len(line); n-- {
		_, size := utf8.DecodeRuneInString(line[off:])
		off += size
	}
	return off
}
