package compile

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

var update = flag.Bool("update", false, "rewrite golden files")

func loadSchema(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inode is what a test says about a file or directory.
type inode struct {
	mode     fs.FileMode
	uid, gid int
}

// modes is a file system in memory with modes and owners: 0640 root:vernemq for files, 0755 root:root for directories, unless said otherwise.
type modes struct {
	source.Texts
	inodes map[string]inode
	locked []string // files that may not be read
}

func (m modes) ReadFile(name string, limit int64) ([]byte, error) {
	if slices.Contains(m.locked, name) {
		return nil, fs.ErrPermission
	}
	return m.Texts.ReadFile(name, limit)
}

func (m modes) Mode(name string) (fs.FileMode, bool) {
	_, ok := m.Texts[name]
	return m.inode(name).Mode, ok
}

func (m modes) inode(name string) source.Node {
	n, ok := m.inodes[name]
	_, isFile := m.Texts[name]
	switch {
	case ok:
	case isFile:
		n = inode{0o640, 0, 130}
	default:
		n = inode{0o755, 0, 0}
	}
	if !isFile {
		n.mode |= fs.ModeDir
	}
	return source.Node{Name: name, Mode: n.mode, UID: n.uid, GID: n.gid}
}

func (m modes) Way(name string) (way []source.Node, ok bool) {
	if _, ok := m.Texts[name]; !ok {
		return nil, false
	}
	for at := name; ; at = path.Dir(at) {
		way = append([]source.Node{m.inode(at)}, way...)
		if at == "/" {
			return way, true
		}
	}
}

// runArchive compiles the files of a txtar. Its comment may have lines "env NAME=value", "container", "set key=value", "accept-eula",
// "forbidden FILE" (reading it is not permitted), "mode FILE MODE UID GID", "pki" (certificates and keys in /pki) and
// "host cores=N memory=MB group=MB files=N".
func runArchive(t *testing.T, ar *txtar.Archive) (*plan.Plan, *report.Report) {
	t.Helper()
	files := modes{Texts: source.Texts{}, inodes: map[string]inode{}}
	for _, f := range ar.Files {
		if strings.HasPrefix(f.Name, "/") {
			files.Texts[f.Name] = string(f.Data)
		}
	}
	in := Input{Schema: loadSchema(t), Compiler: "vernemq test", Now: testNow}
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "env":
			in.Environ = append(in.Environ, rest)
		case "container":
			in.Container = true
		case "set":
			in.Set = append(in.Set, rest)
		case "accept-eula":
			in.AcceptEULA = true
		case "mode":
			var name string
			var n inode
			if _, err := fmt.Sscanf(rest, "%s %o %d %d", &name, &n.mode, &n.uid, &n.gid); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			files.inodes[name] = n
		case "pki":
			for name, text := range pki(t) {
				files.Texts["/pki/"+name] = text
			}
		case "host":
			if _, err := fmt.Sscanf(rest, "cores=%d memory=%d group=%d files=%d", &in.Host.Cores, &in.Host.MemoryTotal, &in.Host.MemoryLimit, &in.Host.NoFile); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			in.Host.MemoryTotal <<= 20
			in.Host.MemoryLimit <<= 20
		case "forbidden":
			files.locked = append(files.locked, rest)
		case "", "#":
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	in.FS = files
	return Compile(in)
}

// effective returns what is not a default, and all of the listeners that are live.
func effective(t *testing.T, p *plan.Plan) string {
	var all strings.Builder
	if err := p.WriteEffective(&all, true); err != nil {
		t.Fatal(err)
	}
	var live []string
	for _, l := range p.Listeners {
		if l.Live() {
			live = append(live, l.Address.Name)
		}
	}
	var out strings.Builder
	for line := range strings.Lines(all.String()) {
		from := strings.TrimRight(line, "\n")
		if i := strings.LastIndex(from, " ["); i >= 0 && strings.HasSuffix(from, "]") {
			from = from[:i]
		}
		from = strings.TrimSuffix(from, ", auto (the host tells too little)")
		unset := strings.HasSuffix(from, "# default") || strings.HasSuffix(from, ", default")
		if !unset ||
			slices.ContainsFunc(live, func(name string) bool { return strings.HasPrefix(line, name+".") }) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// checkHistory compares "want.history": keys at the beginning of a line, and indented below each of them its assignments, the one that counts
// least first.
func checkHistory(t *testing.T, ar *txtar.Archive, p *plan.Plan) {
	t.Helper()
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want.history" })
	if i < 0 {
		return
	}
	var got strings.Builder
	for line := range strings.Lines(string(ar.Files[i].Data)) {
		if name := strings.TrimRight(line, "\n"); name != "" && name[0] != ' ' {
			got.WriteString(name + "\n")
			for _, s := range p.History(name) {
				got.WriteString(describe(&s))
			}
		}
	}
	if *update {
		ar.Files[i].Data = []byte(got.String())
	} else if diff := cmp.Diff(string(ar.Files[i].Data), got.String()); diff != "" {
		t.Errorf("want.history (-want +got):\n%s", diff)
	}
}

func describe(s *plan.Step) string {
	place := "default"
	if s.Layer != plan.Default {
		place = s.Layer.String() + " " + s.Pos.String()
	}
	text := "    " + place + ": " + s.Name + " = " + s.Text
	if s.Value != s.Text {
		text += " (" + s.Value + ")"
	}
	if s.Auto != nil {
		text += " [" + s.Auto.Rule + "; " + s.Auto.Reading + "]"
	}
	if s.Won {
		return text + " WINS\n"
	}
	text += ": " + s.Why
	if s.By.Known() {
		text += " (" + s.By.String() + ")"
	}
	return text + "\n"
}

// Each txtar holds files, then the exact report ("want.report", absent if there are no findings) and what differs from the defaults
// ("want.effective", compared only where it stands).
func runTxtar(t *testing.T, name string) *report.Report {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, r := runArchive(t, ar)
	var text strings.Builder
	if err := r.WriteText(&text, report.Note); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, ar, p)
	got := map[string]string{"want.report": text.String(), "want.effective": effective(t, p)}
	for want, text := range got {
		i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == want })
		switch {
		case *update && i >= 0:
			ar.Files[i].Data = []byte(text)
		case *update && text != "" && want == "want.report":
			ar.Files = append(ar.Files, txtar.File{Name: want, Data: []byte(text)})
		case i >= 0:
			if diff := cmp.Diff(string(ar.Files[i].Data), text); diff != "" {
				t.Errorf("%s (-want +got):\n%s", want, diff)
			}
		case want == "want.report" && text != "":
			t.Errorf("findings where none are expected:\n%s", text)
		}
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestCompile(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.txtar")
	more, _ := filepath.Glob("testdata/substitution/*.txtar")
	names = append(names, more...)
	if len(names) == 0 {
		t.Fatal("no test files")
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { runTxtar(t, name) })
	}
}

// Files as VerneMQ shipped them, samples in the style of its documentation and container environments: all compile, and the report is the one
// that is written down.
func TestCorpus(t *testing.T) {
	names, _ := filepath.Glob("testdata/corpus/*.txtar")
	if len(names) < 12 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			if r := runTxtar(t, name); r.Fatal(false) {
				t.Errorf("%d errors", r.Count(report.Error))
			}
		})
	}
}

// Every rule has a file with the bad configuration and the exact report, and the report comes from that rule.
func TestChecks(t *testing.T) {
	for _, tested := range checks {
		t.Run(tested.name, func(t *testing.T) {
			name := filepath.Join("testdata", "checks", tested.name+".txtar")
			with := len(runTxtar(t, name).Entries)
			old := checks
			checks = slices.DeleteFunc(slices.Clone(checks), func(other rule) bool { return other.name == tested.name })
			defer func() { checks = old }()
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, r := runArchive(t, ar); len(r.Entries) >= with {
				t.Errorf("without the rule there are %d findings, with it %d", len(r.Entries), with)
			}
		})
	}
	files, _ := filepath.Glob("testdata/checks/*.txtar")
	if len(files) != len(checks) {
		t.Errorf("%d files for %d rules", len(files), len(checks))
	}
}

// A configuration with ten mistakes in three files gives ten findings at the right places.
func TestTenMistakes(t *testing.T) {
	if r := runTxtar(t, "testdata/ten_mistakes.txtar"); r.Count(report.Error) != 10 || len(r.Entries) != 10 {
		t.Errorf("%d findings, %d of them errors; want 10", len(r.Entries), r.Count(report.Error))
	}
}
