package deb_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/deb"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestAsDpkg builds packages with dpkg-deb and compares every file of them with
// the tar that dpkg-deb gets out of them.
func TestAsDpkg(t *testing.T) {
	t.Parallel()
	dpkg := oracle.Need(t, "dpkg-deb")
	dir := t.TempDir()
	write := func(name, data string, mode fs.FileMode) {
		full := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(data), 0o600))
		require.NoError(t, os.Chmod(full, mode))
	}
	write("DEBIAN/control", "Package: odd\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: odd\n", 0o644)
	write("usr/lib/setuid", "s", 0o755|fs.ModeSetuid)
	write("usr/lib/empty", "", 0o600)
	write("usr/share/größe", string(bytes.Repeat([]byte("many bytes "), 100_000)), 0o644)
	write("usr/share/"+string(bytes.Repeat([]byte("n"), 200)), "long name", 0o644)
	require.NoError(t, os.Link(filepath.Join(dir, "usr/lib/setuid"), filepath.Join(dir, "usr/lib/again")))
	require.NoError(t, os.Symlink("../lib/setuid", filepath.Join(dir, "usr/share/link")))
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "odd.deb")
			report, err := exec.CommandContext(t.Context(), dpkg, "-Z"+compression, "-b", dir, out).CombinedOutput()
			require.NoError(t, err, string(report))
			compare(t, dpkg, out)
		})
	}
}

// compare compares a package with the tar that dpkg-deb gets out of it.
func compare(t *testing.T, dpkg, file string) {
	t.Helper()
	want, err := exec.CommandContext(t.Context(), dpkg, "--fsys-tarfile", file).Output()
	require.NoError(t, err)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	tree, err := deb.Open(f, size)
	require.NoError(t, err)

	left := make(map[string]bool)
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, _ fs.DirEntry, err error) error {
		left[name] = true
		return err
	}))
	for r := tar.NewReader(bytes.NewReader(want)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		name := path.Clean(h.Name)
		require.True(t, left[name], name)
		delete(left, name)
		compareFile(t, tree, name, h, r)
	}
	assert.Empty(t, left, "files that dpkg-deb does not have")
}

// compareFile compares one file with an entry of dpkg-deb's tar.
func compareFile(t *testing.T, tree fs.FS, name string, h *tar.Header, r io.Reader) {
	t.Helper()
	info, err := fs.Lstat(tree, name)
	require.NoError(t, err)
	if h.Typeflag == tar.TypeLink {
		first, err := fs.Stat(tree, path.Clean(h.Linkname))
		require.NoError(t, err)
		assert.Equal(t, first.Mode(), info.Mode())
		return
	}
	assert.Equal(t, h.FileInfo().Mode(), info.Mode(), name)
	assert.True(t, h.ModTime.Equal(info.ModTime()), name)
	got := info.Sys().(*tar.Header)
	assert.Equal(t, [2]int{h.Uid, h.Gid}, [2]int{got.Uid, got.Gid}, name)
	switch h.Typeflag {
	case tar.TypeSymlink:
		target, err := fs.ReadLink(tree, name)
		require.NoError(t, err)
		assert.Equal(t, h.Linkname, target)
	case tar.TypeReg:
		want, err := io.ReadAll(r)
		require.NoError(t, err)
		data, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, data), name)
	}
}
