package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "vernemq"

// top is the repository's directory, seen from this package.
const top = "../.."

// ignored are directories at the top that are made, not kept.
var ignored = []string{".git", "bin", "dist", "run"}

// goFile is one parsed source file.
type goFile struct {
	name    string // from the repository's top, with slashes
	pkg     string // directory it lies in, such as broker/mqtt
	test    bool
	lines   int
	syntax  *ast.File
	imports []string // of our own module, without its name: broker/mqtt
}

// repository is the whole tree: the Go files, and the names of all files.
type repository struct {
	fset  *token.FileSet
	files []*goFile
	names []string
}

// position names where a node stands, as file:line.
func (s *repository) position(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return filepath.ToSlash(p.Filename) + ":" + strconv.Itoa(p.Line)
}

// tree reads the repository, once for all tests.
var tree = sync.OnceValues(func() (*repository, error) {
	s := &repository{fset: token.NewFileSet()}
	err := fs.WalkDir(os.DirFS(top), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(ignored, name):
			return fs.SkipDir
		case !d.Type().IsRegular() || name == ".git": // a file in a work tree beside the repository
			return nil
		}
		s.names = append(s.names, name)
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			return nil
		}
		return s.parse(name)
	})
	return s, err
})

// parse adds one Go file.
func (s *repository) parse(name string) error {
	text, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(s.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &goFile{name: name, test: strings.HasSuffix(name, "_test.go"), lines: strings.Count(string(text), "\n"), syntax: syntax}
	f.pkg, _, _ = cutLast(name, "/")
	for _, i := range syntax.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		if own, ok := strings.CutPrefix(path, module+"/"); ok {
			f.imports = append(f.imports, own)
		}
	}
	s.files = append(s.files, f)
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// sources returns the tree, or ends the test.
func sources(t *testing.T) *repository {
	t.Helper()
	s, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.files) < 50 {
		t.Fatalf("only %d Go files found under %s", len(s.files), top)
	}
	return s
}
