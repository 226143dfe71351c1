package manifest_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestDir lists a folder as the kernel shows it and as package artifacts reads
// it.
func TestDir(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "tree")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub/b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub/b/file"), []byte("data"), 0o640))
	require.NoError(t, os.Chmod(filepath.Join(dir, "sub/b/file"), 0o751|os.ModeSetuid))
	require.NoError(t, os.Link(filepath.Join(dir, "sub/b/file"), filepath.Join(dir, "sub/a")))
	require.NoError(t, os.Symlink("b/file", filepath.Join(dir, "sub/link")))
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	if err := unix.Lsetxattr(filepath.Join(dir, "sub/b/file"), "user.name", []byte("a\x00b"), 0); err != nil {
		t.Logf("no extended attributes in this test: %v", err)
	}
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, filepath.Walk(dir, func(file string, _ os.FileInfo, err error) error {
		require.NoError(t, err)
		ts := unix.NsecToTimespec(at.UnixNano())
		return unix.UtimesNanoAt(unix.AT_FDCWD, file, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	}))

	got, err := manifest.Dir(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{".", "fifo", "sub", "sub/a", "sub/b", "sub/b/file", "sub/link"}, got.Paths())
	file := got["sub/b/file"]
	assert.Equal(t, 0o751|fs.ModeSetuid, file.Mode)
	assert.Equal(t, "sub/a", file.Same)
	assert.Equal(t, 2, file.Links)
	assert.Equal(t, at, file.ModTime)
	assert.Equal(t, int64(4), file.Size)
	assert.Equal(t, "c3299f929d466f7f", file.Sum)
	assert.Equal(t, "b/file", got["sub/link"].Target)

	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	tree, err := artifacts.OpenDir(t.Context(), root)
	require.NoError(t, err)
	same, err := manifest.FS(tree)
	require.NoError(t, err)
	assert.Empty(t, manifest.Diff(got, same))
}

// TestFS has what only a header says.
func TestFS(t *testing.T) {
	t.Parallel()

	device := fs.ModeDevice | fs.ModeCharDevice | 0o620
	m, err := manifest.FS(fstest.MapFS{
		"tty":   {Mode: device, Sys: &tar.Header{Devmajor: 4, Devminor: 64, Uid: 1, Gid: 5}},
		"plain": {Data: []byte("x"), Mode: 0o600},
		"attr":  {Mode: 0o600, Sys: &tar.Header{PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b", "path": "attr"}}},
	})
	require.NoError(t, err)
	assert.Equal(t, "Dcrw--w---- 1:5 0001-01-01T00:00:00Z device=[4 64] links=1", m["tty"].String())
	assert.Equal(t, 0, m["plain"].UID)
	assert.Equal(t, map[string]string{"user.a": "b"}, m["attr"].Xattrs)
}

// TestDiff finds every kind of difference, and leaves away what is not known.
func TestDiff(t *testing.T) {
	t.Parallel()

	want := manifest.Manifest{"a": {Links: 2}, "b": {Size: 1, Links: 1}, "c": {}}
	assert.Empty(t, manifest.Diff(want, want.Edit(func(_ string, e *manifest.Entry) { e.Links = 0 })))
	lines := manifest.Diff(want, manifest.Manifest{"b": {Size: 2, Links: 1}, "c": {}, "d": {Err: "why"}})
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `"a": missing`)
	assert.Contains(t, lines[1], `"b": want`)
	assert.Contains(t, lines[2], `"d": not wanted`)

	many := manifest.Manifest{}
	for i := range 30 {
		many[strings.Repeat("x", i+1)] = manifest.Entry{}
	}
	lines = manifest.Diff(many, nil)
	assert.Len(t, lines, 21)
	assert.Equal(t, "and 10 more", lines[20])
}

// TestReadResults reads what was written, and nothing where that did not come
// to its end.
func TestReadResults(t *testing.T) {
	t.Parallel()

	file, err := os.Create(filepath.Join(t.TempDir(), "results"))
	require.NoError(t, err)
	defer file.Close()
	want := []manifest.Result{{Manifest: manifest.Manifest{"a": {Sum: "s"}}}, {Err: "why", Log: "log"}}
	require.NoError(t, manifest.WriteResults(file, want))
	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)
	got, err := manifest.ReadResults(file)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	_, err = manifest.ReadResults(bytes.NewReader(make([]byte, 100)))
	require.ErrorContains(t, err, "0 bytes, expected 1 to 1073741824")
	_, err = manifest.ReadResults(strings.NewReader("\x00\x00\x00\x00\x00\x00\x00\x05short"))
	require.Error(t, err)
	_, err = manifest.ReadResults(strings.NewReader("\x00"))
	require.Error(t, err)
}
