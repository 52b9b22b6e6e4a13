package metric

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestEveryMetricIsCounted reads the broker's sources: each exported constant and function of ids.go is used somewhere. A metric that nobody
// counts is a lie on somebody's dashboard.
func TestEveryMetricIsCounted(t *testing.T) {
	used, err := usedNames("..")
	if err != nil {
		t.Fatal(err)
	}
	var unused []string
	for _, name := range generatedNames(t) {
		if !used[name] {
			unused = append(unused, name)
		}
	}
	if len(unused) > 0 {
		t.Errorf("nothing in broker/ counts these %d; count them or take their rows out of the catalogue:\n  %s", len(unused),
			strings.Join(unused, "\n  "))
	}
}

// generatedNames returns the exported constants and functions of ids.go that count.
func generatedNames(t *testing.T) []string {
	f, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && v.Names[0].IsExported() && v.Names[0].Name != "NumIDs" {
					names = append(names, v.Names[0].Name)
				}
			}
		}
	}
	return names
}

// usedNames returns what the packages below dir, tests and this package apart, select from this package.
func usedNames(dir string) (map[string]bool, error) {
	used := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil // an editor's temporary file
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || path == filepath.Join(dir, "metric")):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		local := ""
		for _, i := range f.Imports {
			if p, _ := strconv.Unquote(i.Path.Value); p != "vernemq/broker/metric" {
				continue
			}
			local = "metric"
			if i.Name != nil {
				local = i.Name.Name
			}
		}
		if local == "" {
			return nil
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	return used, err
}
