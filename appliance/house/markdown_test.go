package house

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readmes are the texts whose samples, tables and links are checked.
var readmes = []string{"README.md", "packaging/README.md", "schema/README.md", "appliance/bench/README.md",
	"packaging/container/README.md", "packaging/repo/README.md", "rootfs/README.md"}

// fence is one fenced block of a Markdown text.
type fence struct {
	at    string   // file:line of its opening
	words []string // behind the opening marks: the language, then what a test is to know
	text  string
}

// is reports whether the block was opened with exactly these words.
func (f *fence) is(words string) bool { return strings.Join(f.words, " ") == words }

// table is one table of a Markdown text, cells trimmed, the first row its heads.
type table struct {
	at   string
	rows [][]string
}

// markdown is what the tests look at in a text.
type markdown struct {
	fences []*fence
	tables []*table
	prose  []string // all lines outside of fences
}

// parseMarkdown reads fences and tables. A fence that is never closed is an error.
func parseMarkdown(name, text string) (*markdown, error) {
	m := &markdown{}
	var open *fence
	var rows *table
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", name, i+1)
		marks, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			open, rows = &fence{at: at, words: strings.Fields(marks)}, nil
		case isFence:
			m.fences, open = append(m.fences, open), nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "|"):
			if rows == nil {
				rows = &table{at: at}
				m.tables = append(m.tables, rows)
			}
			if cells := splitRow(line); !strings.HasPrefix(cells[0], "---") {
				rows.rows = append(rows.rows, cells)
			}
		default:
			rows = nil
		}
		if open == nil && !isFence {
			m.prose = append(m.prose, line)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s: the block is never closed", open.at)
	}
	return m, nil
}

// splitRow returns the cells of a table's line; \| is a bar inside a cell.
func splitRow(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, bar)
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(c), bar, "|")
	}
	return cells
}

// quoted returns the texts between single backquotes.
func quoted(text string) (out []string) {
	parts := strings.Split(text, "`")
	for i := 1; i+1 < len(parts); i += 2 {
		out = append(out, parts[i])
	}
	return out
}

// read parses one of the repository's texts.
func readMarkdown(t *testing.T, name string) *markdown {
	t.Helper()
	m, err := parseMarkdown(name, readText(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseMarkdown(t *testing.T) {
	m, err := parseMarkdown("x.md", "a\n| k | v |\n| --- | --- |\n| `x` | a \\| b |\n\n```conf wrong\n| no table |\n```\n| other |\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []*table{{"x.md:2", [][]string{{"k", "v"}, {"`x`", "a | b"}}}, {"x.md:9", [][]string{{"other"}}}}
	if diff := cmp.Diff(want, m.tables, cmp.AllowUnexported(table{})); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]*fence{{"x.md:6", []string{"conf", "wrong"}, "| no table |\n"}}, m.fences, cmp.AllowUnexported(fence{})); diff != "" {
		t.Errorf("fences (-want +got):\n%s", diff)
	}
	if _, err := parseMarkdown("x.md", "```sh\nls\n"); err == nil {
		t.Error("a block without end is accepted")
	}
	if diff := cmp.Diff([]string{"a", "b c"}, quoted("`a` and `b c`, `")); diff != "" {
		t.Errorf("quoted (-want +got):\n%s", diff)
	}
}
