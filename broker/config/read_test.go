package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Every field that is filled from a key is read somewhere in the broker or in the program that starts it: a key without effect is a fault that
// users find.
func TestEveryFieldIsRead(t *testing.T) {
	read := map[string]bool{}
	for _, dir := range []string{"..", "../../appliance/cmd"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || filepath.Dir(name) == "../config" {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					read[s.Sel.Name] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[Options](), reflect.TypeFor[Listener]()} {
		for i := range typ.NumField() {
			if f := typ.Field(i); f.Tag.Get("conf") != "" && !read[f.Name] {
				t.Errorf("nothing reads %s.%s, the field of %s", typ.Name(), f.Name, f.Tag.Get("conf"))
			}
		}
	}
}
