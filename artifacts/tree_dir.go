package artifacts

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// OpenDir returns the tree of a directory on disk. Names and attributes are
// read at once, contents when asked for: a file whose size or time changed since
// then cannot be opened. Of files with several names in the tree the first one,
// in the order of [fs.WalkDir], is the file and the others are hard links to it.
// Sockets are left out. Owners, device numbers and extended attributes are known
// on Linux; elsewhere all belongs to root.
//
// Open gives an [*os.File] embedded in what it returns. On Linux that has a method
// NextData, which knows the holes of sparse files. Close closes root.
func OpenDir(ctx context.Context, root *os.Root) (*Tree, error) {
	w := &dirWalk{ctx: ctx, tree: tartree.New(), files: make(map[fileID]string)}
	if err := w.enter(root, "."); err != nil {
		return nil, fmt.Errorf("artifacts: directory %s: %w", root.Name(), err)
	}
	w.tree.Freeze()
	return &Tree{treefs.New(w.tree, openIn(root)), root}, nil
}

// A fileID is what names of one file have in common: device and inode.
type fileID [2]uint64

// A dirWalk is one call of OpenDir.
type dirWalk struct {
	ctx   context.Context //nolint:containedctx // It lives as long as one call of OpenDir.
	tree  *tartree.Tree
	files map[fileID]string // the first path of files with several names
}

// A place is an open directory.
type place struct {
	root   *os.Root
	folder *os.File
	name   string // in the tree
}

// enter adds the directory root, which is called name, and all below.
func (w *dirWalk) enter(root *os.Root, name string) error {
	folder, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = folder.Close() }() // It was only read.
	info, err := folder.Stat()
	if err != nil {
		return err
	}
	p := place{root, folder, name}
	if err := w.add(p, ".", info); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	names, err := folder.Readdirnames(-1)
	slices.Sort(names) // So that the first name of a file is met first.
	for _, base := range names {
		if err := w.visit(p, base); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// visit adds what is called base in the directory p, and all below.
func (w *dirWalk) visit(p place, base string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	name := path.Join(p.name, base)
	info, err := p.root.Lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist): // It was removed meanwhile.
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case !info.IsDir():
		if err := w.add(p, base, info); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	sub, err := p.root.OpenRoot(base)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer sub.Close()
	return w.enter(sub, name)
}

// add adds what is called base in the directory p.
func (w *dirWalk) add(p place, base string, info fs.FileInfo) error {
	if info.Mode()&(fs.ModeSocket|fs.ModeIrregular) != 0 {
		return nil
	}
	name, err := tartree.Clean(path.Join(p.name, base))
	if err != nil {
		return err
	}
	var target string
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = p.root.Readlink(base); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(plainInfo{info}, target)
	if err != nil {
		return err
	}
	if id, several := describe(h, info); several {
		if first, ok := w.files[id]; ok {
			return w.tree.Link(0, name, first)
		}
		w.files[id] = name
	}
	if h.PAXRecords, err = xattrs(p.folder, base); err != nil {
		return err
	}
	node, err := tartree.NewNode(h)
	if err != nil {
		return err
	}
	return w.tree.Add(0, name, node)
}

// plainInfo hides Sys from archive/tar, which would look for names of users.
type plainInfo struct{ fs.FileInfo }

// Sys implements [fs.FileInfo].
func (plainInfo) Sys() any { return nil }

// openIn opens files on disk, below root.
func openIn(root *os.Root) treefs.Opener {
	return func(name string, found tartree.Found, info fs.FileInfo) (fs.File, error) {
		file, err := openSame(root, found.Path(), info)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &dirFile{file, info}, nil
	}
}

// openSame opens a file that must still be as info says.
func openSame(root *os.Root, name string, info fs.FileInfo) (*os.File, error) {
	file, err := openNow(root, name)
	if err != nil {
		return nil, err
	}
	now, err := file.Stat()
	if err == nil && (!now.Mode().IsRegular() || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime())) {
		err = errors.New("changed since its directory was opened")
	}
	if err != nil {
		_ = file.Close() // It was only read.
		return nil, err
	}
	return file, nil
}

// dirFile is an open file on disk. It embeds *os.File, so that the kernel can
// send it by itself.
type dirFile struct {
	*os.File
	info fs.FileInfo
}

// Stat implements [fs.File].
func (f *dirFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Size returns the size in bytes.
func (f *dirFile) Size() int64 { return f.info.Size() }
