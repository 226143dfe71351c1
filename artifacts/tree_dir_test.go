package artifacts_test

import (
	"archive/tar"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// openDir opens folder as a tree.
func openDir(t *testing.T, folder string) *artifacts.Tree {
	t.Helper()
	root, err := os.OpenRoot(folder)
	require.NoError(t, err)
	tree, err := artifacts.OpenDir(t.Context(), root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tree.Close()) })
	return tree
}

// write makes files with their names as content.
func write(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		file := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(name), 0o640))
	}
}

func TestOpenDirIsAFileSystem(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "etc/passwd", "usr/lib/os-release", "empty/.keep")
	require.NoError(t, os.Symlink("../usr/lib/os-release", filepath.Join(folder, "etc/os-release")))
	require.NoError(t, fstest.TestFS(openDir(t, folder), "etc/passwd", "etc/os-release"))
}

func TestOpenDirFollowsLinksInside(t *testing.T) {
	t.Parallel()

	folder, outside := t.TempDir(), t.TempDir()
	write(t, folder, "etc/passwd")
	write(t, outside, "secret")
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(folder, "abs")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(folder, "out")))
	require.NoError(t, os.Symlink("../../../etc", filepath.Join(folder, "up")))
	tree := openDir(t, folder)

	for _, name := range []string{"abs", "up/passwd"} {
		data, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		assert.Equal(t, "etc/passwd", string(data))
	}
	_, err := tree.Open("out")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOpenDirNoticesChanges(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "grown", "gone", "replaced")
	tree := openDir(t, folder)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "grown"), []byte("longer than before"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(folder, "gone")))
	require.NoError(t, os.Remove(filepath.Join(folder, "replaced")))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "replaced"), 0o700))

	_, err := tree.Open("grown")
	assert.ErrorContains(t, err, "open grown: changed since its directory was opened")
	_, err = tree.Open("replaced")
	assert.ErrorContains(t, err, "open replaced: changed since")
	_, err = tree.Open("gone")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOpenDirStopsAtOnce(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "a")
	root, err := os.OpenRoot(folder)
	require.NoError(t, err)
	defer root.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = artifacts.OpenDir(ctx, root)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOpenDirOfClosedRoot(t *testing.T) {
	t.Parallel()

	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, root.Close())
	_, err = artifacts.OpenDir(t.Context(), root)
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestOpenDirFilesAreFiles(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "a")
	f, err := openDir(t, folder).Open("a")
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, int64(1), f.(interface{ Size() int64 }).Size())
	info, err := f.Stat()
	require.NoError(t, err)
	assert.IsType(t, (*tar.Header)(nil), info.Sys())
}
