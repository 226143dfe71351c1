package artifacts

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

// A Tree is a file tree with all that a root file system needs, read from a
// tar or a directory without unpacking. It keeps to the rules that the package
// comment of netbootkit gives for file trees: [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header], and further names of a file have the type TypeLink there.
//
// Open, Stat and ReadDir follow symbolic links, always inside the tree:
// absolute targets start at its root, and `..` stops there. More than 40 for one
// name are an error, as on Linux. Opening a device or a pipe gives an empty file
// and touches no device. Names are valid in the sense of [fs.ValidPath], except
// that bytes which are not UTF-8 are kept as they are.
//
// A Tree holds names and attributes in memory, about 170 bytes for an entry
// with a short name, and no contents. At most 2097152 entries are accepted, 256 MiB
// of names, targets and attributes, 4096 bytes for a path or a target, and 255 for
// each element of a path. A Tree may be used concurrently.
type Tree struct {
	tree    *tartree.Tree
	content contents
	closer  io.Closer
}

// contents opens regular files.
type contents interface {
	open(found tartree.Found, info fs.FileInfo) (fs.File, error)
}

// OpenTar returns the tree of the uncompressed tar in r, which has size bytes.
// It reads the headers once; contents are read from r when asked for, so r must
// stay as it is. V7, USTAR, PAX and GNU archives are understood, with sparse
// files of all four formats. Of entries with one name the last wins; directories
// that no entry describes have mode 0755 and belong to root; hard links are
// further names of one file. Entries of unknown type are an error, as are hard
// links to what is not there, and archives beyond the limits of a [Tree].
//
// Files of the tree implement [io.ReaderAt] and [io.Seeker], and have a method
// Size.
func OpenTar(r io.ReaderAt, size int64) (*Tree, error) {
	tree, err := tartree.Scan(r, size)
	if err != nil {
		return nil, fmt.Errorf("artifacts: tar: %w", err)
	}
	closer, _ := r.(io.Closer)
	return &Tree{tree: tree, content: tarContents{r}, closer: closer}, nil
}

// Close closes what the tree was opened with, if that is an [io.Closer]. Who
// wants to go on with that does not close the tree: it holds nothing else.
func (t *Tree) Close() error {
	if t.closer == nil {
		return nil
	}
	return t.closer.Close()
}

// Open implements [fs.FS].
func (t *Tree) Open(name string) (fs.File, error) {
	found, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	info := &treeInfo{found, path.Base(name)}
	var file fs.File
	switch {
	case found.IsDir():
		file = &treeDir{treeInfo: info}
	case info.Mode().IsRegular():
		file, err = t.content.open(found, info)
	default:
		file = &treeFile{io.NewSectionReader(strings.NewReader(""), 0, 0), info}
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return file, nil
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
	return dirEntries(found), nil
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
	return &treeInfo{found, path.Base(name)}, nil
}

// ReadLink implements [fs.ReadLinkFS]. The target is as in the archive.
func (t *Tree) ReadLink(name string) (string, error) {
	found, err := t.find("readlink", name, false)
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
func (t *Tree) find(op, name string, follow bool) (tartree.Found, error) {
	if !validName(name) {
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

// validName is fs.ValidPath, but lets any bytes be part of names.
func validName(name string) bool {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "x")
	}
	return fs.ValidPath(name)
}
