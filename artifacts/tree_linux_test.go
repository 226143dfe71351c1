package artifacts_test

import (
	"archive/tar"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOpenDirOnLinux(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "z/first", "z.txt")
	for _, name := range []string{"a", "z/0", "z.link"} {
		require.NoError(t, os.Link(filepath.Join(folder, "z/first"), filepath.Join(folder, name)))
	}
	require.NoError(t, os.Chmod(filepath.Join(folder, "z.txt"), 0o755|fs.ModeSetuid))
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600))
	socket, err := net.Listen("unix", filepath.Join(folder, "socket"))
	require.NoError(t, err)
	defer socket.Close()
	long := make([]byte, 4000)
	err = unix.Setxattr(filepath.Join(folder, "z"), "user.long", long, 0)
	hasXattrs := err == nil
	tree := openDir(t, folder)

	kinds := map[string]string{}
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		h := info.Sys().(*tar.Header)
		kinds[name] = string(h.Typeflag) + h.Linkname
		assert.Equal(t, os.Getuid(), h.Uid)
		return nil
	}))
	assert.Equal(t, map[string]string{
		".": "5", "a": "0", "z": "5", "z/first": "1a", "z/0": "1a", "z.link": "1a", "z.txt": "0", "pipe": "6",
	}, kinds, "the socket is left out")

	info, err := tree.Stat("z.txt")
	require.NoError(t, err)
	assert.Equal(t, 0o755|fs.ModeSetuid, info.Mode())
	info, err = tree.Stat("z")
	require.NoError(t, err)
	if hasXattrs { // Not every file system takes those of users.
		assert.Equal(t, string(long), info.Sys().(*tar.Header).PAXRecords["SCHILY.xattr.user.long"])
	}

	data, err := fs.ReadFile(tree, "z/0")
	require.NoError(t, err)
	assert.Equal(t, "z/first", string(data))
	data, err = fs.ReadFile(tree, "pipe") // It does not wait for a writer.
	require.NoError(t, err)
	assert.Empty(t, data)
}

// TestOpenDirDoesNotWait has a pipe take the place of a file.
func TestOpenDirDoesNotWait(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	write(t, folder, "a")
	tree := openDir(t, folder)
	require.NoError(t, os.Remove(filepath.Join(folder, "a")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "a"), 0o600))
	_, err := tree.Open("a")
	assert.ErrorContains(t, err, "changed since")
}

// TestOpenDirKnowsHoles needs a file system that has holes, as those of Linux do.
func TestOpenDirKnowsHoles(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	name := filepath.Join(folder, "sparse")
	write(t, folder, "sparse", "dense")
	require.NoError(t, os.Truncate(name, 1<<20))
	tree := openDir(t, folder)
	require.NoError(t, fstest.TestFS(tree, "sparse", "dense"))
	f, err := tree.Open("sparse")
	require.NoError(t, err)
	defer f.Close()
	b := make([]byte, 3)
	_, err = io.ReadFull(f, b)
	require.NoError(t, err)

	nextData := f.(interface {
		NextData(off int64) (start, end int64, ok bool)
	}).NextData
	start, end, ok := nextData(0)
	assert.True(t, ok)
	assert.Zero(t, start)
	assert.Less(t, end, int64(1<<20))
	for _, off := range []int64{end, 1 << 20, 1 << 40} {
		_, _, ok = nextData(off)
		assert.False(t, ok, off)
	}
	_, err = io.ReadFull(f, b)
	require.NoError(t, err)
	assert.Equal(t, "rse", string(b), "Read goes on where it was")

	require.NoError(t, os.Truncate(name, 3))
	start, last, ok := nextData(end)
	assert.Equal(t, [3]any{end, int64(1 << 20), true}, [3]any{start, last, ok}, "to read what is gone is an error")
}
