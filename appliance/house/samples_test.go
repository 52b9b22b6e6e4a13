package house

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// The kinds of block a README may have:
//
//	```conf         a vernemq.conf, or lines of one, that compiles without a warning
//	```conf wrong   one with mistakes; the text block behind it is the report
//	```sh           commands, each checked as shell_test.go says
//	```text         behind conf wrong or sh: what is printed, … standing for anything
func TestSamples(t *testing.T) {
	for _, name := range readmes {
		t.Run(path.Dir(name), func(t *testing.T) {
			shell := newShell(t)
			var output string // of the last conf or sh block
			for _, f := range readMarkdown(t, name).fences {
				switch {
				case f.is("conf"):
					if output = compileSample(t, f); output != "" {
						t.Errorf("%s: the sample does not compile cleanly:\n%s", f.at, output)
					}
				case f.is("conf wrong"):
					if output = compileSample(t, f); output == "" {
						t.Errorf("%s: nothing is wrong with the sample", f.at)
					}
				case f.is("sh"):
					output = shell.run(t, f)
				case f.is("text"):
					matchLines(t, f, output)
				default:
					t.Errorf("%s: blocks of kind %q are not checked by anything", f.at, f.words)
				}
			}
		})
	}
}

// compileSample returns what vernemq chkconfig would say about a sample, warnings and errors.
func compileSample(t *testing.T, f *fence) string {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	text := f.text
	if !strings.Contains(text, "listener.") { // lines that are to be added to a configuration
		text += "listener.tcp.default = 127.0.0.1:1883\n"
	}
	_, findings := compile.Compile(compile.Input{Schema: s, FS: source.Texts{hostfs.MainConf: text}})
	var out bytes.Buffer
	if err := findings.WriteText(&out, report.Warning); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// matchLines checks that each line of a text block is printed, in order. A line … stands for any number of lines, … in a line for anything.
func matchLines(t *testing.T, f *fence, output string) {
	t.Helper()
	got := strings.Split(strings.TrimSpace(output), "\n")
	for i := range got {
		got[i] = strings.TrimRight(got[i], " ")
	}
	want := strings.Split(strings.TrimSpace(f.text), "\n")
	next, loose := 0, false
	for _, line := range want {
		if line == "…" {
			loose = true
			continue
		}
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$")
		at := slices.IndexFunc(got[next:], pattern.MatchString)
		if at < 0 || at > 0 && !loose {
			t.Errorf("%s: this is not what is printed there: %s (-shown +printed):\n%s", f.at, line, cmp.Diff(want, got))
			return
		}
		next, loose = next+at+1, false
	}
	if next < len(got) && !loose {
		t.Errorf("%s: more is printed than is shown (-shown +printed):\n%s", f.at, cmp.Diff(want, got))
	}
}

// Keys that a table speaks of exist. A table is about keys if its first column is headed key.
func TestKeysInTables(t *testing.T) {
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range readmes {
		for _, table := range readMarkdown(t, name).tables {
			for _, row := range table.rows[1:] {
				if len(row) != len(table.rows[0]) {
					t.Errorf("%s: a row has %d cells, the head %d: %q", table.at, len(row), len(table.rows[0]), row)
				}
				if table.rows[0][0] != "key" {
					continue
				}
				for _, key := range quoted(row[0]) {
					n++
					if _, _, ok := s.Lookup(key); !ok && s.Pattern(key) == nil {
						t.Errorf("%s: there is no key %s", table.at, key)
					}
				}
			}
		}
	}
	if n == 0 {
		t.Error("no table of keys was found")
	}
}

// The README explains each module that go.mod asks for, and no other.
func TestDependenciesAreExplained(t *testing.T) {
	var required, explained []string
	for line := range strings.Lines(readText(t, "go.mod")) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) == 2 && strings.Contains(words[0], "/") && strings.HasPrefix(words[1], "v") { // longer ones are indirect
			required = append(required, words[0])
		}
	}
	for _, table := range readMarkdown(t, "README.md").tables {
		if table.rows[0][0] == "module" {
			for _, row := range table.rows[1:] {
				explained = append(explained, quoted(row[0])...)
			}
		}
	}
	slices.Sort(required)
	slices.Sort(explained)
	if diff := cmp.Diff(required, explained); diff != "" || len(required) == 0 {
		t.Errorf("the README's tables of modules and go.mod differ (-go.mod +README):\n%s", diff)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// Links to other files of the repository lead somewhere.
func TestLinks(t *testing.T) {
	for _, name := range readmes {
		for _, line := range readMarkdown(t, name).prose {
			for _, found := range link.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(top, path.Dir(name), found[1])); err != nil {
					t.Errorf("%s: %s leads nowhere: %v", name, found[0], err)
				}
			}
		}
	}
}
