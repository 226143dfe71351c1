package overlay

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

var (
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.ReadLinkFS = (*Tree)(nil)
)

// A Tree is what a [Builder] made. [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header].
type Tree struct {
	tree    *tartree.Tree
	sources []source
}

// Open implements [fs.FS].
func (t *Tree) Open(name string) (fs.File, error) {
	found, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	at := &info{found, path.Base(name)}
	switch {
	case found.IsDir():
		return &dir{info: at}, nil
	case !at.Mode().IsRegular():
		return &file{io.NewSectionReader(strings.NewReader(""), 0, 0), at, nil}, nil
	}
	from := t.sources[found.Offset]
	if from.tree == nil {
		return &file{io.NewSectionReader(from.r, 0, found.Size), at, nil}, nil
	}
	f, err := from.tree.Open(from.name)
	if err != nil {
		return nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return &stream{f, at}, nil
	}
	return &file{io.NewSectionReader(r, 0, found.Size), at, f}, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	found, err := t.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !found.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: tartree.ErrNotDir}
	}
	return list(found), nil
}

// Stat implements [fs.StatFS].
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name, true) }

// Lstat implements [fs.ReadLinkFS].
func (t *Tree) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name, false) }

func (t *Tree) stat(op, name string, follow bool) (fs.FileInfo, error) {
	found, err := t.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	return &info{found, path.Base(name)}, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (t *Tree) ReadLink(name string) (string, error) {
	found, err := t.find("readlink", name, false)
	switch {
	case err != nil:
		return "", err
	case found.Target == "":
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return found.Target, nil
}

// find returns what name leads to, or a [*fs.PathError].
func (t *Tree) find(op, name string, follow bool) (tartree.Found, error) {
	if !valid(name) {
		return tartree.Found{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	found, err := t.tree.Lookup(name, follow)
	if errors.Is(err, tartree.ErrNotDir) { // As for os.Open, there is no such file.
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return tartree.Found{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return found, nil
}

// valid is fs.ValidPath, but lets any bytes be part of names.
func valid(name string) bool {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "x")
	}
	return fs.ValidPath(name)
}
