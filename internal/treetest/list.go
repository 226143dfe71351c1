package treetest

import (
	"archive/tar"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// List returns what a tree holds. It fails tb for what no other tree is needed
// to see: a header that is not there, a file of another size than it says, and
// a further name of what is not the first name of a file.
func List(tb testing.TB, tree fs.FS) manifest.Manifest {
	tb.Helper()
	all, err := manifest.FS(tree)
	require.NoError(tb, err)
	first := make(map[string]bool)
	require.NoError(tb, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(tb, err)
		info, err := d.Info()
		require.NoError(tb, err)
		require.Empty(tb, all[name].Err, name)
		if info.Mode().IsRegular() {
			assert.Equal(tb, all[name].Size, info.Size(), name)
		}
		if h := info.Sys().(*tar.Header); h.Typeflag == tar.TypeLink {
			assert.True(tb, first[h.Linkname], "%s is a further name of %s", name, h.Linkname)
		} else {
			first[name] = true
		}
		return nil
	}))
	return all
}
