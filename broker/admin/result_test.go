package admin

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answer is a tree with one command, `t run`, that answers r.
func answer(r Result, err error) *Tree {
	t := &Tree{}
	t.add("t", "", &Command{Path: []string{"t", "run"}, Run: func(context.Context, *Request) (Result, error) { return r, err }})
	return t
}

func TestResults(t *testing.T) {
	table := rows([]string{"Hook(s)", "n"}, [][]any{{"a\nlonger", 1}, {"\x1b[31mred\u0085\ttab", int64(-2)}, {nil, Undefined}, {[]byte{0, 255}, true}})
	broken := Table{Columns: []string{"a"}, Rows: func(yield func([]any) bool) error {
		yield([]any{"1"})
		return errors.New("store is gone")
	}}
	tests := []struct {
		name         string
		result       Result
		err          error
		format       string
		stdout, errs string
		exit         int
	}{
		{"text", Text("Done"), nil, "human", "Done\n", "", 0},
		{"text, json", Text("Done\n"), nil, "json", `{"type":"text","text":"Done"}`, "", 0},
		{"text, csv", Text("Done"), nil, "csv", "Done\n", "", 0},
		{"list", List{"Things", []string{"a", "<b>"}}, nil, "human", "Things:\na\n<b>\n", "", 0},
		{"list, json", List{"Things", []string{"a", "<b>"}}, nil, "json", `{"type":"list","title":"Things","list":["a","<b>"]}`, "", 0},
		{"list without title, json", List{Items: nil}, nil, "json", `{"type":"list","list":[]}`, "", 0},
		{"alert", Alert{Text("no"), Text("really")}, nil, "human", "no\nreally\n", "", 0},
		{"alert, json", Alert{Text("no"), Text("really")}, nil, "json",
			`{"type":"alert","alert":[{"type":"text","text":"no"},{"type":"text","text":"really"}]}`, "", 0},
		{"alert, csv", Alert{Text("no")}, nil, "csv", "", "no\n", 0},
		{"table", table, nil, "human", `+------------------------+-----------+
| Hook(s)                | n         |
+------------------------+-----------+
| a                      | 1         |
| longer                 |           |
+------------------------+-----------+
| \x1b[31mred\x85\x09tab | -2        |
+------------------------+-----------+
| null                   | undefined |
+------------------------+-----------+
| <<0,255>>              | true      |
+------------------------+-----------+
`, "", 0},
		{"table, json", table, nil, "json", `{"type":"table","table":[{"Hook(s)":"a\nlonger","n":1},{"Hook(s)":"\u001b[31mred` + "\u0085" +
			`\ttab","n":-2},{"Hook(s)":null,"n":null},{"Hook(s)":"<<0,255>>","n":true}]}`, "", 0},
		{"table, csv", table, nil, "csv", "Hook(s),n\r\n\"a\nlonger\",1\r\n\x1b[31mred\u0085\ttab,-2\r\nnull,undefined\r\n\"<<0,255>>\",true\r\n", "", 0},
		{"empty table", rows([]string{"a"}, nil), nil, "human", "", "", 0},
		{"empty table, json", rows([]string{"a"}, nil), nil, "json", `{"type":"table","table":[]}`, "", 0},
		{"wrong question", nil, &Error{"Invalid value: x"}, "human", "Invalid value: x\n", "", 1},
		{"failure", nil, errors.New("disk is gone"), "json", "", "The command failed: disk is gone\n", 1},
		{"failure behind rows", broken, nil, "human", "+---+\n| a |\n+---+\n| 1 |\n+---+\n", "The command failed: store is gone\n", 1},
		{"failure behind rows, json", broken, nil, "json", `{"type":"table","table":[{"a":"1"}]}`, "The command failed: store is gone\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			exit := answer(tt.result, tt.err).Execute(t.Context(), []string{"t", "run"}, Options{Format: tt.format}, &stdout, &stderr)
			if exit != tt.exit {
				t.Errorf("exit code %d, want %d", exit, tt.exit)
			}
			if diff := cmp.Diff(tt.stdout, stdout.String()); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errs, stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExecuteReportsPanics(t *testing.T) {
	tree := &Tree{}
	tree.add("t", "", &Command{Path: []string{"t", "run"}, Run: func(context.Context, *Request) (Result, error) { panic("oops") }})
	var stderr strings.Builder
	if exit := tree.Execute(t.Context(), []string{"t", "run"}, Options{}, io.Discard, &stderr); exit != 1 {
		t.Errorf("exit code %d, want 1", exit)
	}
	if got := stderr.String(); !strings.Contains(got, "oops") {
		t.Errorf("stderr is %q", got)
	}
}

func TestCallLimit(t *testing.T) {
	tree := &Tree{}
	tree.add("t", "", &Command{Path: []string{"t", "run"}, Run: func(ctx context.Context, _ *Request) (Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	var stderr strings.Builder
	if exit := tree.Execute(t.Context(), []string{"t", "run", "-rpctimeout", "1"}, Options{}, io.Discard, &stderr); exit != 1 {
		t.Errorf("exit code %d, want 1", exit)
	}
	if want := "The command failed: it took longer than the 1ms of -rpctimeout\n"; stderr.String() != want {
		t.Errorf("stderr is %q, want %q", stderr.String(), want)
	}
}

// TestLongTables shows that rows are not gathered: the writer sees the first ones long before the last is made, in every format.
func TestLongTables(t *testing.T) {
	for _, format := range []string{"human", "json", "csv"} {
		t.Run(format, func(t *testing.T) {
			const n = 20000
			seen := &counter{}
			var most int
			table := Table{Columns: []string{"i", "text"}, Rows: func(yield func([]any) bool) error {
				made := 0
				for i := range n {
					made += 64
					most = max(most, made-seen.n)
					if !yield([]any{i, strings.Repeat("x", 64)}) {
						return nil
					}
				}
				return nil
			}}
			if exit := answer(table, nil).Execute(t.Context(), []string{"t", "run"}, Options{Format: format}, seen, io.Discard); exit != 0 {
				t.Errorf("exit code %d", exit)
			}
			if most > 1<<20 {
				t.Errorf("%d bytes were gathered", most)
			}
		})
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// TestWiderLater: a cell of a later chunk that is wider than all before moves the borders from there on.
func TestWiderLater(t *testing.T) {
	table := Table{Columns: []string{"a"}, Rows: func(yield func([]any) bool) error {
		for range chunkRows {
			yield([]any{"x"})
		}
		yield([]any{"wide"})
		return nil
	}}
	var out bytes.Buffer
	answer(table, nil).Execute(t.Context(), []string{"t", "run"}, Options{}, &out, io.Discard)
	if want := "| x |\n+---+\n| wide |\n+------+\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the table ends with %q, want %q", out.String()[out.Len()-40:], want)
	}
}

// TestBrokenWriter: rows are not made for nobody.
func TestBrokenWriter(t *testing.T) {
	for _, format := range []string{"human", "json", "csv"} {
		made := 0
		table := Table{Columns: []string{"a"}, Rows: func(yield func([]any) bool) error {
			for yield([]any{strings.Repeat("x", 100)}) {
				if made++; made > 100000 {
					return errors.New("never stopped")
				}
			}
			return nil
		}}
		if exit := answer(table, nil).Execute(t.Context(), []string{"t", "run"}, Options{Format: format}, brokenWriter{}, io.Discard); exit != 1 {
			t.Errorf("%s: exit code %d, want 1", format, exit)
		}
		if made > 100000 {
			t.Errorf("%s: the command went on", format)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("closed") }

func FuzzCells(f *testing.F) {
	f.Add("a", []byte{1, 255})
	f.Add("\x1b]0;title\a", []byte("\r\n"))
	f.Add("\xff\"", []byte(`","`))
	f.Fuzz(func(t *testing.T, text string, payload []byte) {
		tree := answer(rows([]string{"text", "payload"}, [][]any{{text, payload}}), nil)
		run := func(format string) string {
			var out strings.Builder
			if exit := tree.Execute(t.Context(), []string{"t", "run"}, Options{Format: format}, &out, io.Discard); exit != 0 {
				t.Fatalf("%s: exit code %d", format, exit)
			}
			return out.String()
		}
		var doc struct{ Table []map[string]string }
		if err := json.Unmarshal([]byte(run("json")), &doc); err != nil || len(doc.Table) != 1 {
			t.Fatalf("no JSON table of one row: %v", err)
		}
		if got, want := doc.Table[0]["payload"], payloadText(payload); got != want {
			t.Errorf("json: payload %q, want %q", got, want)
		}
		records, err := csv.NewReader(strings.NewReader(run("csv"))).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("no CSV of two records: %v, %q", err, records)
		}
		for _, r := range run("human") {
			if r != '\n' && r < 0x20 || r >= 0x7f && r < 0xa0 {
				t.Fatalf("control character %q reached the terminal", r)
			}
		}
	})
}

func ExampleTree_Execute() {
	var out strings.Builder
	tree := answer(rows([]string{"Node", "Running"}, [][]any{{"VerneMQ@127.0.0.1", true}}), nil)
	exit := tree.Execute(context.Background(), []string{"t", "run"}, Options{}, &out, io.Discard)
	fmt.Print(out.String(), exit)
	// Output:
	// +-------------------+---------+
	// | Node              | Running |
	// +-------------------+---------+
	// | VerneMQ@127.0.0.1 | true    |
	// +-------------------+---------+
	// 0
}
