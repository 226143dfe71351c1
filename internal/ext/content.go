package ext

import (
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// findHoles asks a file where its data is. A file that cannot tell is all data.
func (w *walk) findHoles(n *node, name string) error {
	if n.Size < minSparse {
		return nil
	}
	f, err := mosaic.OpenFile(w.tree, name, n.Size)
	if err != nil {
		return err
	}
	defer f.Close()
	n.sparse = true
	for start, end, ok := mosaic.NextData(f, 0, n.Size); ok; start, end, ok = mosaic.NextData(f, end, n.Size) {
		n.addData(start, end)
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

// A content is a regular file of a tree, from an offset on.
type content struct {
	tree fs.FS
	node *node
	off  int64
}

// ReadAt implements [io.ReaderAt].
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n, err := mosaic.ReadFile(c.tree, c.node.Path(), c.node.Size, p, c.off+off)
	if err != nil {
		return n, at(c.node.Path(), err)
	}
	return n, nil
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
