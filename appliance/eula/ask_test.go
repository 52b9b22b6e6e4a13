package eula

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/packaging"
)

func TestAsk(t *testing.T) {
	for answer, want := range map[string]bool{
		"yes\n": true, "YES\r\n": true, " y \n": true, "no\n": false, "": false, "yes": true, "yesno\n": false, "\n": false, strings.Repeat("y", 5000): false,
	} {
		var out bytes.Buffer
		got, err := Ask(Screen{In: strings.NewReader(answer), Out: &out})
		if err != nil || got != want {
			t.Errorf("%.10q: %v, %v", answer, got, err)
		}
		if !strings.Contains(out.String(), packaging.EULA) {
			t.Error("the text is not shown")
		}
	}
}

// A text longer than the screen comes in pieces; the answer to the question is not taken for one that turns the page.
func TestAskPages(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		want  bool
		whole bool
	}{
		"to the end":  {strings.Repeat("\n", 200) + "yes\n", false, true}, // more turns than pages: the question gets an empty line
		"skip":        {"q\nyes\n", true, false},
		"skip and no": {"Q\nno\n", false, false},
		"input ends":  {"", false, true},
	} {
		var out bytes.Buffer
		got, err := Ask(Screen{In: strings.NewReader(c.typed), Out: &out, Rows: 5, Cols: 60})
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if whole := strings.Contains(out.String(), "No data leaves"); whole != c.whole {
			t.Errorf("%s: shown to the end: %v", name, whole)
		}
		if !strings.Contains(out.String(), "more lines: Enter") || !strings.Contains(out.String(), "Do you accept") {
			t.Errorf("%s: not paged, or not asked:\n%s", name, out.String())
		}
	}
}

// One line that is left is one line.
func TestAskOneLineLeft(t *testing.T) {
	var out bytes.Buffer
	s := Screen{In: strings.NewReader("\nyes\n"), Out: &out, Cols: 80}
	s.Rows = len(s.wrap(packaging.EULA))
	if got, err := Ask(s); err != nil || !got || !strings.Contains(out.String(), "-- 1 more line: Enter shows it, q goes") {
		t.Errorf("%v, %v:\n%s", got, err, out.String())
	}
}

// With exactly as many turns as needed the next line is the answer.
func TestAskAfterPages(t *testing.T) {
	s := Screen{Out: &bytes.Buffer{}, Rows: 10, Cols: 80}
	pages := (len(s.wrap(packaging.EULA)) - 1) / (s.Rows - 1)
	s.In = strings.NewReader(strings.Repeat("\n", pages) + "yes\n")
	if got, err := Ask(s); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAskWithPager(t *testing.T) {
	for name, c := range map[string]struct {
		pager string
		want  string
	}{
		"runs":           {"sed 's/^/through: /'", "through: # Terms of use"},
		"cannot be run":  {"/nonexistent/pager", "more lines: Enter"},
		"fails":          {"exit 3", "more lines: Enter"},
		"short, unpaged": {"", "# Terms of use"},
	} {
		var out bytes.Buffer
		rows := 5
		if c.pager == "" {
			rows = 500
		}
		if _, err := Ask(Screen{In: strings.NewReader("q\nyes\n"), Out: &out, Rows: rows, Cols: 80, Pager: c.pager}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: no %q in:\n%s", name, c.want, out.String())
		}
	}
}

func TestWrap(t *testing.T) {
	for name, c := range map[string]struct {
		cols int
		text string
		want []string
	}{
		"unknown width": {0, "a b c\n", []string{"a b c"}},
		"at blanks":     {5, "aa bb cc", []string{"aa bb", "cc"}},
		"long word":     {3, "abcdefg h", []string{"abc", "def", "g h"}},
		"empty lines":   {3, "a\n\nb\n", []string{"a", "", "b"}},
		"wide":          {2, "äöü", []string{"äö", "ü"}},
		"indented":      {4, "   abc", []string{"   a", "bc"}},
	} {
		s := Screen{Cols: c.cols}
		if diff := cmp.Diff(c.want, s.wrap(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
