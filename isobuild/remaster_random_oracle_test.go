package isobuild_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// A randomTree is what a tree of random files is expected to hold. Each content
// is made of a mark of its own.
type randomTree struct {
	r     *rand.Rand
	files map[string]string
	marks int
	gone  []string // marks, and names
}

// name returns a name that no other file has, in a folder or a new one.
func (t *randomTree) name() string {
	t.marks++
	name := fmt.Sprintf("mark%06d", t.marks)
	name = []string{name, "." + name, name + ".tar.gz", "of course " + name, name + "ünï日本", name + strings.Repeat("x", t.r.IntN(40))}[t.r.IntN(6)]
	return path.Join([]string{".", "random", "random/a b", "random/1/2/3/4/5/6/7/8/9/10"}[t.r.IntN(4)], name)
}

// put adds a file, or replaces it.
func (t *randomTree) put(name string) *fstest.MapFile {
	t.marks++
	mark, size := fmt.Sprintf("<%06d>", t.marks), []int{0, 1, 8, 2048, 2049, t.r.IntN(50000)}[t.r.IntN(6)]
	t.forget(name)
	t.files[name] = strings.Repeat(mark, size/len(mark)+1)[:size]
	return labFile([]byte(t.files[name]))
}

// forget notes that a content, if there is one, is gone.
func (t *randomTree) forget(name string) {
	if content := t.files[name]; len(content) >= 8 {
		t.gone = append(t.gone, content[:8])
	}
	delete(t.files, name)
}

// change returns options that add, replace and remove some files.
func (t *randomTree) change() []isobuild.Option {
	var opts []isobuild.Option
	added := make(fstest.MapFS)
	names := slices.Sorted(maps.Keys(t.files))
	for _, i := range t.r.Perm(len(names))[:6] {
		if i%2 == 0 {
			added[names[i]] = t.put(names[i])
			continue
		}
		t.forget(names[i])
		at := strings.Index(names[i], "mark")
		t.gone = append(t.gone, names[i][at:at+10])
		opts = append(opts, isobuild.WithRemove(names[i]))
	}
	for range 4 {
		name := t.name()
		added[name] = t.put(name)
	}
	return append(opts, isobuild.WithFiles(added))
}

// TestRemasterManyTimes changes random files of the image of each writer, again
// and again, and looks for what was removed anywhere in the image.
func TestRemasterManyTimes(t *testing.T) {
	t.Parallel()

	for name, w := range writers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			folder := media(t)
			tree := &randomTree{r: rand.New(rand.NewPCG(1, uint64(len(name)))), files: make(map[string]string)}
			for range 40 {
				name := tree.name()
				file := filepath.Join(folder, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, tree.put(name).Data, 0o644))
			}
			first := w.image(t, folder)
			own := regular(t, opened(t, first))
			maps.DeleteFunc(own, func(name, _ string) bool { return strings.Contains(name, "mark") })
			for last := range 2 {
				next := remastered(t, first, tree.change()...)
				checkTree(t, next, w, own, tree)
				checkBoot(t, first, next)
				checkTables(t, first, next, w.tables)
				assert.Contains(t, oracle.Run(t, "xorriso", "-indev", next, "-find", "/"), "boot", "change %d", last)
				first = next
			}
		})
	}
}

// checkTree compares the files of an image with those of its writer and of tree.
func checkTree(t *testing.T, name string, w writer, own map[string]string, tree *randomTree) {
	t.Helper()
	want := maps.Clone(own)
	maps.Copy(want, tree.files)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, want, regular(t, treeOf(t, b)))
	if treeOf(t, b).Volume().Joliet {
		assert.Equal(t, want, regular(t, treeOf(t, b, iso9660.WithNames(iso9660.Joliet))))
	}
	if w.own {
		assert.Equal(t, want, regular(t, treeOf(t, b[16*iso9660.BlockSize:])), "in the first partition")
	}
	upper := bytes.ToUpper(b)
	for _, gone := range tree.gone {
		assert.False(t, bytes.Contains(upper, []byte(strings.ToUpper(gone))), gone)
		assert.False(t, bytes.Contains(b, []byte(ucs2(gone))), gone)
	}
}
