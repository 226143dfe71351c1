package squashfs

import (
	"archive/tar"
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
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// An FS is the file tree in an image. It keeps to the rules that the package
// comment of netbootkit gives for file trees: [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header], and further names of a file have the type TypeLink there.
//
// Regular files implement [io.ReaderAt], [io.Seeker] and [io.WriterTo], and
// have a method Size. Devices and pipes open as empty files.
//
// An FS and its files may be used concurrently.
type FS struct {
	store *store
	tree  *tartree.Tree
}

// Open returns the tree of the image at the start of r, which has size bytes;
// what follows the image is not read. Names and attributes are read at once:
// about 200 bytes of memory for an entry with a short name. Contents are read
// from r when asked for, so r must stay as it is.
func Open(r io.ReaderAt, size int64, opts ...OpenOption) (*FS, error) {
	cfg, err := newOpenConfig(opts)
	if err != nil {
		return nil, err
	}
	f, err := open(r, size, cfg)
	if err != nil {
		return nil, fmt.Errorf("squashfs: %w", err)
	}
	return f, nil
}

func open(r io.ReaderAt, size int64, cfg openConfig) (*FS, error) {
	im, err := readSuperblock(r, size)
	if err != nil {
		return nil, err
	}
	s, err := newStore(im, cfg.cacheSize)
	if err != nil {
		return nil, err
	}
	if err := im.fragments.load(im); err != nil {
		return nil, err
	}
	tree, err := loadTree(s)
	if err != nil {
		return nil, err
	}
	return &FS{s, tree}, nil
}

// Open implements [fs.FS].
func (f *FS) Open(name string) (fs.File, error) {
	found, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	i := &info{found, path.Base(name)}
	if found.IsDir() {
		return &dir{info: i}, nil
	}
	c := &fileContent{path: name}
	if found.Type == tar.TypeReg {
		if c, err = f.store.openContent(name, inodeRef(found.Offset)); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	return &file{io.NewSectionReader(c, 0, c.size), c, i}, nil
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

// ReadLink implements [fs.ReadLinkFS]. The target is as in the image.
func (f *FS) ReadLink(name string) (string, error) {
	found, err := f.find("readlink", name, false)
	switch {
	case err != nil:
		return "", err
	case found.Type != tar.TypeSymlink:
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	default:
		return found.Target, nil
	}
}

// find returns what name leads to, or a [*fs.PathError].
func (f *FS) find(op, name string, follow bool) (tartree.Found, error) {
	// As fs.ValidPath, but any bytes may be part of names.
	if !fs.ValidPath(name) && (utf8.ValidString(name) || !fs.ValidPath(strings.ToValidUTF8(name, "x"))) {
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
