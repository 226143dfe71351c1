package netbootkit_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/netbootkit/netbootkit/"

// TestHouseRules checks what no linter can: which package may import which,
// and that every package explains itself in doc.go.
func TestHouseRules(t *testing.T) {
	t.Parallel()

	root := os.DirFS(".")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case path.Ext(name) == ".go":
			checkFile(t, root, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, root fs.FS, name string) {
	t.Helper()
	src, err := fs.ReadFile(root, name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	test := strings.HasSuffix(name, "_test.go")
	single := []string{"golden.go", "oracle.go", "main.go"} // A package of one small file may document itself there.
	if f.Doc != nil && path.Base(name) != "doc.go" && !slices.Contains(single, path.Base(name)) {
		t.Errorf("%s holds a package comment; move it to doc.go", name)
	}
	own, _, _ := strings.Cut(name, "/")
	for _, imp := range f.Imports {
		p, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
		other, _, _ := strings.Cut(p, "/")
		program := own == "examples" || strings.HasPrefix(name, "internal/bench/")
		if ours && !test && !program && other != own && other != "internal" {
			t.Errorf("%s imports %s; packages meet only in programs", name, p)
		}
	}
}
