package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Folders opens folders of this computer as trees. The caller calls what is
// returned with them, in any case, when they are no longer needed.
func Folders(ctx context.Context, names []string) ([]fs.FS, func(), error) {
	var trees []fs.FS
	var closers []io.Closer
	done := func() {
		for _, c := range closers {
			_ = c.Close() // They were only read.
		}
	}
	for _, name := range names {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, done, err
		}
		tree, err := artifacts.OpenDir(ctx, root)
		if err != nil {
			return nil, done, errors.Join(err, root.Close())
		}
		trees, closers = append(trees, tree), append(closers, tree)
	}
	return trees, done, nil
}
