package overlay_test

import (
	"archive/tar"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// mtime is the time of all that the tests make.
func mtime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// file returns a regular file of root's.
func file(content string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(content), Mode: 0o644, ModTime: mtime()}
}

// link returns a symbolic link.
func link(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777, ModTime: mtime()}
}

// build lays trees over each other.
func build(t *testing.T, trees ...fs.FS) *overlay.Tree {
	t.Helper()
	b := overlay.New()
	for _, tree := range trees {
		require.NoError(t, b.AddTree(tree))
	}
	return b.Tree()
}

// names lists a tree: the content of files, the targets of links.
func names(t *testing.T, tree fs.FS) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		switch d.Type() {
		case 0:
			b, err := fs.ReadFile(tree, name)
			require.NoError(t, err)
			all[name] = string(b)
		case fs.ModeSymlink:
			target, err := fs.ReadLink(tree, name)
			require.NoError(t, err)
			all[name] = "-> " + target
		}
		return nil
	}))
	return all
}

func TestBuilderAddTree(t *testing.T) {
	t.Parallel()
	lower := fstest.MapFS{
		"etc/hosts": file("lower"), "etc/passwd": file("lower"), "bin": link("usr/bin"), "usr/bin/sh": file("lower"),
		"lib": link("/usr/lib"), "usr/lib/a": file("lower"), "gone/deep/file": file("lower"), "plain": file("lower"),
		"dangling": link("nowhere"),
	}
	upper := fstest.MapFS{
		"etc/hosts": file("upper"), "etc/new": file("upper"), "bin/tool": file("upper"), "lib/a": file("upper"),
		"gone": file("upper"), "plain/now/a/directory": file("upper"), "dangling/x": file("upper"),
	}
	tree := build(t, lower, upper)
	assert.Equal(t, map[string]string{
		"etc/hosts": "upper", "etc/passwd": "lower", "etc/new": "upper", "bin": "-> usr/bin", "usr/bin/sh": "lower",
		"usr/bin/tool": "upper", "lib": "-> /usr/lib", "usr/lib/a": "upper", "gone": "upper",
		"plain/now/a/directory": "upper", "dangling/x": "upper",
	}, names(t, tree))
	require.NoError(t, fstest.TestFS(tree, "etc/hosts", "usr/bin/tool", "gone"))

	b, err := fs.ReadFile(tree, "bin/tool")
	require.NoError(t, err)
	assert.Equal(t, "upper", string(b), "links are followed")
	assert.Len(t, names(t, lower), 9, "the trees stay as they are")
}

func TestBuilderAddTreeAttributes(t *testing.T) {
	t.Parallel()
	lower := fstest.MapFS{
		".": {Mode: fs.ModeDir | 0o711, ModTime: mtime()}, "etc": {Mode: fs.ModeDir | 0o755, ModTime: mtime()}, "etc/a": file("a"),
		"su": {Data: []byte("su"), Mode: 0o755 | fs.ModeSetuid, ModTime: mtime()},
	}
	upper := fstest.MapFS{
		".": {Mode: fs.ModeDir | 0o700}, "etc": {Mode: fs.ModeDir | 0o750, ModTime: mtime().Add(time.Hour)}, "etc/b": file("b"),
		"socket": {Mode: fs.ModeSocket},
	}
	tree := build(t, lower, upper)
	for name, want := range map[string]fs.FileMode{".": fs.ModeDir | 0o711, "etc": fs.ModeDir | 0o750, "su": 0o755 | fs.ModeSetuid} {
		info, err := fs.Stat(tree, name)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode(), name)
	}
	info, err := fs.Stat(tree, "etc")
	require.NoError(t, err)
	assert.Equal(t, mtime().Add(time.Hour), info.ModTime())
	assert.NotContains(t, names(t, tree), "socket")
}

// linked is a tree with Sys, whose files have several names.
func linked(t *testing.T) fs.FS {
	t.Helper()
	b := overlay.New()
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: "a", Size: 3, Mode: 0o4755, Uid: 70000, Gid: 80000, ModTime: mtime(),
		PAXRecords: map[string]string{"SCHILY.xattr.user.x": "\x00y"},
	}
	require.NoError(t, b.AddFile(h, strings.NewReader("one")))
	require.NoError(t, b.AddTree(headers{
		"b": {Typeflag: tar.TypeLink, Linkname: "a"}, "c": {Typeflag: tar.TypeLink, Linkname: "a"},
		"tty": {Typeflag: tar.TypeChar, Devmajor: 4, Devminor: 70000, Mode: 0o620},
	}))
	return b.Tree()
}

// headers is a flat tree of which there is nothing but headers.
type headers map[string]*tar.Header

func (h headers) Open(name string) (fs.File, error) { return h.mapFS().Open(name) }

func (h headers) mapFS() fstest.MapFS {
	all := make(fstest.MapFS)
	for name, header := range h {
		all[name] = &fstest.MapFile{Sys: header}
	}
	return all
}

func TestBuilderAddTreeWhenNamesOfOneFileAreReplaced(t *testing.T) {
	t.Parallel()
	tree := build(t, linked(t), fstest.MapFS{"a": file("other")})
	types := make(map[string]byte)
	for _, name := range []string{"a", "b", "c"} {
		info, err := tree.Lstat(name)
		require.NoError(t, err)
		h := info.Sys().(*tar.Header)
		types[name] = h.Typeflag
		if name == "a" {
			assert.Equal(t, 0, h.Uid)
			continue
		}
		assert.Equal(t, 70000, h.Uid)
		assert.Equal(t, "\x00y", h.PAXRecords["SCHILY.xattr.user.x"])
		assert.Equal(t, int64(3), info.Size())
	}
	assert.Equal(t, map[string]byte{"a": tar.TypeReg, "b": tar.TypeReg, "c": tar.TypeLink}, types)
	assert.Equal(t, map[string]string{"a": "other", "b": "one", "c": "one"}, names(t, tree))
	info, err := tree.Lstat("c")
	require.NoError(t, err)
	assert.Equal(t, "b", info.Sys().(*tar.Header).Linkname)
	info, err = tree.Lstat("tty")
	require.NoError(t, err)
	assert.Equal(t, int64(70000), info.Sys().(*tar.Header).Devminor)
	f, err := tree.Open("tty")
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Empty(t, b, "a device is empty")
}

