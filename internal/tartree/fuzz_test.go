package tartree_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// FuzzScan reads any bytes as an archive: what is accepted can be walked and
// read, and archive/tar reads the same.
func FuzzScan(f *testing.F) {
	f.Add(archive(f, file("a", "1"), dir("d"), link("d/b", "a"), symlink("s", "d")))
	f.Add(oldSparse(20, 0, 3, 10, 5, 20, 0))
	f.Add(sparseBomb(1 << 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := tartree.Scan(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		require.NoError(t, tree.Walk(func(name string, n *tartree.Node) error {
			checkName(t, name)
			_ = n.Header(name)
			if n.Type != tar.TypeReg || n.Size > 1<<20 {
				return nil
			}
			_ = content(t, data, n)
			return nil
		}))
		last := lastContents(data)
		for name, want := range last {
			found, err := tree.Lookup(name, false)
			if err == nil && found.Path() == name && found.Size <= 1<<20 {
				assert.Equal(t, want, content(t, data, found.Node), name)
			}
		}
	})
}

// lastContents returns the content of files whose name occurs once, alone
// among names that nothing can replace.
func lastContents(data []byte) map[string][]byte {
	all, seen := map[string][]byte{}, 0
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		if seen++; h.Typeflag == tar.TypeReg && h.Size <= 1<<20 {
			if content, err := io.ReadAll(r); err == nil {
				all[h.Name] = content
			}
		}
	}
	if seen != 1 {
		return nil
	}
	return all
}

func checkName(t *testing.T, name string) {
	t.Helper()
	assert.True(t, fs.ValidPath(strings.ToValidUTF8(name, "x")), "%q", name)
}

// FuzzFlatten makes layers of names that get in each other's way. However
// many of the lower ones are flattened first, the result is the same.
func FuzzFlatten(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 8, 3, 0, 1, 9, 0, 2, 2})
	f.Add([]byte{1, 0, 0, 0, 2, 0, 3, 4, 0, 0, 5, 0, 7, 0, 0, 9, 0, 0, 2, 1, 4, 3, 3, 3})
	f.Fuzz(func(t *testing.T, program []byte) {
		all := fuzzLayers(t, program)
		whole, err := flatten(t, all...)
		for i := 1; i < len(all); i++ {
			lower, lowerErr := flatten(t, all[:i]...)
			if lowerErr != nil {
				assert.Error(t, err)
				continue
			}
			again, upperErr := flatten(t, append([][]byte{lower}, all[i:]...)...)
			assert.Equal(t, err == nil, upperErr == nil, "%v, %v", err, upperErr)
			assert.True(t, bytes.Equal(whole, again) || err != nil, "%v", i)
		}
		if err != nil {
			return
		}
		for r := tar.NewReader(bytes.NewReader(whole)); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if h.Name != "./" {
				checkName(t, strings.TrimSuffix(h.Name, "/"))
			}
		}
	})
}

// fuzzLayers reads three bytes for each entry: kind, name and target. Kinds
// above the rest begin a new layer.
func fuzzLayers(t *testing.T, program []byte) [][]byte {
	t.Helper()
	names := []string{
		"a", "b", "c", "a/b", "a/c", "b/a", "b/c", "a/b/c", "c/../b", "../c", "/a/c", ".",
		".wh.a", ".wh.b", "a/.wh.b", "b/.wh.c", "c/.wh.a", ".wh..wh..opq", "a/.wh..wh..opq", "b/.wh..wh..opq", "a/.wh..wh.x",
	}
	targets := []string{"a", "b", "c", "/a", "/b", "../c", "a/b", "b/c", ".", "..", "a/../b", "nowhere/at/all"}
	var all [][]byte
	var layer []entry
	for ; len(program) >= 3 && len(all) < 5; program = program[3:] {
		name, target := names[int(program[1])%len(names)], targets[int(program[2])%len(targets)]
		switch program[0] % 6 {
		case 0:
			layer = append(layer, file(name, target))
		case 1:
			layer = append(layer, dir(name))
		case 2:
			layer = append(layer, symlink(name, target))
		case 3:
			layer = append(layer, link(name, target))
		case 4:
			layer = append(layer, file(names[12+int(program[1])%9], ""))
		default:
			all, layer = append(all, archive(t, layer...)), nil
		}
	}
	return append(all, archive(t, layer...))
}
