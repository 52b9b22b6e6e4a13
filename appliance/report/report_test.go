package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

func sample() *Report {
	chain := []Pos{{File: "/etc/vernemq/vernemq.conf", Line: 9, Col: 1}}
	r := &Report{}
	r.Add(Entry{Severity: Error, Code: CodeUnknownKey, Key: "allow_anonimous", Message: "unknown key allow_anonimous",
		Hint: "did you mean allow_anonymous?", Pos: Pos{File: "/etc/vernemq/vernemq.conf", Line: 3, Col: 1}, Text: "allow_anonimous = on", Width: 15})
	r.Add(Entry{Severity: Error, Code: "bad-value", Message: "wide characters and tabs line up",
		Pos: Pos{File: "/etc/vernemq/conf.d/ü.conf", Line: 1, Col: 11, Chain: chain}, Text: "\tkey\t=\t日本 wörld\u0301 x", Width: 7})
	r.Add(Entry{Severity: Warning, Code: CodeDuplicate, Message: "set twice", Pos: Pos{File: "/a", Line: 2},
		Also: []Pos{{File: "/a", Line: 1, Col: 1}, {File: "/b", Line: 7, Col: 3}}})
	r.Add(Entry{Severity: Note, Code: CodeIncludeNone, Message: "hostile\x1b[31m text", Pos: Pos{File: "environment"}, Text: "A=\x1b[2J\x00"})
	r.Add(Entry{Severity: Error, Code: CodeSyntax, Message: "wide at the caret, and one past the end", Pos: Pos{File: "/c", Line: 1, Col: 1}, Text: "日"})
	r.Add(Entry{Severity: Error, Code: CodeSyntax, Message: "at the line's end", Pos: Pos{File: "/c", Line: 2, Col: 6}, Text: "key ="})
	r.Add(Entry{Severity: Error, Code: CodeSyntax, Message: "long line", Pos: Pos{File: "/c", Line: 3, Col: 500},
		Text: strings.Repeat("a", 499) + "!!" + strings.Repeat("b", 300), Width: 2})
	r.Add(Entry{Severity: Error, Code: CodeNoListener, Message: "no place at all"})
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestWrite(t *testing.T) {
	var text, warnings, js strings.Builder
	r := sample()
	for _, err := range []error{r.WriteText(&text, Note), r.WriteText(&warnings, Warning), r.WriteJSON(&js, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "report.txt", text.String())
	golden(t, "report.json", js.String())
	if strings.Contains(warnings.String(), "note:") || !strings.HasSuffix(warnings.String(), "6 errors, 1 warning\n") {
		t.Errorf("from Warning on:\n%s", warnings.String())
	}
	if strings.ContainsAny(text.String(), "\x1b\x00") {
		t.Error("control characters reach the terminal")
	}
}

func TestWriteEmpty(t *testing.T) {
	var r Report
	var text, js strings.Builder
	if err := r.WriteText(&text, Note); err != nil || text.Len() != 0 {
		t.Errorf("empty report: %q, %v", text.String(), err)
	}
	if err := r.WriteJSON(&js, true); err != nil || !strings.Contains(js.String(), `"findings": []`) || !strings.Contains(js.String(), `"ok": true`) {
		t.Errorf("empty report: %s, %v", js.String(), err)
	}
}

// The caret line must reach the column whatever the text is; both lines keep the tabs.
func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		text       string
		col, width int
		caret      string
	}{
		{"abc", 0, 0, ""},
		{"abc", 1, 0, "^"},
		{"abc", 2, 2, " ^~"},
		{"abc", 4, 1, "   ^"},
		{"abc", 9, 1, ""},
		{"\ta", 2, 1, "\t^"},
		{"日本x", 3, 1, "    ^"},
		{"日本x", 1, 2, "^~~~"},
		{"e\u0301x", 3, 1, " ^"},
		{"abc", 2, 99, " ^~"},
	} {
		if _, caret := excerpt(c.text, c.col, c.width); caret != c.caret {
			t.Errorf("excerpt(%q, %d, %d): caret %q, want %q", c.text, c.col, c.width, caret, c.caret)
		}
	}
}

func TestSort(t *testing.T) {
	r := &Report{}
	r.Add(Entry{Message: "unplaced"})
	r.Add(Entry{Message: "b2", Pos: Pos{File: "b", Line: 2, Col: 1}})
	r.Add(Entry{Message: "b1 later column", Pos: Pos{File: "b", Line: 1, Col: 5}})
	r.Add(Entry{Message: "b1", Pos: Pos{File: "b", Line: 1, Col: 1}})
	r.Sort()
	var got []string
	for _, e := range r.Entries {
		got = append(got, e.Message)
	}
	if diff := cmp.Diff([]string{"b1", "b1 later column", "b2", "unplaced"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
