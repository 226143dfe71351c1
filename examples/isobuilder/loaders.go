package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/isobuild"
)

// withLoaders runs build with the boot loaders of -grub. If one is missing,
// which shows before build writes anything, it runs build again with Debian's.
func (j *job) withLoaders(ctx context.Context, build func(...isobuild.Option) error) error {
	var opts []isobuild.Option
	for _, name := range j.grub {
		root, err := os.OpenRoot(name) // It may be a whole computer, of which little is read.
		if err != nil {
			return err
		}
		defer root.Close()
		opts = append(opts, isobuild.WithLoaders(root.FS()))
	}
	err := build(opts...)
	var missing *isobuild.LoaderError
	if !errors.As(err, &missing) || j.offline {
		return err
	}
	packages := debian.Loaders(missing.Arch)
	if len(packages) == 0 {
		return err
	}
	j.log.Info(fmt.Sprintf("no boot loader for %v there: taking Debian's", missing.Firmware))
	tree, fetchErr := debian.Open(ctx, j.store, j.debian, packages...)
	if fetchErr != nil {
		return errors.Join(err, fmt.Errorf("fetching Debian's did not work either: %w", fetchErr))
	}
	return build(append(opts, isobuild.WithLoaders(tree))...)
}
