package artifacts_test

import (
	"archive/tar"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

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
