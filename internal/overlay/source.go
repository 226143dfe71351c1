package overlay

import (
	"errors"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A source is where the content of a regular file is.
type source struct {
	tree fs.FS // with the file called name; nil: in r
	name string
	r    io.ReaderAt
}

// Open returns the content of a file of a tree. It is open only while it is read:
// an image has more files than a process may have open.
func Open(tree fs.FS, name string) io.ReaderAt { return &source{tree: tree, name: name} }

// ReadAt implements [io.ReaderAt], but that nothing must be read behind the
// end.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.read(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // The file was longer when it got its place.
	}
	return n, &fs.PathError{Op: "read", Path: s.name, Err: err}
}

// read reads what is there.
func (s *source) read(p []byte, off int64) (int, error) {
	if s.tree == nil {
		return s.r.ReadAt(p, off)
	}
	f, err := s.tree.Open(s.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return mosaic.ReadAt(f, p, off)
}
