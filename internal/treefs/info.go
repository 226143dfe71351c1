package treefs

import (
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// info is the fs.FileInfo and fs.DirEntry of a node.
type info struct {
	found tartree.Found
	name  string
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.found.Size }
func (i *info) Mode() fs.FileMode  { return i.found.Mode() }
func (i *info) ModTime() time.Time { return i.found.ModTime() }
func (i *info) IsDir() bool        { return i.found.IsDir() }

// Sys returns a fresh *tar.Header.
func (i *info) Sys() any { return i.found.Header(i.found.Path()) }

// Type implements [fs.DirEntry].
func (i *info) Type() fs.FileMode { return i.Mode().Type() }

// Info implements [fs.DirEntry].
func (i *info) Info() (fs.FileInfo, error) { return i, nil }

// String implements [fmt.Stringer], as [fs.DirEntry] recommends.
func (i *info) String() string { return fs.FormatDirEntry(i) }

// dirEntries returns the entries of a directory, sorted.
func dirEntries(folder tartree.Found) []fs.DirEntry {
	entries := folder.Entries()
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = &info{folder.Child(e), e.Name}
	}
	return list
}

// dir is an open directory.
type dir struct {
	*info
	next int
}

// Stat implements [fs.File].
func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }

// Close implements [fs.File].
func (d *dir) Close() error { return nil }

// Read implements [fs.File].
func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
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
