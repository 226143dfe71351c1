package isobuild

import (
	"io"
	"io/fs"
)

// treeFile reads a file of a tree, which is open only meanwhile: an image has
// more files than a process may have open.
type treeFile struct {
	tree fs.FS
	name string
}

// ReadAt implements [io.ReaderAt]. Files that cannot be read at an offset are
// read from their start.
func (t treeFile) ReadAt(p []byte, off int64) (int, error) {
	f, err := t.tree.Open(t.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if r, ok := f.(io.ReaderAt); ok {
		n, err := r.ReadAt(p, off)
		return n, named(t.name, err)
	}
	if _, err := io.CopyN(io.Discard, f, off); err != nil {
		return 0, named(t.name, err)
	}
	n, err := io.ReadFull(f, p)
	return n, named(t.name, err)
}

// named makes an error say which file it is about.
func named(name string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // io.ReaderAt returns it bare
		return err
	}
	return &fs.PathError{Op: "read", Path: name, Err: err}
}
