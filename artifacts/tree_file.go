package artifacts

import (
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// treeInfo is the fs.FileInfo and fs.DirEntry of a node.
type treeInfo struct {
	found tartree.Found
	name  string
}

func (i *treeInfo) Name() string       { return i.name }
func (i *treeInfo) Size() int64        { return i.found.Size }
func (i *treeInfo) Mode() fs.FileMode  { return i.found.Mode() }
func (i *treeInfo) ModTime() time.Time { return i.found.ModTime() }
func (i *treeInfo) IsDir() bool        { return i.found.IsDir() }

// Sys returns a fresh *tar.Header.
func (i *treeInfo) Sys() any { return i.found.Header(i.found.Path()) }

// Type implements [fs.DirEntry].
func (i *treeInfo) Type() fs.FileMode { return i.Mode().Type() }

// Info implements [fs.DirEntry].
func (i *treeInfo) Info() (fs.FileInfo, error) { return i, nil }

// String implements [fmt.Stringer], as [fs.DirEntry] recommends.
func (i *treeInfo) String() string { return fs.FormatDirEntry(i) }

// dirEntries returns the entries of a directory, sorted.
func dirEntries(folder tartree.Found) []fs.DirEntry {
	entries := folder.Entries()
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = &treeInfo{folder.Child(e), e.Name}
	}
	return list
}

// tarContents opens files of a tar.
type tarContents struct{ r io.ReaderAt }

func (c tarContents) open(found tartree.Found, info fs.FileInfo) (fs.File, error) {
	if found.Sparse != nil {
		return &treeFile{io.NewSectionReader(sparseFile{c.r, found.Node}, 0, found.Size), info}, nil
	}
	return &treeFile{io.NewSectionReader(c.r, found.Offset, found.Size), info}, nil
}

// sparseFile reads a file that the archive holds in pieces.
type sparseFile struct {
	r    io.ReaderAt
	node *tartree.Node
}

// ReadAt implements [io.ReaderAt].
func (f sparseFile) ReadAt(p []byte, off int64) (int, error) {
	return f.node.Sparse.ReadAt(f.r, f.node.Size, p, off)
}

// treeFile is an open regular file: Read, ReadAt, Seek and Size are the
// section's.
type treeFile struct {
	*io.SectionReader
	info fs.FileInfo
}

// Stat implements [fs.File].
func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements [fs.File]. There is nothing to release.
func (f *treeFile) Close() error { return nil }

// treeDir is an open directory.
type treeDir struct {
	*treeInfo
	next int
}

// Stat implements [fs.File].
func (d *treeDir) Stat() (fs.FileInfo, error) { return d.treeInfo, nil }

// Close implements [fs.File].
func (d *treeDir) Close() error { return nil }

// Read implements [fs.File].
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list := dirEntries(d.found)[d.next:]
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	d.next += len(list)
	return list, nil
}
