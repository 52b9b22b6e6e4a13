package source

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
)

var update = flag.Bool("update", false, "rewrite golden files")

const mainFile = "/etc/vernemq/vernemq.conf"

// dump writes what was read in a form a person can check: place, key, value, place of the value.
func dump(as []Assignment, r *report.Report) string {
	var b strings.Builder
	for _, a := range as {
		fmt.Fprintf(&b, "%s+%d %s = %q @%d:%d+%d", a.KeyPos, a.KeyWidth, a.Name(), a.Value, a.ValuePos.Line, a.ValuePos.Col, a.ValueWidth)
		for _, p := range a.KeyPos.Chain {
			b.WriteString(" < " + p.String())
		}
		b.WriteByte('\n')
	}
	if len(r.Entries) > 0 {
		b.WriteString("--\n")
	}
	if err := r.WriteText(&b, report.Note); err != nil {
		panic(err)
	}
	return b.String()
}

// Each testdata/*.txtar holds files by absolute name and, as "want", what reading /etc/vernemq/vernemq.conf gives. In the files <SP>, <TAB>,
// <CR>, <BOM>, <BAD> and <NUL> stand for characters that editors hide or destroy.
func TestRead(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no test files", err)
	}
	special := strings.NewReplacer("<SP>", " ", "<TAB>", "\t", "<CR>", "\r", "<BOM>", "\ufeff", "<BAD>", "\xe4", "<NUL>", "\x00", "<NOEOL>\n", "")
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := Texts{}, -1
			for i, f := range ar.Files {
				if f.Name == "want" {
					want = i
				} else {
					files[f.Name] = special.Replace(string(f.Data))
				}
			}
			got := dump(Read(files, mainFile))
			if *update {
				if want < 0 {
					ar.Files, want = append(ar.Files, txtar.File{Name: "want"}), len(ar.Files)
				}
				ar.Files[want].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want < 0 {
				t.Fatal("the file has no want section; run with -update")
			}
			if diff := cmp.Diff(string(ar.Files[want].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"a = on", "on"}, {"a=on", "on"}, {" \ta\t=\ton \t", "on"}, {"a = one two", "one two"}, {"a = b # c", "b"}, {"a = b#c", "b"},
		{"a = 'b # c' # d", "b # c"}, {"a = ''", ""}, {"a = it's", "it's"}, {`a = "b"`, `"b"`}, {"a = '''it's'''", "it's"}, {"a = ''''''", ""},
		{"a = '''\nx\n\ny\n'''", "x\n\ny"}, {"a = $D0", "$D0"}, {"a = ${HOME} $HOME", "${HOME} $HOME"}, {"a = b = c", "b = c"}, {"a = größe", "größe"},
		{"a = '\t'", "\t"}, {"a = b\r\n", "b"}, {`a = \n`, `\n`}, {"include = x", "x"}, {"include\t= x", "x"},
	} {
		as, r := Parse("f", []byte(c.line))
		if len(as) != 1 || r.Fatal(false) {
			t.Errorf("%q: %s", c.line, dump(as, r))
		} else if as[0].Value != c.want {
			t.Errorf("%q: value %q, want %q", c.line, as[0].Value, c.want)
		}
	}
}

func TestSplitKey(t *testing.T) {
	for key, want := range map[string][]string{
		"a": {"a"}, "a.b-c.D_1": {"a", "b-c", "D_1"}, `a\.b.c`: {"a.b", "c"}, "": nil, "a.": nil, ".a": nil, "a..b": nil, "a b": nil, `a\b`: nil, "a=": nil,
	} {
		words, ok := SplitKey(key)
		if ok != (want != nil) || ok && !cmp.Equal(words, want) {
			t.Errorf("SplitKey(%q) = %q, %v; want %q", key, words, ok, want)
		}
		if ok && JoinKey(words) != key {
			t.Errorf("JoinKey(%q) = %q, want %q", words, JoinKey(words), key)
		}
	}
}

// The bounds: each must end the work with a message, not with exhausted memory.
func TestBounds(t *testing.T) {
	deep := Texts{}
	for i := range maxDepth + 5 {
		name := mainFile
		if i > 0 {
			name = fmt.Sprintf("/etc/vernemq/%d.conf", i)
		}
		deep[name] = fmt.Sprintf("include %d.conf\n", i+1)
	}
	wide := Texts{mainFile: strings.Repeat("include a.conf\n", maxFiles+10), "/etc/vernemq/a.conf": "k = v\n"}
	bomb := Texts{mainFile: strings.Repeat("include 1.conf\n", 10)} // 10 to the power of the depth
	for i := 1; i < maxDepth; i++ {
		bomb[fmt.Sprintf("/etc/vernemq/%d.conf", i)] = strings.Repeat(fmt.Sprintf("include %d.conf\n", i+1), 10)
	}
	big := strings.Repeat("# "+strings.Repeat("x", 1000)+"\n", 4000)
	for name, c := range map[string]struct {
		files Texts
		want  string
	}{
		"depth":      {deep, "nested more than"},
		"files":      {wide, "more than 1000 files"},
		"bomb":       {bomb, "more than 500 findings"},
		"file size":  {Texts{mainFile: big + big}, "too large"},
		"total size": {Texts{mainFile: strings.Repeat("include b.conf\n", 9), "/etc/vernemq/b.conf": big}, "all files together"},
		"line":       {Texts{mainFile: "a = " + strings.Repeat("x", maxLine)}, "line of more than"},
		"value":      {Texts{mainFile: "a = '''" + strings.Repeat("x\n", maxLine) + "'''"}, "value of more than"},
		"errors":     {Texts{mainFile: strings.Repeat("?\n", 1000)}, "more than 100 mistakes"},
		"long lines": {Texts{mainFile: strings.Repeat(strings.Repeat("x", maxLine+1)+"\n", 60)}, "line of more than"},
	} {
		_, r := Read(c.files, mainFile)
		if len(r.Entries) > maxFindings+1 {
			t.Errorf("%s: %d findings", name, len(r.Entries))
		}
		if text := dump(nil, r); !r.Fatal(false) || !strings.Contains(text, c.want) {
			t.Errorf("%s: no error with %q: %.500s", name, c.want, text)
		}
	}
}

