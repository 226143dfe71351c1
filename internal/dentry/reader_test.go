package dentry_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/dentry"
	"github.com/netbootkit/netbootkit/internal/treetest"
)

// A node is an entry and nothing else.
type node struct{ dentry.Entry[*node] }

// reader returns one that keeps nothing.
func reader() *dentry.Reader[*node] {
	return &dentry.Reader[*node]{
		Package: "test",
		New:     func() *node { return new(node) },
		Add:     func(*node, string, fs.FileInfo, *tar.Header) error { return nil },
	}
}

// A headerFS is a tree of what headers say, in the order given, in directories
// that need none.
type headerFS []tar.Header

func (t headerFS) Open(string) (fs.File, error) { return nil, fs.ErrInvalid }

func (t headerFS) Lstat(name string) (fs.FileInfo, error) { return fs.Stat(fstest.MapFS{}, name) }

func (t headerFS) ReadLink(name string) (string, error) {
	i := slices.IndexFunc(t, func(h tar.Header) bool { return h.Name == name })
	if t[i].Uname == "unreadable" {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrPermission}
	}
	return t[i].Linkname, nil
}

func (t headerFS) ReadDir(name string) (entries []fs.DirEntry, err error) {
	for i := range t {
		if dir, base := path.Split(t[i].Name); path.Clean(dir) == name {
			entries = append(entries, fs.FileInfoToDirEntry(headerInfo{&t[i], base}))
		}
	}
	return entries, nil
}

// A listFS has the same entries in every directory.
type listFS struct {
	headerFS

	entries []fs.DirEntry
}

func (t listFS) ReadDir(string) ([]fs.DirEntry, error) { return t.entries, nil }

// entry returns an entry of any name.
func entry(name string, kind byte) fs.DirEntry {
	return fs.FileInfoToDirEntry(headerInfo{&tar.Header{Typeflag: kind}, name})
}

// A headerInfo is what a header says, whatever it is.
type headerInfo struct {
	h    *tar.Header
	name string
}

func (i headerInfo) Name() string       { return i.name }
func (i headerInfo) Size() int64        { return i.h.Size }
func (i headerInfo) Mode() fs.FileMode  { return i.h.FileInfo().Mode() }
func (i headerInfo) ModTime() time.Time { return i.h.ModTime }
func (i headerInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i headerInfo) Sys() any           { return i.h }

func TestReaderRead(t *testing.T) {
	t.Parallel()

	tree := headerFS{ // Not sorted.
		{Name: "d", Typeflag: tar.TypeDir, Mode: 0o1750, Uid: treetest.ID(4294967295), Gid: treetest.ID(4294967294)},
		{Name: "d/e", Typeflag: tar.TypeDir, Mode: 0o700},
		{Name: "d/f", Mode: 0o4755, Size: 12},
		{Name: "c", Typeflag: tar.TypeChar, Mode: 0o2666, Devmajor: 4095, Devminor: 0xABCDE},
		{Name: "b", Typeflag: tar.TypeBlock, Mode: 0o660, Devmajor: 8, Devminor: 17},
		{Name: "s", Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "../x\x00y"},
		{Name: "p", Typeflag: tar.TypeFifo, Mode: 0o600},
		{Name: "socket", Mode: 0o140600},
		{Name: "later", Typeflag: tar.TypeLink, Linkname: "/d/../d/f", Mode: 0o4755},
		{Name: "null", Typeflag: tar.TypeLink, Linkname: "c"},
	}
	var added, done []string
	r := reader()
	r.Add = func(n *node, name string, info fs.FileInfo, h *tar.Header) error {
		assert.Equal(t, name, n.Path())
		assert.Equal(t, info.Name(), path.Base(name))
		assert.NotNil(t, h)
		added = append(added, name)
		return nil
	}
	r.Done = func(dir *node) error {
		done = append(done, fmt.Sprint(dir.Path(), " ", len(dir.Kids), " ", dir.Links))
		return nil
	}
	root, err := r.Read(t.Context(), tree)
	require.NoError(t, err)
	assert.Equal(t, []string{".", "d", "d/e", "d/f", "c", "b", "s", "p", "socket", "later", "null"}, added, "in the order of fs.WalkDir")
	assert.Equal(t, []string{"d/e 0 2", "d 2 3", ". 8 3"}, done)

	var list []string
	for _, n := range append(root.Kids, root.Kids[2].Kids...) {
		inode := dentry.Inode(n)
		assert.Equal(t, n.Same == nil, inode == n)
		assert.Equal(t, n.Type() == dentry.TypeDir, n.IsDir())
		list = append(list, fmt.Sprintf("%s %o %d:%d %x %d %q %d %s", n.Path(), n.Mode, n.UID, n.GID, n.Device, n.Size, n.Target, n.Links, inode.Path()))
	}
	assert.Equal(t, []string{
		`b 60660 0:0 811 0 "" 1 b`,
		`c 22666 0:0 abcfffde 0 "" 2 c`,
		`d 41750 4294967295:4294967294 0 0 "" 3 d`,
		`later 0 0:0 0 0 "" 1 d/f`,
		`null 0 0:0 0 0 "" 1 c`,
		`p 10600 0:0 0 0 "" 1 p`,
		`s 120777 0:0 0 6 "../x\x00y" 1 s`,
		`socket 140600 0:0 0 0 "" 1 socket`,
		`d/e 40700 0:0 0 0 "" 2 d/e`,
		`d/f 104755 0:0 0 12 "" 2 d/f`,
	}, list)
}

