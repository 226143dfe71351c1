package output_test

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/output"
)

const digest = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c" // of "foo\n"

func TestFile(t *testing.T) {
	t.Parallel()

	for name, write := range map[string]func(*output.File) error{
		"from front to end": func(f *output.File) error {
			_, err := io.WriteString(f.Writer(), "foo\n")
			return err
		},
		"in any order": func(f *output.File) error {
			_, err := f.WriteAt([]byte("o\n"), 2)
			_, err2 := f.WriteAt([]byte("fo"), 0)
			return errors.Join(err, err2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			path := filepath.Join(t.TempDir(), "x.iso")
			f, err := output.Create(path, 4)
			require.NoError(t, err)
			require.NoError(t, f.Finish(t.Context(), write(f)))
			assert.Equal(t, digest, f.Digest)
			assert.EqualValues(t, 4, f.Size)
			assert.Equal(t, path+"\n  size    4 B (4 bytes)\n  sha256  "+digest+"\n", f.String())
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, "foo\n", string(data))
			line, err := os.ReadFile(path + ".sha256")
			require.NoError(t, err)
			assert.Equal(t, digest+" x.iso\n", string(line))
		})
	}
}

func TestFileWhenWorkFails(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	old := filepath.Join(dir, "x.iso")
	require.NoError(t, os.WriteFile(old, []byte("an older one"), 0o600))
	f, err := output.Create(old, 4)
	require.NoError(t, err)
	broken := errors.New("broken")
	require.ErrorIs(t, f.Finish(t.Context(), broken), broken)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	data, err := os.ReadFile(old)
	require.NoError(t, err)
	assert.Equal(t, "an older one", string(data))
}

// TestFileWhenItIsInterrupted has no image when the signal comes after the work, but
// before the end.
func TestFileWhenItIsInterrupted(t *testing.T) {
	t.Parallel()

	for name, writer := range map[string]func(*output.File) io.Writer{
		"from front to end": func(f *output.File) io.Writer { return f.Writer() },
		"in any order":      func(f *output.File) io.Writer { return f },
	} {
		f, err := output.Create(filepath.Join(t.TempDir(), "x.iso"), 4)
		require.NoError(t, err)
		_, err = io.WriteString(writer(f), "foo\n")
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		signal := errors.New("signal")
		cancel(signal)
		require.ErrorIs(t, f.Finish(ctx, nil), signal, name)
		entries, err := os.ReadDir(filepath.Dir(f.Path))
		require.NoError(t, err)
		assert.Empty(t, entries, name)
	}
}

// TestFileWhenTheDiskFails hears of it while it writes, not at the end.
func TestFileWhenTheDiskFails(t *testing.T) {
	t.Parallel()

	f, err := output.Create(filepath.Join(t.TempDir(), "x.iso"), 4)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	n, err := io.CopyN(f.Writer(), zeros{}, 1<<30)
	require.ErrorIs(t, err, fs.ErrClosed)
	assert.Less(t, n, int64(8<<20))
	err = f.Finish(t.Context(), err)
	require.ErrorIs(t, err, fs.ErrClosed)
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestFileWithoutDigest leaves the old file and its digest as they are.
func TestFileWithoutDigest(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	name := filepath.Join(dir, "x.iso")
	require.NoError(t, os.WriteFile(name, []byte("an older one"), 0o600))
	f, err := output.Create(name, 4)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(name+".sha256.partial", 0o700))
	require.ErrorContains(t, f.Finish(t.Context(), nil), "x.iso.sha256.partial")
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "an older one", string(data))
	assert.NoFileExists(t, name+".sha256")
	assert.NoFileExists(t, name+".partial")
}

// TestCheckWhenItIsNoFile finds out before work starts, and replaces no device.
func TestCheckWhenItIsNoFile(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(path("folder"), 0o700))
	require.NoError(t, os.Mkdir(path("a.sha256"), 0o700))
	require.NoError(t, os.WriteFile(path("file"), nil, 0o600))
	require.NoError(t, os.Symlink("file", path("link")))
	for name, want := range map[string]string{
		path("folder"):                 "folder is a folder, which a file would replace",
		path("folder") + "/":           "folder/ is a folder",
		path("link"):                   "link is a symbolic link",
		path("a"):                      "a.sha256 is a folder",
		os.DevNull:                     os.DevNull + " is a device, which a file would replace: name another, and copy it there",
		path("absent/x"):               "absent/x cannot be made there",
		path("file/x"):                 "file is not a folder",
		path("a\nb"):                   `"a\nb" cannot stand in the line of its digest`,
		"-":                            "- is no file",
		path(strings.Repeat("n", 245)): "name too long",
	} {
		require.ErrorContains(t, output.Check(name), want)
		_, err := output.Create(name, 0)
		require.ErrorContains(t, err, want)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 4)
}

// TestCheck checks that what is made is known by any path, as are the files
// beside it.
func TestCheck(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"x.iso", "y.iso.partial", "z.iso.sha256", "other"} {
		require.NoError(t, os.WriteFile(path(name), nil, 0o600))
	}
	require.NoError(t, os.Link(path("x.iso"), path("link")))
	for name, input := range map[string]string{
		"x.iso": path("x.iso"), "y.iso": path("y.iso.partial"), "z.iso": path("z.iso.sha256"), "link": dir + "/./x.iso",
	} {
		require.ErrorContains(t, output.Check(path(name), "", path("other"), input), "would be written over "+input)
	}
	require.NoError(t, output.Check(path("new"), path("x.iso")))
	require.NoError(t, output.Check(path("x.iso"), path("other"), path("absent"), "quay.io/a:b"))
}

func TestSum(t *testing.T) {
	t.Parallel()

	assert.EqualValues(t, 5, output.Sum(fstest.MapFS{
		"a/b": {Data: []byte("ab")}, "c": {Data: []byte("cde")},
		"d": {Data: []byte("cde"), Sys: &tar.Header{Typeflag: tar.TypeLink, Linkname: "c"}},
	}), "a further name takes nothing")
}

func TestCheckSpace(t *testing.T) {
	t.Parallel()

	require.NoError(t, output.CheckSpace(t.TempDir(), 1))
	require.ErrorContains(t, output.CheckSpace(t.TempDir(), 1<<60), "the image takes 1.0 EiB or more")
	require.ErrorIs(t, output.CheckSpace(filepath.Join(t.TempDir(), "absent"), 1), fs.ErrNotExist)
}
