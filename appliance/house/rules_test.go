package house

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLines is where a file has surely become two ideas.
const maxLines = 500

// clockless are the packages that are told what time it is and never ask.
var clockless = []string{
	"broker/mqtt", "broker/msg", "broker/queue", "broker/session", "broker/trie", "broker/topic", "broker/retain", "broker/exchange", "broker/wheel",
}

// clock are the functions of package time that read or run a clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// atTop are the names the top of the repository may hold.
var atTop = append([]string{
	"appliance", "broker", "conf.d", "packaging", "rootfs", "schema", "systemd",
	"LICENSE", "Makefile", "README.md", "go.mod", "go.sum", "nfpm.yaml",
	".ci", ".editorconfig", ".gitignore", ".golangci.yml",
}, ignored...)

// foreign are traces of the machine or the moment a text was written on. They are spelled so that this file has none.
var foreign = map[string]*regexp.Regexp{
	"a path of somebody's machine": regexp.MustCompile(`(^|[^\w.$})/-])/(home/[a-z]|Users/[A-Za-z]|work/[a-z]|root/(go|src|\.[a-z]))`),
	"a promise instead of a deed":  regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`),
}

func TestPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t).files {
		if f.test {
			continue
		}
		begin := "Package " + f.syntax.Name.Name + " "
		if f.syntax.Name.Name == "main" {
			begin = "Command " + filepath.Base(f.pkg) + " "
		}
		documented[f.pkg] = documented[f.pkg] || f.syntax.Doc != nil && strings.HasPrefix(f.syntax.Doc.Text(), begin)
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment that begins with its name", pkg)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range sources(t).files {
		if !f.test && !ast.IsGenerated(f.syntax) && f.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: which second idea moved in?", f.name, f.lines, maxLines)
		}
	}
}

// The clock is read once a turn, by the shard; below it, time is a parameter.
func TestClock(t *testing.T) {
	for _, f := range sources(t).files {
		if !f.test && slices.Contains(clockless, f.pkg) {
			reportCalls(t, f, "time", clock, "this package is told the time")
		}
	}
}

// A test that waits for time to pass is slow on a fast machine and wrong on a slow one; a test that is skipped proves nothing.
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	s := sources(t)
	for _, f := range s.files {
		if !f.test {
			continue
		}
		reportCalls(t, f, "time", []string{"Sleep"}, "wait on a condition with a deadline")
		for _, name := range []string{"t", "b", "f", "tb"} {
			reportCalls(t, f, name, []string{"Skip", "Skipf", "SkipNow"}, "a test that cannot run fails")
		}
	}
	sleeps := regexp.MustCompile(`(?m)^(\[[^]]*\] *)?(skip|sleep|exec sleep)\b`)
	for _, name := range s.names {
		if strings.HasSuffix(name, ".txtar") && sleeps.MatchString(readText(t, name)) {
			t.Errorf("%s sleeps or skips", name)
		}
	}
}

// reportCalls reports each use of x.name for the names in a file.
func reportCalls(t *testing.T, f *goFile, x string, names []string, instead string) {
	t.Helper()
	s := sources(t)
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == x {
				t.Errorf("%s: %s.%s: %s", s.position(n), x, sel.Sel.Name, instead)
			}
		}
		return true
	})
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(atTop, e.Name()) {
			t.Errorf("%s does not belong to the top of the repository: find its place, or name it in rules_test.go", e.Name())
		}
	}
}

func TestNoForeignWords(t *testing.T) {
	for _, name := range sources(t).names {
		text := readText(t, name)
		for what, pattern := range foreign {
			for _, at := range pattern.FindAllStringIndex(text, -1) {
				t.Errorf("%s:%d: %q is %s", name, 1+strings.Count(text[:at[1]], "\n"), strings.TrimSpace(text[at[0]:at[1]]), what)
			}
		}
	}
}

func TestForeignWordsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"see /ho" + "me/ann/x":          true,
		"cd /wo" + "rk/tree":            true,
		"GOPATH=/ro" + "ot/go":          true,
		"// TO" + "DO: later":           true,
		"$HOME/work/x, ./work/a, /root": false,
		"/etc/vernemq and /var/log":     false,
	} {
		found := false
		for _, pattern := range foreign {
			found = found || pattern.MatchString(text)
		}
		if found != want {
			t.Errorf("%q: found %v", text, found)
		}
	}
}

// readText returns a file of the repository; empty for one that is not text.
func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return ""
	}
	return string(text)
}