func TestHost(t *testing.T) {
	dir := t.TempDir()
	root := hostfs.New(dir)
	for name, text := range map[string]string{
		mainFile: "include conf.d/*.conf\ninclude /opt/x.conf\n", "/etc/vernemq/conf.d/b.conf": "b = 2\n",
		"/etc/vernemq/conf.d/a.conf": "a = 1\n", "/etc/vernemq/conf.d/a.conf~": "?", "/etc/vernemq/conf.d/.#a.conf": "?", "/opt/x.conf": "x = 3\n",
	} {
		if err := os.MkdirAll(filepath.Dir(root.Path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root.Path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(root.Path("/etc/vernemq/conf.d/dir.conf"), 0o755); err != nil {
		t.Fatal(err)
	}
	as, r := Read(Host(root), mainFile)
	var got []string
	for _, a := range as {
		got = append(got, a.KeyPos.File+" "+a.Name())
	}
	want := []string{"/etc/vernemq/conf.d/a.conf a", "/etc/vernemq/conf.d/b.conf b", "/opt/x.conf x"}
	if diff := cmp.Diff(want, got); diff != "" || len(r.Entries) != 0 {
		t.Errorf("(-want +got):\n%s\n%s", diff, dump(nil, r))
	}
	_, r = Read(Host(root), "/etc/vernemq")
	if text := dump(nil, r); !strings.Contains(text, "not a regular file") || strings.Contains(text, dir) {
		t.Errorf("a directory as file: %s", text)
	}
	if mode, ok := Mode(Host(root), mainFile); !ok || mode.Perm() != 0o644 {
		t.Errorf("mode %v %v", mode, ok)
	}
}

// The embedded texts show through only where the host has nothing, and a failing host is not covered up.
func TestFallback(t *testing.T) {
	lower := Texts{mainFile: "include conf.d/*.conf\n", "/etc/vernemq/conf.d/a.conf": "a = lower\n"}
	as, _ := Read(Fallback(Texts{}, lower), mainFile)
	if len(as) != 1 || as[0].Value != "lower" {
		t.Errorf("nothing above: %v", as)
	}
	as, _ = Read(Fallback(Texts{"/etc/vernemq/conf.d/b.conf": "b = upper\n"}, lower), mainFile)
	if len(as) != 1 || as[0].Value != "upper" {
		t.Errorf("a directory above: %v", as)
	}
	_, r := Read(Fallback(denied{}, lower), mainFile)
	if text := dump(nil, r); !strings.Contains(text, "no permission to read "+mainFile) {
		t.Errorf("denied: %s", text)
	}
}

type denied struct{}

func (denied) ReadFile(string, int64) ([]byte, error) { return nil, fs.ErrPermission }
func (denied) List(string) ([]string, error)          { return nil, errors.New("input/output error") }

func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		if ar, err := txtar.ParseFile(name); err == nil {
			for _, file := range ar.Files {
				f.Add(string(file.Data), "k = v\n")
			}
		}
	}
	f.Add("include *\ninclude b", "include a*\ninclude /etc/vernemq/vernemq.conf")
	f.Add("a = '''\n\xff\n''' b\n\u0085c='''", "\xff\xfea")
	f.Fuzz(func(t *testing.T, main, other string) {
		files := Texts{mainFile: main, "/etc/vernemq/b": other, "/etc/vernemq/conf.d/a.conf": other}
		as, r := Read(files, mainFile)
		check := func(p report.Pos, width int) {
			if p.Line == 0 {
				return
			}
			text := strings.TrimPrefix(files[p.File], "\ufeff")
			lines := strings.Split(text, "\n")
			if p.Line > len(lines) {
				t.Fatalf("%v: there are %d lines", p, len(lines))
			}
			if n := len([]rune(lines[p.Line-1])); p.Col < 1 || p.Col > n+1 || width < 0 || width > n+1 {
				t.Fatalf("%v+%d: the line has %d characters", p, width, n)
			}
			for _, c := range p.Chain {
				if files[c.File] == "" {
					t.Fatalf("chain through %v", c)
				}
			}
		}
		for _, a := range as {
			check(a.KeyPos, a.KeyWidth)
			check(a.ValuePos, a.ValueWidth)
			if words, ok := SplitKey(a.Name()); !ok || !cmp.Equal(words, a.Key) {
				t.Fatalf("key %q does not survive", a.Key)
			}
		}
		for _, e := range r.Entries {
			check(e.Pos, e.Width)
		}
	})
}
