package fat

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// minSparse is the size of a file that is asked for its holes, in bytes.
const minSparse = 64 << 10

// A content is a regular file of a tree.
type content struct {
	tree fs.FS
	name string
	size int64
}

// ReadAt implements [io.ReaderAt].
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	n, err := mosaic.ReadFile(c.tree, c.name, c.size, p[:min(int64(len(p)), max(0, c.size-off))], off)
	switch {
	case err != nil:
		return n, fmt.Errorf("fat: %s: %w", c.name, err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// NextData says where the file has data, as far as it can tell. What cannot be
// opened is data: to read it says what is wrong. A small file is not asked.
func (c *content) NextData(off int64) (start, end int64, ok bool) {
	if c.size < minSparse {
		return off, c.size, true
	}
	f, err := mosaic.OpenFile(c.tree, c.name, c.size)
	if err != nil {
		return off, c.size, true
	}
	defer f.Close()
	return mosaic.NextData(f, off, c.size)
}
