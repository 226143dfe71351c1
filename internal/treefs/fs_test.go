package treefs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// sample returns an archive that has one of everything; the content of each
// regular file is its name.
func sample(t *testing.T) (*tartree.Tree, *bytes.Reader) {
	t.Helper()
	return scan(
		t,
		tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o640, Uid: 7},
		tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/sh", Mode: 0o755},
		tar.Header{Typeflag: tar.TypeLink, Name: "usr/bin/ash", Linkname: "usr/bin/sh"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "bin", Linkname: "/../usr/bin"},
		tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
		tar.Header{Typeflag: tar.TypeFifo, Name: "dev/initctl", Mode: 0o600},
	)
}

// scan makes an archive of the headers, and reads it.
func scan(t *testing.T, headers ...tar.Header) (*tartree.Tree, *bytes.Reader) {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		require.NoError(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, h.Name[:h.Size])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	r := bytes.NewReader(buf.Bytes())
	tree, err := tartree.Scan(r, r.Size())
	require.NoError(t, err)
	return tree, r
}

func TestFS(t *testing.T) {
	t.Parallel()

	tree, r := sample(t)
	files := treefs.New(tree, treefs.Tar(r))
	require.NoError(t, fstest.TestFS(files, "etc/passwd", "usr/bin/ash", "bin", "dev/null", "dev/initctl"))
	for name, want := range map[string]string{
		"etc/passwd": "etc/passwd", "bin/ash": "usr/bin/sh", "dev/null": "", "dev/initctl": "",
	} {
		content, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		assert.Equal(t, want, string(content), name)
	}
	target, err := files.ReadLink("bin")
	require.NoError(t, err)
	assert.Equal(t, "/../usr/bin", target)
}

// TestFSKeepsBytesOfNames is apart from [TestFS], since fs.Sub wants UTF-8.
func TestFSKeepsBytesOfNames(t *testing.T) {
	t.Parallel()

	tree, r := scan(t, tar.Header{Typeflag: tar.TypeReg, Name: "etc/caf\xe9", Format: tar.FormatGNU})
	files := treefs.New(tree, treefs.Tar(r))
	entries, err := files.ReadDir("etc")
	require.NoError(t, err)
	require.Len(t, entries, 1)
	content, err := fs.ReadFile(files, "etc/"+entries[0].Name())
	require.NoError(t, err)
	assert.Equal(t, "etc/caf\xe9", string(content))
}

func TestFSInfo(t *testing.T) {
	t.Parallel()

	tree, r := sample(t)
	files := treefs.New(tree, treefs.Tar(r))
	info, err := files.Stat("bin/sh")
	require.NoError(t, err)
	assert.Equal(t, "sh", info.Name())
	h := info.Sys().(*tar.Header)
	assert.Equal(t, "usr/bin/sh", h.Name, "without the links on the way")
	assert.Equal(t, byte(tar.TypeLink), h.Typeflag)
	assert.Equal(t, "usr/bin/ash", h.Linkname, "the first name is the file's")
	assert.NotSame(t, h, info.Sys(), "callers may change what they got")

	info, err = files.Lstat("bin")
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSymlink, info.Mode().Type())
	info, err = files.Stat("bin")
	require.NoError(t, err)
	assert.True(t, info.IsDir())
}

// TestOpener checks what an Opener is called for, and that its errors are not
// changed.
func TestOpener(t *testing.T) {
	t.Parallel()

	broken := errors.New("input/output error")
	tree, _ := sample(t)
	var opened []string
	files := treefs.New(tree, func(name string, found tartree.Found, info fs.FileInfo) (fs.File, error) {
		opened = append(opened, name+" "+found.Path()+" "+info.Name())
		return nil, broken
	})
	for _, name := range []string{".", "bin", "dev/null", "dev/initctl"} {
		_, err := files.Open(name)
		require.NoError(t, err)
	}
	assert.Empty(t, opened)
	_, err := files.Open("bin/sh")
	assert.Equal(t, broken, err)
	assert.Equal(t, []string{"bin/sh usr/bin/sh sh"}, opened)
}

func TestFSErrors(t *testing.T) {
	t.Parallel()

	tree, r := sample(t)
	files := treefs.New(tree, treefs.Tar(r))
	for _, name := range []string{"", "/etc", "etc/", "../etc", "etc//passwd", "./\xff"} {
		_, err := files.Open(name)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
	}
	_, err := files.Stat("dev/null/x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, tartree.ErrNotDir)
	_, err = files.ReadDir("dev/null")
	require.ErrorIs(t, err, tartree.ErrNotDir)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	_, err = files.ReadLink("dev/null")
	require.EqualError(t, err, "readlink dev/null: invalid argument")
	folder, err := files.Open("bin")
	require.NoError(t, err)
	_, err = folder.Read(make([]byte, 1))
	require.EqualError(t, err, "read bin: is a directory")
}
