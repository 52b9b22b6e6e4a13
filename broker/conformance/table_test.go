package conformance_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/listener"
	"vernemq/broker/mqtt"
)

var update = flag.Bool("update", false, "write the tests' column of statements.tsv")

const (
	tableFile = "statements.tsv"
	listFile  = "testdata/identifiers.txt"
	tableHead = "# identifier\tversion\tbinds\ttests, separated by \" | \"\twhy there is no test\n"
)

// row is one statement.
type row struct {
	key
	binds string // server, client, both
	tests []string
	why   string
}

var versionNames = map[string]mqtt.Version{"3.1.1": mqtt.V311, "5.0": mqtt.V5}

func table() (rows []row, err error) {
	b, err := os.ReadFile(tableFile)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 || versionNames[f[1]] == 0 {
			return nil, fmt.Errorf("%s:%d: want five columns: identifier, 3.1.1 or 5.0, whom it binds, tests, why not", tableFile, i+1)
		}
		r := row{key: key{f[0], versionNames[f[1]]}, binds: f[2], why: f[4]}
		if f[3] != "" {
			r.tests = strings.Split(f[3], " | ")
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// written returns the tests in the source, by statement, and whether a full name is one.
func written() (byKey map[key][]string, full map[string]bool, err error) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		return nil, nil, err
	}
	byKey, full = map[key][]string{}, map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			for _, sub := range statementsIn(f) {
				ids, err := identifiers(sub)
				if err != nil {
					return nil, nil, fmt.Errorf("%s: %w", name, err)
				}
				test := f.Name.Name + "/" + sub
				if full[test] {
					return nil, nil, fmt.Errorf("%s: there are two tests %q", name, test)
				}
				full[test] = true
				for _, k := range ids {
					byKey[k] = append(byKey[k], test)
				}
			}
		}
	}
	return byKey, full, nil
}

// statementsIn returns the names that a function gives to statement and waiting.
func statementsIn(f *ast.FuncDecl) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if fn, ok := call.Fun.(*ast.Ident); !ok || fn.Name != "statement" && fn.Name != "waiting" || len(call.Args) < 2 {
			return true
		}
		if lit, ok := call.Args[1].(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				names = append(names, s)
			}
		}
		return true
	})
	return names
}

// TestTable holds the table against the list of identifiers and against the tests there are.
func TestTable(t *testing.T) {
	rows, err := table()
	if err != nil {
		t.Fatal(err)
	}
	byKey, full, err := written()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, rows, byKey)
		if rows, err = table(); err != nil {
			t.Fatal(err)
		}
	}
	list, err := os.ReadFile(listFile)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	known := map[key]bool{}
	for _, r := range rows {
		have = append(have, versionName(r.v)+" "+r.id)
		known[r.key] = true
		problem := func(format string, args ...any) {
			t.Errorf("%s: %s of %s: %s", tableFile, r.id, r.v, fmt.Sprintf(format, args...))
		}
		switch {
		case r.binds != "server" && r.binds != "client" && r.binds != "both":
			problem("it binds %q", r.binds)
		case len(r.tests) == 0 && r.why == "":
			problem("neither a test nor a reason")
		case len(r.tests) > 0 && r.why != "":
			problem("it has tests, and a reason not to have any")
		}
		for _, name := range r.tests {
			if !full[name] {
				problem("there is no test %q", name)
			}
		}
		if diff := cmp.Diff(byKey[r.key], r.tests); diff != "" {
			problem("tests that name it (-) and tests in the table (+), see -update:\n%s", diff)
		}
	}
	for k, tests := range byKey {
		if !known[k] {
			t.Errorf("%v name %s of %s, which is not in %s", tests, k.id, k.v, tableFile)
		}
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(list)), "\n"), have); diff != "" {
		t.Errorf("identifiers (-%s +%s):\n%s", listFile, tableFile, diff)
	}
}

// TestReasons: reasons that stand or fall with what the broker can do.
func TestReasons(t *testing.T) {
	rows, err := table()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if strings.Contains(r.why, "WebSocket") && (listener.Serves("ws") || listener.Serves("wss")) {
			t.Errorf("%s of %s: the broker has WebSocket listeners now, so it needs a test", r.id, r.v)
		}
	}
}

func versionName(v mqtt.Version) string {
	if v.Is5() {
		return "5.0"
	}
	return "3.1.1"
}

func write(t *testing.T, rows []row, byKey map[key][]string) {
	var out strings.Builder
	out.WriteString(tableHead)
	for _, r := range rows {
		fmt.Fprintf(&out, "%s\t%s\t%s\t%s\t%s\n", r.id, versionName(r.v), r.binds, strings.Join(byKey[r.key], " | "), r.why)
	}
	if err := os.WriteFile(tableFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// notRun returns what the table promises and this run did not keep: a test that was not run, or not for the statement's version.
func notRun() (problems []string) {
	rows, err := table()
	if err != nil {
		return []string{err.Error()}
	}
	ran.Lock()
	defer ran.Unlock()
	for _, r := range rows {
		for _, name := range r.tests {
			if !slices.Contains(ran.tests[name], r.v) {
				problems = append(problems, fmt.Sprintf("%s of %s: test %q was not run for it", r.id, r.v, name))
			}
		}
	}
	return problems
}
