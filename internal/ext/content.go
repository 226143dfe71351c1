package ext

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A holer can say where its data is, as internal/mosaic's images can.
type holer interface {
	NextData(off int64) (start, end int64, ok bool)
}

// findHoles asks a file where its data is. A file that cannot tell is all data.
func (w *walk) findHoles(n *node, name string) error {
	if n.size < minSparse {
		return nil
	}
	f, err := w.tree.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h, ok := f.(holer)
	if !ok {
		return nil
	}
	n.sparse = true
	for off := int64(0); off < n.size; {
		start, end, ok := h.NextData(off)
		if !ok || start >= n.size {
			break
		}
		if start < off || end <= start {
			return fmt.Errorf("says that its data behind %d is from %d to %d", off, start, end)
		}
		n.addData(max(start, off), min(end, n.size))
		off = end
	}
	return nil
}

// addData notes that the file has data from start to end, in bytes.
func (n *node) addData(start, end int64) {
	first, last := uint32(start>>blockBits), uint32((end-1)>>blockBits)
	if i := len(n.runs) - 1; i >= 0 && first <= n.runs[i].logical+n.runs[i].blocks {
		n.runs[i].blocks = max(n.runs[i].blocks, last+1-n.runs[i].logical)
		return
	}
	n.runs = append(n.runs, run{logical: first, blocks: last + 1 - first})
}

// A content is a regular file of a tree, from an offset on. The file is open
// only while it is read, since a tree may have more files than a process can
// open.
type content struct {
	tree fs.FS
	node *node
	off  int64
}

// ReadAt implements [io.ReaderAt]. A file that cannot be read from an offset
// is read from its start.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.read(p, c.off+off)
	if err != nil {
		return n, at(c.node.path(), err)
	}
	return n, nil
}

func (c *content) read(p []byte, off int64) (int, error) {
	f, err := c.tree.Open(c.node.path())
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := c.node.size
	if info.Size() != size {
		return 0, fmt.Errorf("has %d bytes, and had %d", info.Size(), size)
	}
	n, err := readAt(f, p, off)
	if n < len(p) && (err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return n, fmt.Errorf("ends after %d bytes of %d: %w", off+int64(n), size, io.ErrUnexpectedEOF)
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

// A lazy is a small part of the image that is made when it is read.
type lazy func() []byte

// ReadAt implements [io.ReaderAt].
func (l lazy) ReadAt(p []byte, off int64) (int, error) {
	b := l()
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
