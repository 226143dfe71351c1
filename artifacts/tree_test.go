package artifacts_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// tarEntry is one header with its content.
type tarEntry struct {
	tar.Header

	content string
}

// makeTar makes an archive of the entries.
func makeTar(tb testing.TB, entries ...tarEntry) *bytes.Reader {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.content))
		}
		require.NoError(tb, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.content)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	return bytes.NewReader(buf.Bytes())
}

// sampleTree has one of everything.
func sampleTree(tb testing.TB) *artifacts.Tree {
	tb.Helper()
	entries := append(sampleEntries(),
		tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: "etc/mtab", Linkname: "/proc/mounts"}, ""},
		tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: "loop", Linkname: "loop"}, ""})
	r := makeTar(tb, entries...)
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(tb, err)
	return tree
}

func sampleEntries() []tarEntry {
	return []tarEntry{
		{tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755, ModTime: time.Unix(1700000000, 5e8), Format: tar.FormatPAX}, ""},
		{tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Uid: 1, Gid: 2}, "root:x:0:0\n"},
		{tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/perl", Mode: 0o4755, PAXRecords: map[string]string{
			"SCHILY.xattr.security.capability": "\x01\x00", "comment": "left out",
		}}, "binary"},
		{tar.Header{Typeflag: tar.TypeLink, Name: "usr/bin/aperl", Linkname: "usr/bin/perl"}, ""},
		{tar.Header{Typeflag: tar.TypeSymlink, Name: "bin", Linkname: "usr/bin"}, ""},
		{tar.Header{Typeflag: tar.TypeSymlink, Name: "up", Linkname: "../../../etc"}, ""},
		{tar.Header{Typeflag: tar.TypeSymlink, Name: "abs", Linkname: "/up/passwd"}, ""},
		{tar.Header{Typeflag: tar.TypeBlock, Name: "dev/sda", Mode: 0o660, Gid: 6, Devmajor: 8, Devminor: 1}, ""},
		{tar.Header{Typeflag: tar.TypeFifo, Name: "dev/initctl", Mode: 0o600}, ""},
	}
}

func TestOpenTarIsAFileSystem(t *testing.T) {
	t.Parallel()

	r := makeTar(t, sampleEntries()...) // TestFS opens links, so each must lead somewhere.
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(t, err)
	require.NoError(t, fstest.TestFS(tree, "etc/passwd", "usr/bin/aperl", "dev/sda", "up"))
}

func TestTreeStat(t *testing.T) {
	t.Parallel()

	tree := sampleTree(t)
	for name, want := range map[string]struct {
		mode   fs.FileMode
		size   int64
		header tar.Header
	}{
		".":             {fs.ModeDir | 0o755, 0, tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755, ModTime: time.Unix(0, 0)}},
		"usr":           {fs.ModeDir | 0o755, 0, tar.Header{Typeflag: tar.TypeDir, Name: "usr/", Mode: 0o755, ModTime: time.Unix(0, 0)}},
		"etc":           {fs.ModeDir | 0o755, 0, tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755, ModTime: time.Unix(1700000000, 5e8)}},
		"etc/passwd":    {0o644, 11, tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Size: 11, Mode: 0o644, Uid: 1, Gid: 2, ModTime: time.Unix(0, 0)}},
		"etc/mtab":      {fs.ModeSymlink, 0, tar.Header{Typeflag: tar.TypeSymlink, Name: "etc/mtab", Linkname: "/proc/mounts", ModTime: time.Unix(0, 0)}},
		"usr/bin/aperl": {fs.ModeSetuid | 0o755, 6, tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/aperl", Size: 6, Mode: 0o4755, ModTime: time.Unix(0, 0), PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00"}}},
		"usr/bin/perl":  {fs.ModeSetuid | 0o755, 6, tar.Header{Typeflag: tar.TypeLink, Name: "usr/bin/perl", Linkname: "usr/bin/aperl", Size: 6, Mode: 0o4755, ModTime: time.Unix(0, 0), PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00"}}},
		"dev/sda":       {fs.ModeDevice | 0o660, 0, tar.Header{Typeflag: tar.TypeBlock, Name: "dev/sda", Mode: 0o660, Gid: 6, Devmajor: 8, Devminor: 1, ModTime: time.Unix(0, 0)}},
		"dev/initctl":   {fs.ModeNamedPipe | 0o600, 0, tar.Header{Typeflag: tar.TypeFifo, Name: "dev/initctl", Mode: 0o600, ModTime: time.Unix(0, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			info, err := tree.Lstat(name)
			require.NoError(t, err)
			assert.Equal(t, want.mode, info.Mode())
			assert.Equal(t, want.size, info.Size())
			want.header.Format, want.header.ModTime = tar.FormatPAX, want.header.ModTime.UTC()
			assert.Equal(t, &want.header, info.Sys())
		})
	}
}

// TestTreeHeaders checks what archive/tar makes of Sys: a hard link, with its
// attributes.
func TestTreeHeaders(t *testing.T) {
	t.Parallel()

	info, err := sampleTree(t).Lstat("usr/bin/perl")
	require.NoError(t, err)
	h, err := tar.FileInfoHeader(info, "")
	require.NoError(t, err)
	assert.Equal(t, byte(tar.TypeLink), h.Typeflag)
	assert.Equal(t, "usr/bin/aperl", h.Linkname)
	assert.Equal(t, "\x01\x00", h.PAXRecords["SCHILY.xattr.security.capability"])
}

func TestTreeFollowsLinksInside(t *testing.T) {
	t.Parallel()

	tree := sampleTree(t)
	for _, name := range []string{"abs", "up/passwd", "etc/passwd"} {
		data, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		assert.Equal(t, "root:x:0:0\n", string(data))
	}
	data, err := fs.ReadFile(tree, "bin/aperl")
	require.NoError(t, err)
	assert.Equal(t, "binary", string(data))

	entries, err := tree.ReadDir("bin")
	require.NoError(t, err)
	assert.Len(t, entries, 2)

	info, err := tree.Stat("bin/perl")
	require.NoError(t, err)
	assert.Equal(t, "usr/bin/perl", info.Sys().(*tar.Header).Name, "without the links on the way")

	target, err := tree.ReadLink("etc/mtab")
	require.NoError(t, err)
	assert.Equal(t, "/proc/mounts", target)
}

func TestTreeErrors(t *testing.T) {
	t.Parallel()

	tree := sampleTree(t)
	_, err := tree.Open("etc/mtab") // There is a /proc/mounts, but not in the tree.
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Stat("etc/passwd/x")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Open("loop")
	assert.ErrorContains(t, err, "open loop: too many symbolic links")
	for _, name := range []string{"/etc", "etc/", "../etc", "etc//passwd", "", "./etc"} {
		_, err = tree.Open(name)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
	}
	_, err = tree.ReadLink("etc/passwd")
	assert.ErrorIs(t, err, fs.ErrInvalid)
	_, err = tree.ReadDir("etc/passwd")
	assert.ErrorContains(t, err, "not a directory")
	folder, err := tree.Open("etc")
	require.NoError(t, err)
	_, err = folder.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "is a directory")
}