func TestReaderReadErrors(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("n", 256)
	for want, tree := range map[string]fs.FS{
		"test: .: the root is not a directory":                                     fstest.MapFS{".": {Mode: 0o644}},
		"test: i: a file of type ?--------- cannot be kept":                        fstest.MapFS{"i": {Mode: fs.ModeIrregular}},
		"test: f: size is -1":                                                      headerFS{{Name: "f", Size: -1}},
		"test: f: owner: ID -1 not in 0..4294967295":                               headerFS{{Name: "f", Uid: -1}},
		"test: f: group: ID 4294967296 not in 0..4294967295":                       headerFS{{Name: "f", Gid: treetest.ID(1 << 32)}},
		"test: c: device 4096:0 not in 0:0..4095:1048575":                          headerFS{{Name: "c", Typeflag: tar.TypeChar, Devmajor: 4096}},
		"test: b: device 0:1048576 not in 0:0..4095:1048575":                       headerFS{{Name: "b", Typeflag: tar.TypeBlock, Devminor: 1 << 20}},
		"test: b: device -1:0 not in 0:0..4095:1048575":                            headerFS{{Name: "b", Typeflag: tar.TypeBlock, Devmajor: -1}},
		"test: s: target has 0 bytes, 1 to 4095 are possible":                      headerFS{{Name: "s", Typeflag: tar.TypeSymlink}},
		"test: s: target has 4096 bytes, 1 to 4095 are possible":                   headerFS{{Name: "s", Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("t", 4096)}},
		"test: readlink s: permission denied":                                      headerFS{{Name: "s", Typeflag: tar.TypeSymlink, Uname: "unreadable"}},
		"test: f: the directory has this name twice":                               headerFS{{Name: "f"}, {Name: "g"}, {Name: "f"}},
		"test: " + long + ": name has 256 bytes, at most 255 are possible":         headerFS{{Name: long}},
		`test: l: hard link to "g": file does not exist`:                           headerFS{{Name: "l", Typeflag: tar.TypeLink, Linkname: "g"}},
		`test: l: hard link to "": file does not exist`:                            headerFS{{Name: "l", Typeflag: tar.TypeLink}},
		`test: l: hard link to "f/g": file does not exist`:                         headerFS{{Name: "f"}, {Name: "l", Typeflag: tar.TypeLink, Linkname: "f/g"}},
		`test: l: hard link to "d", which is a directory or a hard link itself`:    headerFS{{Name: "d", Typeflag: tar.TypeDir}, {Name: "l", Typeflag: tar.TypeLink, Linkname: "d"}},
		`test: l: hard link to "./l", which is a directory or a hard link itself`:  headerFS{{Name: "l", Typeflag: tar.TypeLink, Linkname: "./l"}},
		"test: " + strings.Repeat("d/", 150) + ": more than 2048 directories deep": listFS{entries: []fs.DirEntry{entry("d", tar.TypeDir)}},
	} {
		if strconv.IntSize == 32 && strings.Contains(want, " ID ") {
			continue // All that an int can be is an owner.
		}
		_, err := reader().Read(t.Context(), tree)
		assert.EqualError(t, err, want)
	}
	for _, name := range []string{"", ".", "..", "a/b", "a\x00b"} {
		_, err := reader().Read(t.Context(), listFS{entries: []fs.DirEntry{entry(name, tar.TypeReg)}})
		assert.ErrorContains(t, err, fmt.Sprintf("%q is no name", name))
	}
}

func TestReaderReadWhenThereIsTooMuch(t *testing.T) {
	t.Parallel()

	one := new(node)
	r := reader()
	r.New = func() *node { *one = node{}; return one }
	_, err := r.Read(t.Context(), listFS{entries: slices.Repeat([]fs.DirEntry{entry("f", tar.TypeReg)}, dentry.MaxEntries)})
	assert.EqualError(t, err, "test: f: more than 2097152 entries")
}

func TestReaderReadWhenAFunctionFails(t *testing.T) {
	t.Parallel()

	errFull := errors.New("full")
	tree := fstest.MapFS{"d/f": {}}
	r := reader()
	r.Done = func(*node) error { return errFull }
	_, err := r.Read(t.Context(), tree)
	assert.Equal(t, errFull, err)
	r.Add = func(n *node, _ string, _ fs.FileInfo, _ *tar.Header) error {
		if n.IsDir() {
			return nil
		}
		return errFull
	}
	_, err = r.Read(t.Context(), tree)
	assert.EqualError(t, err, "test: d/f: full")
}

func TestReaderReadCancelled(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := reader().Read(ctx, fstest.MapFS{"f": {}})
	assert.Equal(t, context.Canceled, err)
}