func TestBuilderAddFile(t *testing.T) {
	t.Parallel()
	b := overlay.New()
	require.NoError(t, b.AddDir(".", 0o700, mtime()))
	require.NoError(t, b.AddTree(fstest.MapFS{"boot": link("data"), "data/x": file("x")}))
	h := &tar.Header{Typeflag: tar.TypeReg, Name: "boot/new/file", Size: 5, ModTime: mtime(), Mode: 0o600}
	require.NoError(t, b.AddFile(h, strings.NewReader("hello, of which five")))
	require.NoError(t, b.AddDir("boot", 0o700, mtime()))
	assert.True(t, b.Has("boot/new/file"))
	assert.False(t, b.Has("boot/file"))
	tree := b.Tree()
	assert.Equal(t, map[string]string{"boot": "-> data", "data/x": "x", "data/new/file": "hello"}, names(t, tree))
	for name, want := range map[string]fs.FileMode{".": fs.ModeDir | 0o700, "data/new": fs.ModeDir | 0o755, "data/new/file": 0o600} {
		info, err := tree.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode(), name)
		assert.Equal(t, mtime(), info.ModTime(), name)
	}
	f, err := tree.Open("boot/new/file")
	require.NoError(t, err)
	p := make([]byte, 3)
	_, err = f.(io.ReaderAt).ReadAt(p, 1)
	require.NoError(t, err)
	assert.Equal(t, "ell", string(p))
	assert.NoError(t, f.Close())
}

// streamed is a tree whose files can only be read in order.
type streamed struct{ fs.FS }

func (s streamed) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if _, ok := f.(fs.ReadDirFile); ok || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}

func TestTreeOpenWhenFilesAreStreams(t *testing.T) {
	t.Parallel()
	tree := build(t, streamed{fstest.MapFS{"a/b": file("content")}})
	assert.Equal(t, map[string]string{"a/b": "content"}, names(t, tree))
	f, err := tree.Open("a/b")
	require.NoError(t, err)
	_, ok := f.(io.ReaderAt)
	assert.False(t, ok)
}

func TestBuilderErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		add  func(*overlay.Builder) error
		want string
	}{
		"long name": {
			func(b *overlay.Builder) error {
				return b.AddFile(&tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("n", 256)}, nil)
			}, "element of 256 bytes",
		},
		"long name in a tree": {
			func(b *overlay.Builder) error {
				return b.AddTree(fstest.MapFS{strings.Repeat("n", 256): file("x")})
			}, "element of 256 bytes",
		},
		"no regular file": {
			func(b *overlay.Builder) error { return b.AddFile(&tar.Header{Typeflag: tar.TypeDir, Name: "d"}, nil) },
			"overlay: d: is no regular file",
		},
		"link to nothing": {
			func(b *overlay.Builder) error {
				return b.AddTree(headers{"b": {Typeflag: tar.TypeLink, Linkname: "a"}})
			}, `overlay: b: hard link to "a"`,
		},
		"no tree": {func(b *overlay.Builder) error { return b.AddTree(fstest.MapFS{".": file("x")}) }, "root is not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := overlay.New()
			require.NoError(t, b.AddFile(&tar.Header{Typeflag: tar.TypeReg, Name: "file"}, strings.NewReader("")))
			assert.ErrorContains(t, c.add(b), c.want)
		})
	}
}

func TestTreeErrors(t *testing.T) {
	t.Parallel()
	tree := build(t, fstest.MapFS{"a/b": file("x"), "loop": link("loop")})
	_, err := tree.Open("a/c")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Open("a/b/c")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Open("/a")
	assert.ErrorIs(t, err, fs.ErrInvalid)
	_, err = tree.ReadDir("a/b")
	assert.ErrorContains(t, err, "not a directory")
	_, err = tree.ReadLink("a/b")
	assert.ErrorIs(t, err, fs.ErrInvalid)
	_, err = tree.Stat("loop")
	assert.ErrorContains(t, err, "too many symbolic links")
}

// TestTreeContent reads files without the tree, as images do.
func TestTreeContent(t *testing.T) {
	t.Parallel()
	b := overlay.New()
	require.NoError(t, b.AddTree(fstest.MapFS{"a": file("from a tree")}))
	require.NoError(t, b.AddTree(streamed{fstest.MapFS{"b": file("from a stream")}}))
	require.NoError(t, b.AddFile(&tar.Header{Typeflag: tar.TypeReg, Name: "c", Size: 13}, strings.NewReader("from a reader")))
	tree := b.Tree()
	want := map[string]string{"a": "a tree", "b": "a stream", "c": "a reader"}
	require.NoError(t, tree.Nodes().Walk(func(name string, n *tartree.Node) error {
		if n.IsDir() {
			return nil
		}
		got := make([]byte, n.Size-5)
		_, err := tree.Content(n).ReadAt(got, 5)
		require.NoError(t, err)
		assert.Equal(t, want[name], string(got))
		_, err = tree.Content(n).ReadAt(make([]byte, n.Size+1), 0)
		assert.EqualError(t, err, "read "+name+": unexpected EOF")
		return nil
	}))
	_, err := overlay.Open(tree, "absent").ReadAt(make([]byte, 1), 0)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