func TestTreeFilesReadAnywhere(t *testing.T) {
	t.Parallel()

	f, err := sampleTree(t).Open("etc/passwd")
	require.NoError(t, err)
	defer f.Close()
	file := f.(interface {
		io.ReaderAt
		io.Seeker
		Size() int64
	})
	assert.Equal(t, int64(11), file.Size())
	buf := make([]byte, 20)
	n, err := file.ReadAt(buf, 5)
	assert.Equal(t, "x:0:0\n", string(buf[:n]))
	assert.ErrorIs(t, err, io.EOF, "what follows in the archive does not belong to the file")
	_, err = file.Seek(-4, io.SeekEnd)
	require.NoError(t, err)
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, "0:0\n", string(rest))
}

func TestTreeKeepsBytesOfNames(t *testing.T) {
	t.Parallel()

	name := "caf\xe9/\xff"
	r := makeTar(t, tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: name, Format: tar.FormatGNU}, "latin"})
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(t, err)

	var walked []string
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, _ fs.DirEntry, err error) error {
		walked = append(walked, name)
		return err
	}))
	assert.Equal(t, []string{".", "caf\xe9", name}, walked)
	data, err := fs.ReadFile(tree, name)
	require.NoError(t, err)
	assert.Equal(t, "latin", string(data))
}

func TestOpenTarRefuses(t *testing.T) {
	t.Parallel()

	whole := makeTar(t, tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: "a"}, strings.Repeat("x", 4096)})
	for _, size := range []int64{100, 512, 600, 4096} { // In the header, and in the content.
		_, err := artifacts.OpenTar(whole, size)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, size)
	}
	_, err := artifacts.OpenTar(strings.NewReader(strings.Repeat("text", 1000)), 4000)
	assert.ErrorIs(t, err, tar.ErrHeader)

	broken := errors.New("input/output error")
	_, err = artifacts.OpenTar(brokenReader{broken}, 4096)
	assert.ErrorIs(t, err, broken)

	unknown := makeTar(t, tarEntry{tar.Header{Typeflag: 'V', Name: "volume"}, ""})
	_, err = artifacts.OpenTar(unknown, unknown.Size())
	assert.EqualError(t, err, `artifacts: tar: entry "volume": unknown type 'V'`)
}

type brokenReader struct{ err error }

func (r brokenReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func TestTreeClose(t *testing.T) {
	t.Parallel()

	r := &closing{Reader: makeTar(t)}
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(t, err)
	require.NoError(t, tree.Close())
	assert.True(t, r.closed)
	require.NoError(t, sampleTree(t).Close(), "a reader that cannot be closed")
}

type closing struct {
	*bytes.Reader

	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }
