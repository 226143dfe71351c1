package fat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A content is a regular file of a tree. The file is open only while it is
// read, since a volume may have more files than a process can open.
type content struct {
	tree fs.FS
	name string
	size int64
}

// ReadAt implements [io.ReaderAt]. A file that cannot be read from an offset
// is read from its start.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.read(p[:min(int64(len(p)), max(0, c.size-off))], off)
	switch {
	case err != nil:
		return n, fmt.Errorf("fat: %s: %w", c.name, err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

func (c *content) read(p []byte, off int64) (int, error) {
	f, err := c.tree.Open(c.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() != c.size {
		return 0, fmt.Errorf("has %d bytes, and had %d", info.Size(), c.size)
	}
	n, err := readAt(f, p, off)
	if n < len(p) && (err == nil || errors.Is(err, io.EOF)) {
		return n, fmt.Errorf("ends after %d bytes of %d: %w", off+int64(n), c.size, io.ErrUnexpectedEOF)
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}

// readAt reads from f by the best way that it has.
func readAt(f fs.File, p []byte, off int64) (int, error) {
	if r, ok := f.(io.ReaderAt); ok {
		return r.ReadAt(p, off)
	}
	var err error
	if s, ok := f.(io.Seeker); ok {
		_, err = s.Seek(off, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, f, off)
	}
	if err != nil {
		return 0, err
	}
	return io.ReadFull(f, p)
}
