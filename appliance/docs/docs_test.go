package docs

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"vernemq/schema"
)

var update = flag.Bool("update", false, "rewrite golden files")

// small is a schema of a few keys that shows every form.
func small(t *testing.T) *schema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/small.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.LoadFS(fstest.MapFS{"small.toml": {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func whole(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGolden(t *testing.T) {
	s := small(t)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"small.md": func(b *bytes.Buffer) error { return Markdown(b, s) },
		"small.5":  func(b *bytes.Buffer) error { return Man(b, s, "1.2.3") },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every key stands in the reference, once, under the section of its subject; every link leads to a section.
func TestMarkdownIsComplete(t *testing.T) {
	s := whole(t)
	var out bytes.Buffer
	if err := Markdown(&out, s); err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, part := range strings.Split(out.String(), "\n## ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		sections[title] = text
	}
	named := regexp.MustCompile("(?m)^(?:###|also) `([^`]+)`")
	for _, subject := range s.Subjects() {
		text, ok := sections[markdown(subject.Title)]
		if !ok {
			t.Errorf("no section %s", subject.Title)
		}
		count := map[string]int{}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			for _, name := range expand(m[1]) {
				count[name]++
			}
		}
		for _, k := range subject.Keys {
			if count[k.Name] != 1 {
				t.Errorf("%s stands %d times under %s", k.Name, count[k.Name], subject.Title)
			}
		}
		if !strings.Contains(out.String(), "(#"+anchor(subject.Title)+")") {
			t.Errorf("no link to %s", subject.Title)
		}
	}
}

// expand is the reverse of collapse for one name.
func expand(name string) []string {
	before, rest, ok := strings.Cut(name, "{")
	if !ok {
		return []string{name}
	}
	words, after, _ := strings.Cut(rest, "}")
	var out []string
	for _, w := range strings.Split(words, ",") {
		out = append(out, before+w+after)
	}
	return out
}

// The manual page has only requests that the man macros know, lists that are closed, and nothing but ASCII.
func TestManIsWellFormed(t *testing.T) {
	var out bytes.Buffer
	if err := Man(&out, whole(t), "1.2.3"); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{".TH": true, ".ad": true, ".SH": true, ".PP": true, ".TP": true, ".TQ": true, ".RS": true, ".RE": true, ".br": true, ".B": true, ".BR": true, ".I": true}
	depth, escapes := 0, regexp.MustCompile(`\\(e|-|&|fB|fR|\((ha|ti|ga|aq)|\[u[0-9A-F]{4,6}\])`)
	for n, line := range strings.Split(out.String(), "\n") {
		at := fmt.Sprintf("line %d: %s", n+1, line)
		for _, r := range line {
			if r < ' ' || r > '~' {
				t.Errorf("%s: the character %U", at, r)
			}
		}
		if strings.HasPrefix(line, "'") {
			t.Errorf("%s: begins with a quote, which is a request", at)
		}
		if rest := escapes.ReplaceAllString(line, ""); strings.Contains(rest, `\`) {
			t.Errorf("%s: an unknown escape", at)
		}
		if !strings.HasPrefix(line, ".") {
			continue
		}
		request, _, _ := strings.Cut(line, " ")
		if !known[request] {
			t.Errorf("%s: an unknown request", at)
		}
		switch request {
		case ".RS":
			depth++
		case ".RE":
			depth--
		case ".SH":
			if depth != 0 {
				t.Errorf("%s: %d indents are open", at, depth)
			}
		}
	}
	if depth != 0 {
		t.Errorf("%d indents are open at the end", depth)
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "SEE ALSO"} {
		if !strings.Contains(out.String(), "\n.SH "+section+"\n") {
			t.Errorf("no section %s", section)
		}
	}
	lint(t, out.Bytes())
}

// lint gives a page to the formatters that are installed; what none of them checks, the rules above do.
func lint(t *testing.T, page []byte) {
	t.Helper()
	for _, command := range [][]string{{"mandoc", "-T", "lint", "-W", "error"}, {"groff", "-man", "-Tascii", "-ww", "-z"}} {
		program, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		c := exec.Command(program, command[1:]...)
		c.Stdin = bytes.NewReader(page)
		said, err := c.CombinedOutput()
		if err != nil || len(said) > 0 {
			t.Errorf("%s: %v\n%.2000s", command[0], err, said)
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		".begins": `\&.begins`, "a\n.b": "a .b", `a\b`: `a\eb`, "a-b": `a\-b`, "é": `\[u00E9]`, "'q'": `\(aqq\(aq`, "": "",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCollapse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a.x.b a.y.b", "a.{x,y}.b"},
		{"a.b", "a.b"},
		{"a.b a.x.b a.y.b a.x.$n.b a.y.$n.b", "a.b a.{x,y}.b a.{x,y}.$n.b"},
		{"a.x.b c.x.b", "a.x.b c.x.b"},
		{`a.x\.y.b`, `a.x\.y.b`},
	} {
		if got := strings.Join(collapse(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}
