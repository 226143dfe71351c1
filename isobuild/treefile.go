package isobuild

import (
	"errors"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// treeFile reads a file of a tree, which is open only meanwhile: an image has
// more files than a process may have open.
type treeFile struct {
	tree fs.FS
	name string
}

// ReadAt implements [io.ReaderAt], but that nothing must be read behind the
// end. Files that cannot be read at an offset are read from their start.
func (t treeFile) ReadAt(p []byte, off int64) (int, error) {
	f, err := t.tree.Open(t.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := mosaic.ReadAt(f, p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // The file was longer when it got its place.
	}
	return n, &fs.PathError{Op: "read", Path: t.name, Err: err}
}
