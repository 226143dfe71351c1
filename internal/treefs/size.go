package treefs

import (
	"archive/tar"
	"context"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// minSparse is the size of a file that is asked for its holes, in bytes.
const minSparse = 64 << 10

// DataSize returns how many bytes of data the regular files of any tree have, as
// far as they can tell: their holes do not count. A file with several names counts
// once. With an error comes the sum of what was counted until then.
func DataSize(ctx context.Context, tree fs.FS) (int64, error) {
	var sum int64
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if h, ok := info.Sys().(*tar.Header); ok && h.Typeflag == tar.TypeLink {
			return nil
		}
		size, err := dataSize(tree, name, info.Size())
		sum += size
		return err
	})
	return sum, err
}

// dataSize returns how many of the bytes of a file are data.
func dataSize(tree fs.FS, name string, size int64) (int64, error) {
	if size < minSparse {
		return size, nil
	}
	f, err := tree.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var sum int64
	for start, end, ok := mosaic.NextData(f, 0, size); ok; start, end, ok = mosaic.NextData(f, end, size) {
		sum += end - start
	}
	return sum, nil
}
