package treetest_test

import (
	"archive/tar"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/treetest"
)

// hello is the CRC-64 of "hello".
const hello = "9b1edae5dbb937b1"

func TestList(t *testing.T) {
	t.Parallel()
	tree := treetest.New(
		t, treetest.Dir("d").With(treetest.Xattrs("user.a", "1", "user.b", "2")), treetest.File("d/f", []byte("hello")),
		treetest.Link("z", "d/f"), treetest.Symlink("l", "d"), treetest.Device(tar.TypeBlock, "sda", 8, 1),
	)
	require.NoError(t, fstest.TestFS(tree, "d/f", "z", "l", "sda"))
	var list []string
	all := treetest.List(t, tree)
	for _, name := range all.Paths() {
		list = append(list, name+" "+all[name].String())
	}
	assert.Equal(t, []string{
		". drwxr-xr-x 0:0 1970-01-01T00:00:00Z",
		`d drwxr-xr-x 0:0 2023-11-14T22:13:20Z user.a="1" user.b="2"`,
		"d/f -rw-r--r-- 0:0 2023-11-14T22:13:20Z size=5 sum=" + hello + " links=2",
		"l Lrwxrwxrwx 0:0 2023-11-14T22:13:20Z target=d links=1",
		"sda Drw-rw---- 0:6 2023-11-14T22:13:20Z device=[8 1] links=1",
		"z -rw-r--r-- 0:0 2023-11-14T22:13:20Z size=5 sum=" + hello + " links=2 same=d/f",
	}, list)
}

// A counter counts failures instead of failing.
type counter struct {
	testing.TB

	failed int
}

func (c *counter) Helper()               {}
func (c *counter) Errorf(string, ...any) { c.failed++ }

// A reversed tree lists directories backwards.
type reversed struct{ fs.ReadLinkFS }

func (t reversed) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(t.ReadLinkFS, name)
	slices.Reverse(entries)
	return entries, err
}

func TestListWhenFirstNamesAreNotFirst(t *testing.T) {
	t.Parallel()
	tree := treetest.New(t, treetest.File("a", nil), treetest.Link("b", "a"), treetest.Link("c", "a"))
	count := &counter{TB: t}
	treetest.List(count, reversed{tree.(fs.ReadLinkFS)})
	assert.Equal(t, 2, count.failed)
}

func TestNoise(t *testing.T) {
	t.Parallel()
	assert.Len(t, treetest.Noise(1000, 1), 1000)
	assert.Equal(t, treetest.Noise(1000, 1), treetest.Noise(1000, 1))
	assert.NotEqual(t, treetest.Noise(1000, 1), treetest.Noise(1000, 1<<16))
}
