package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

// CheckFolders returns why names are not folders of this computer.
func CheckFolders(lists ...cli.Strings) error {
	var errs []error
	for _, name := range slices.Concat(lists...) {
		if info, err := os.Stat(name); err != nil {
			errs = append(errs, err)
		} else if !info.IsDir() {
			errs = append(errs, fmt.Errorf("%s is not a folder", name))
		}
	}
	return errors.Join(errs...)
}

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
