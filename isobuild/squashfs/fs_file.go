package squashfs

import (
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// file is an open regular file.
type file struct {
	*treefs.File
	content *fileContent
}

// open opens the regular file found, which was asked for as name.
func (s *store) open(name string, found tartree.Found, info fs.FileInfo) (fs.File, error) {
	c, err := s.openContent(name, inodeRef(found.Offset))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{treefs.NewFile(c, 0, c.size, info), c}, nil
}

// WriteTo implements [io.WriterTo]. Each block is unpacked once.
func (f *file) WriteTo(w io.Writer) (int64, error) {
	off, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	n, err := f.content.writeTo(w, off)
	if _, seekErr := f.Seek(n, io.SeekCurrent); err == nil {
		err = seekErr
	}
	return n, err
}
