package fat

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

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
