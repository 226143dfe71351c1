package deb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

var (
	_ fs.ReadDirFS  = (*tree)(nil)
	_ fs.StatFS     = (*tree)(nil)
	_ fs.ReadLinkFS = (*tree)(nil)
)

// A tree is the files of a package.
type tree struct {
	tree *tartree.Tree
	data io.ReaderAt
}

// Open implements [fs.FS].
func (t *tree) Open(name string) (fs.File, error) {
	i, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	switch {
	case i.IsDir():
		return &openDir{info: i}, nil
	case !i.Mode().IsRegular():
		return &openFile{io.NewSectionReader(strings.NewReader(""), 0, 0), i}, nil
	case i.Sparse != nil:
		return &openFile{io.NewSectionReader(sparse{t.data, i.Node}, 0, i.Found.Size), i}, nil
	default:
		return &openFile{io.NewSectionReader(t.data, i.Offset, i.Found.Size), i}, nil
	}
}

// ReadDir implements [fs.ReadDirFS].
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	i, err := t.find("readdir", name, true)
	if err == nil && !i.IsDir() {
		err = &fs.PathError{Op: "readdir", Path: name, Err: tartree.ErrNotDir}
	}
	if err != nil {
		return nil, err
	}
	return i.entries(), nil
}

// Stat implements [fs.StatFS].
func (t *tree) Stat(name string) (fs.FileInfo, error) { return infoOf(t.find("stat", name, true)) }

// Lstat implements [fs.ReadLinkFS].
func (t *tree) Lstat(name string) (fs.FileInfo, error) { return infoOf(t.find("lstat", name, false)) }

// infoOf keeps a nil pointer from becoming an interface that is not nil.
func infoOf(i *info, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return i, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (t *tree) ReadLink(name string) (string, error) {
	i, err := t.find("readlink", name, false)
	if err == nil && i.Target == "" {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return i.Target, nil
}

// find returns what name leads to, or a [*fs.PathError].
func (t *tree) find(op, name string, follow bool) (*info, error) {
	valid := name
	if !utf8.ValidString(name) { // Any bytes may be part of names.
		valid = strings.ToValidUTF8(name, "x")
	}
	if !fs.ValidPath(valid) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	found, err := t.tree.Lookup(name, follow)
	if errors.Is(err, tartree.ErrNotDir) {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return &info{found, path.Base(name)}, nil
}

// info is the fs.FileInfo and fs.DirEntry of a node.
type info struct {
	tartree.Found

	name string
}

func (i *info) Name() string               { return i.name }
func (i *info) Size() int64                { return i.Found.Size }
func (i *info) Mode() fs.FileMode          { return i.Found.Mode() }
func (i *info) ModTime() time.Time         { return i.Found.ModTime() }
func (i *info) IsDir() bool                { return i.Found.IsDir() }
func (i *info) Sys() any                   { return i.Header(i.Path()) }
func (i *info) Type() fs.FileMode          { return i.Mode().Type() }
func (i *info) Info() (fs.FileInfo, error) { return i, nil }
func (i *info) String() string             { return fs.FormatDirEntry(i) }

// entries returns the entries of a directory, sorted.
func (i *info) entries() []fs.DirEntry {
	entries := i.Entries()
	list := make([]fs.DirEntry, len(entries))
	for n, e := range entries {
		list[n] = &info{i.Child(e), e.Name}
	}
	return list
}

// sparse reads a file that is stored in pieces.
type sparse struct {
	r    io.ReaderAt
	node *tartree.Node
}

// ReadAt implements [io.ReaderAt].
func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	return s.node.Sparse.ReadAt(s.r, s.node.Size, p, off)
}

// openFile is an open regular file.
type openFile struct {
	*io.SectionReader

	info *info
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

// openDir is an open directory.
type openDir struct {
	info *info
	next int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

// Read implements [fs.File].
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list := d.info.entries()[d.next:]
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	d.next += len(list)
	return list, nil
}
