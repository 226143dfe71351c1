package diskimage_test

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// walked compares what debugfs says of the files of an ext2 or ext4 with a tree.
// There must be no others but lost+found and those that more names, or what is in
// them.
func walked(t *testing.T, image string, tree fs.FS, more ...string) {
	t.Helper()
	names := map[string]int{} // of each file, by the first one
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		names[firstName(t, name, d)]++
		return nil
	}))
	dump := t.TempDir()
	oracle.Run(t, "debugfs", "-R", "rdump / "+dump, image)
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		stat := oracle.Run(t, "debugfs", "-R", "stat /"+name, image)
		assert.Contains(t, stat, "Type: "+debugfsType(d.Type()), name)
		if d.IsDir() {
			return nil
		}
		for _, want := range debugfsSays(t, tree, name, d) {
			assert.Regexp(t, want, stat, name)
		}
		assert.Contains(t, stat, fmt.Sprintf("Links: %d ", names[firstName(t, name, d)]), name)
		if d.Type().IsRegular() {
			want, err := fs.ReadFile(tree, name)
			require.NoError(t, err)
			got, err := os.ReadFile(filepath.Join(dump, name))
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got), name)
		}
		return nil
	}))
	more = append(more, "lost+found")
	require.NoError(t, fs.WalkDir(os.DirFS(dump), ".", func(name string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		if _, err := fs.Lstat(tree, name); err != nil {
			assert.True(t, slices.ContainsFunc(more, func(s string) bool {
				return strings.HasPrefix(name+"/", s+"/") || strings.HasPrefix(s, name+"/")
			}), "%s is not in the tree", name)
		}
		return nil
	}))
}

// firstName returns the first name of a file.
func firstName(tb testing.TB, name string, d fs.DirEntry) string {
	tb.Helper()
	if h := header(tb, d); h.Typeflag == tar.TypeLink {
		return h.Linkname
	}
	return name
}

// header returns what a tree says of a file besides its mode.
func header(tb testing.TB, d fs.DirEntry) *tar.Header {
	tb.Helper()
	info, err := d.Info()
	require.NoError(tb, err)
	if h, ok := info.Sys().(*tar.Header); ok && h != nil {
		return h
	}
	return new(tar.Header)
}

// debugfsType returns what debugfs calls a type of files.
func debugfsType(kind fs.FileMode) string {
	return map[fs.FileMode]string{
		0: "regular", fs.ModeDir: "directory", fs.ModeSymlink: "symlink", fs.ModeDevice | fs.ModeCharDevice: "character special",
	}[kind]
}

// debugfsSays returns what debugfs says of a file that is no directory.
func debugfsSays(tb testing.TB, tree fs.FS, name string, d fs.DirEntry) []string {
	tb.Helper()
	info, err := d.Info()
	require.NoError(tb, err)
	mode := info.Mode().Perm()
	if info.Mode()&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	h := header(tb, d)
	says := []string{fmt.Sprintf("Mode:  0%o ", mode), fmt.Sprintf(`User: +%d +Group: +%d `, h.Uid, h.Gid)}
	switch d.Type() {
	case fs.ModeSymlink:
		target, err := fs.ReadLink(tree, name)
		require.NoError(tb, err)
		says = append(says, fmt.Sprintf(`link dest: "%s"`, target))
	case fs.ModeDevice | fs.ModeCharDevice:
		says = append(says, fmt.Sprintf(`Device major/minor number: %02d:%02d `, h.Devmajor, h.Devminor))
	}
	return says
}

// fullRoot is the small root with owners and a file of two names.
func fullRoot() fstest.MapFS {
	tree := smallRoot()
	owned := smallFile("owned")
	owned.Sys = &tar.Header{Typeflag: tar.TypeReg, Name: "srv/owned", Mode: 0o640, Size: 5, Uid: 1000, Gid: 70000}
	again := smallFile("owned")
	owned.Mode, again.Mode = 0o640, 0o640
	again.Sys = &tar.Header{Typeflag: tar.TypeLink, Name: "srv/to", Linkname: "srv/owned", Mode: 0o640, Uid: 1000, Gid: 70000}
	tree["srv/owned"], tree["srv/to"] = owned, again
	return tree
}
