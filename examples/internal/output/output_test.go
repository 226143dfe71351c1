package output_test

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
			require.NoError(t, f.Finish(write(f)))
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
	require.ErrorIs(t, f.Finish(broken), broken)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	data, err := os.ReadFile(old)
	require.NoError(t, err)
	assert.Equal(t, "an older one", string(data))
}

// TestCheckInputs checks that what is made is known by any path, as are the files
// beside it.
func TestCheckInputs(t *testing.T) {
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
		require.ErrorContains(t, output.CheckInputs(path(name), "", path("other"), input), "would be written over "+input)
	}
	require.NoError(t, output.CheckInputs(path("new"), path("x.iso")))
	require.NoError(t, output.CheckInputs(path("x.iso"), path("other"), path("absent"), "quay.io/a:b"))
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
