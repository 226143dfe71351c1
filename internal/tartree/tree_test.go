package tartree_test

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

func TestTreeLimitsEntries(t *testing.T) {
	t.Parallel()

	tree, node := tartree.New(), &tartree.Node{Type: tar.TypeReg}
	for range 2 << 20 {
		if err := tree.Add(0, "a", node); err != nil {
			require.NoError(t, err)
		}
	}
	assert.EqualError(t, tree.Add(0, "a", node), "more than 2097152 entries")
	assert.EqualError(t, tree.Link(0, "b", "a"), "more than 2097152 entries")
}

func TestTreeLimitsMemory(t *testing.T) {
	t.Parallel()

	for name, node := range map[string]*tartree.Node{
		"attributes": {Type: tar.TypeReg, Xattrs: map[string]string{"user.large": strings.Repeat("x", 1<<20)}},
		"targets":    {Type: tar.TypeSymlink, Target: strings.Repeat("x", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tree := tartree.New()
			for range 255 {
				require.NoError(t, tree.Add(0, "a", node))
			}
			assert.EqualError(t, tree.Add(0, "a", node), "names, links and attributes take more than 268435456 bytes")
		})
	}
}

func TestClean(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]string{
		"": ".", "/": ".", ".": ".", "./": ".", "..": ".", "../..": ".", "a/..": ".",
		"a": "a", "/a/": "a", "./a//b/.": "a/b", "../../etc/passwd": "etc/passwd", "a/../../b": "b",
		`a\b`: `a\b`, "...": "...", "a/..b": "a/..b", "\xff": "\xff",
	} {
		got, err := tartree.Clean(name)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%q", name)
	}
	_, err := tartree.Clean("a\x00b")
	assert.EqualError(t, err, "name holds a zero byte")
}

func TestLookupLimitsLinks(t *testing.T) {
	t.Parallel()

	tree := tartree.New()
	require.NoError(t, tree.Add(0, "l0", &tartree.Node{Type: tar.TypeReg}))
	for i := range 41 {
		target := fmt.Sprintf("l%d", i)
		require.NoError(t, tree.Add(0, fmt.Sprintf("l%d", i+1), &tartree.Node{Type: tar.TypeSymlink, Target: target}))
	}
	tree.Freeze()
	found, err := tree.Lookup("l40", true)
	require.NoError(t, err)
	assert.Equal(t, "l0", found.Path())
	_, err = tree.Lookup("l41", true)
	assert.ErrorIs(t, err, tartree.ErrLoop)
	found, err = tree.Lookup("l41", false)
	require.NoError(t, err)
	assert.Equal(t, "l40", found.Target)
}

// TestTreeDrain visits what Walk does, links to files that are gone included.
func TestTreeDrain(t *testing.T) {
	t.Parallel()

	tree := tartree.New()
	for _, name := range []string{"a/b/file", "a/c", "z"} {
		require.NoError(t, tree.Add(0, name, &tartree.Node{Type: tar.TypeReg}))
	}
	require.NoError(t, tree.Link(0, "d/link", "a/b/file"))
	tree.Freeze()
	var walked, drained []string
	visit := func(list *[]string) func(string, *tartree.Node) error {
		return func(name string, n *tartree.Node) error {
			*list = append(*list, name+" = "+n.FirstPath())
			return nil
		}
	}
	require.NoError(t, tree.Walk(visit(&walked)))
	require.NoError(t, tree.Drain(visit(&drained)))
	assert.Equal(t, walked, drained)
	assert.Contains(t, drained, "d/link = a/b/file")
	assert.Empty(t, tree.Root().Entries())
}
