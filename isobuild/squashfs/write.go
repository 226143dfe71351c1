package squashfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// Write writes an image of the tree root to w, and returns its size.
func Write(ctx context.Context, w io.WriterAt, root fs.FS, opts ...Option) (int64, error) {
	if _, err := newConfig(opts); err != nil {
		return 0, err
	}
	return 0, errors.ErrUnsupported
}
