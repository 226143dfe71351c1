package oci

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/netbootkit/netbootkit/artifacts"
)

// rootfsFormat is part of the name of root file systems in the store. It
// changes whenever Flatten makes other bytes of the same layers.
const rootfsFormat = 1

// Rootfs returns the root file system of im. Its layers are flattened once
// and kept in store, under a name made of their digests: every image with the
// same layers finds it there, and nothing is fetched for it. A folder or tar
// without layers is its own root file system, which store does not keep.
//
// The caller closes the tree, before the store.
func Rootfs(ctx context.Context, store *artifacts.Store, im *Image) (*artifacts.Tree, error) {
	if im.tree != nil {
		return im.tree, nil
	}
	file, err := store.Make(ctx, im.rootfsName(), im.flatten)
	if err != nil {
		return nil, &Error{Op: "flatten", Image: im.name, Err: err}
	}
	tree, err := artifacts.OpenTar(file, file.Size())
	if err != nil {
		return nil, errors.Join(&Error{Op: "flatten", Image: im.name, Err: err}, file.Close())
	}
	return tree, nil
}

// rootfsName returns what determines the content of the root file system.
func (im *Image) rootfsName() string {
	sum := sha256.New()
	for _, l := range im.layers {
		fmt.Fprintln(sum, l.diffID)
	}
	return fmt.Sprintf("rootfs v%d of layers %s", rootfsFormat, hex.EncodeToString(sum.Sum(nil)))
}

// flatten writes the root file system to w, while layers are still fetched.
func (im *Image) flatten(ctx context.Context, w io.Writer) error {
	im.cfg.log.LogAttrs(ctx, slog.LevelInfo, "making root file system",
		slog.String("image", im.name), slog.String("digest", string(im.digest)), slog.Int("layers", len(im.layers)))
	name, total := cmp.Or(im.name, "image"), im.size()
	fetched := newGauge(name, total, im.cfg.progress)
	read := newGauge(name+" rootfs", total, im.cfg.progress)

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return im.fetch(ctx, fetched) })
	work.Go(func() error {
		layers := make([]Layer, len(im.layers))
		for i, l := range im.layers {
			layers[i] = &gauged{layer: l, fetched: fetched, read: read}
		}
		return flatten(ctx, w, layers, *im.cfg, func(int64) {})
	})
	if err := work.Wait(); err != nil {
		return err
	}
	read.finish()
	return nil
}

// size returns how large all layers are as they are kept, in bytes; −1 if
// that is unknown.
func (im *Image) size() (total int64) {
	for _, l := range im.layers {
		if l.info.Size < 0 {
			return -1
		}
		total += l.info.Size
	}
	return total
}

// fetch brings all layers here, side by side.
func (im *Image) fetch(ctx context.Context, g *gauge) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(im.cfg.parallel)
	for _, l := range im.layers {
		work.Go(func() error { return l.fetch(ctx, g) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	g.finish()
	return nil
}

// gauged is a layer that reports how far it is.
type gauged struct {
	*layer
	fetched, read *gauge
}

// Open implements [Layer].
func (g *gauged) Open(ctx context.Context) (io.ReadCloser, error) {
	return g.uncompressed(ctx, g.fetched, g.read)
}
