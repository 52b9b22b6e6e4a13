// Package eula is the gate in front of every start: without accept_eula = yes nothing runs. It shows the text, says how to accept it, and
// writes the acceptance into vernemq.conf. It refuses to know who asks and what starts afterwards.
package eula

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/source"
	"vernemq/packaging"
)

// ExitStatus is the exit status of a start without an accepted licence: EX_CONFIG of sysexits.h, so that a service manager does not try again.
const ExitStatus = 78

const (
	key      = "accept_eula"
	accepted = "yes"
)

// Accepted reports whether the compiled configuration accepts the licence, and where the value came from.
func Accepted(p *plan.Plan) (ok bool, from plan.Origin) {
	v, _ := p.Get(key)
	return v.Value == accepted, v.Origin
}

// Refusal is what a start without acceptance prints, ending in a line end.
func Refusal() string {
	return `The licence is not accepted, so nothing is started.
  read it:    ` + hostfs.EULAText + ` (or: vernemq chkconfig)
  accept it:  run "vernemq chkconfig" on a terminal and answer yes,
              or set "accept_eula = yes" in ` + hostfs.MainConf + `,
              or ACCEPT_EULA=yes in ` + hostfs.Defaults + `;
              a container takes DOCKER_VERNEMQ_ACCEPT_EULA=yes
Product license not accepted. Stopping.
`
}

// Ask shows the text on out and reads the answer from in. Only yes, or y, in any letter case accepts; the end of the input does not.
func Ask(in io.Reader, out io.Writer) (bool, error) {
	if _, err := fmt.Fprintf(out, "%s\nDo you accept these terms? [yes/no] ", packaging.EULA); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "yes" || answer == "y", nil
}

// Accept sets accept_eula = yes in vernemq.conf under root, atomically. Of the file only the value in the last accept_eula line changes; comments,
// order, line ends, owner and mode stay. A file without such a line gets one at its end; without a file the default one is written first.
func Accept(root hostfs.Root) error {
	name := root.Path(hostfs.MainConf)
	text, err := os.ReadFile(name)
	perm, uid, gid := fs.FileMode(0o644), -1, -1
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		text = []byte(packaging.Conf)
	case err != nil:
		return err
	default:
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		perm = info.Mode().Perm()
		if u, g, ok := hostfs.Owner(name); ok && (u != os.Geteuid() || g != os.Getegid()) {
			uid, gid = u, g
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
