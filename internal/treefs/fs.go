package treefs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// An Opener opens the regular file found, which was asked for as name. The file
// answers info to Stat. Errors are those of [FS.Open].
type Opener func(name string, found tartree.Found, info fs.FileInfo) (fs.File, error)

// An FS is a tree as a file system.
type FS struct {
	tree *tartree.Tree
	open Opener
}

// New returns the file system of a frozen tree.
func New(tree *tartree.Tree, open Opener) *FS { return &FS{tree, open} }

// Open implements [fs.FS].
func (f *FS) Open(name string) (fs.File, error) {
	found, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	i := &info{found, path.Base(name)}
	switch {
	case found.IsDir():
		return &dir{info: i}, nil
	case i.Mode().IsRegular():
		return f.open(name, found, i)
	default:
		return NewFile(strings.NewReader(""), 0, 0, i), nil
	}
}

// ReadDir implements [fs.ReadDirFS].
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	found, err := f.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !found.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: tartree.ErrNotDir}
	}
	return dirEntries(found), nil
}

// Stat implements [fs.StatFS].
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat implements [fs.ReadLinkFS].
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *FS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	found, err := f.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	return &info{found, path.Base(name)}, nil
}

// ReadLink implements [fs.ReadLinkFS]. The target is as the tree has it.
func (f *FS) ReadLink(name string) (string, error) {
	found, err := f.find("readlink", name, false)
	switch {
	case err != nil:
		return "", err
	case found.Target == "":
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	default:
		return found.Target, nil
	}
}

// find returns what name leads to, or a [*fs.PathError].
func (f *FS) find(op, name string, follow bool) (tartree.Found, error) {
	if !validName(name) {
		return tartree.Found{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	found, err := f.tree.Lookup(name, follow)
	if errors.Is(err, tartree.ErrNotDir) { // As for os.Open, there is no such file.
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return tartree.Found{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return found, nil
}

// validName is fs.ValidPath, but lets any bytes be part of names.
func validName(name string) bool {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "x")
	}
	return fs.ValidPath(name)
}
