package netbootkit_test

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestAPI compares the exported declarations of every public package with its
// testdata/api.txt, so that each change of the API shows in review.
func TestAPI(t *testing.T) {
	t.Parallel()

	for _, dir := range publicPackages(t) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			golden.CheckIn(t, dir, "api.txt", api(t, dir))
		})
	}
}

// publicPackages returns the folders of all packages that users import.
func publicPackages(t *testing.T) []string {
	t.Helper()
	var dirs []string
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		skip := []string{"internal", "examples", "testdata"}
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(skip, d.Name()) || name != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.Name() == "doc.go" && name != "doc.go":
			dirs = append(dirs, path.Dir(name))
		}
		return nil
	}))
	return dirs
}

// api prints the exported declarations of the package in dir, without
// comments and bodies, for all operating systems.
func api(t *testing.T, dir string) []byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_other.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, dir)
	require.NoError(t, err)

	var b bytes.Buffer
	values := func(vs []*doc.Value) {
		for _, v := range vs {
			writeDecl(t, &b, fset, v.Decl)
		}
	}
	funcs := func(fns []*doc.Func) {
		for _, f := range fns {
			f.Decl.Body = nil
			writeDecl(t, &b, fset, f.Decl)
		}
	}
	values(pkg.Consts)
	values(pkg.Vars)
	funcs(pkg.Funcs)
	for _, typ := range pkg.Types {
		writeDecl(t, &b, fset, typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
	}
	return b.Bytes()
}

func writeDecl(t *testing.T, b *bytes.Buffer, fset *token.FileSet, decl ast.Decl) {
	t.Helper()
	cfg := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	require.NoError(t, cfg.Fprint(b, fset, decl))
	b.WriteByte('\n')
}
