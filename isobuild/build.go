package isobuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/meter"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// pageSize is what squashfs files are a multiple of, in bytes.
const pageSize = 4096

// Build makes a live image of a root file system, and returns its size in
// bytes. W must be empty, or hold zeros where it is not written: gaps are left.
// The squashfs is written straight into its place, so nothing takes room but
// the image itself; what is before the files, such as descriptors, comes last. The
// package comment says what the image has.
func Build(ctx context.Context, w io.WriterAt, root fs.FS, opts ...Option) (int64, error) {
	cfg, err := newConfig(opBuild, opts)
	if err != nil {
		return 0, err
	}
	n, err := build(ctx, w, root, cfg)
	return n, cfg.wrap(err)
}

// errNoRoot says that there is nothing to build an image of.
var errNoRoot = errors.New("the root file system is nil")

func build(ctx context.Context, w io.WriterAt, root fs.FS, cfg *config) (int64, error) {
	if root == nil {
		return 0, errNoRoot
	}
	root, err := cfg.rootWith(root)
	if err != nil {
		return 0, err
	}
	v, err := newLive(ctx, cfg, root)
	if err != nil {
		return 0, err
	}
	if _, err := v.measure(); err != nil { // What cannot be recorded is found before work starts.
		return 0, err
	}
	opts := append([]squashfs.Option{squashfs.WithTime(v.at), squashfs.WithProgress(cfg.progress)}, cfg.squashfs...)
	start := offset(v.next)
	size, err := squashfs.Write(ctx, io.NewOffsetWriter(w, start), root, opts...)
	if err != nil {
		return 0, err
	}
	block, err := v.take(size)
	if err != nil {
		return 0, err
	}
	v.squashfs.Extents = []iso9660.Extent{{Block: block, Size: size}}
	v.image.Reserve(start, size)
	image, err := v.finish()
	if err != nil {
		return 0, err
	}
	m := meter.NewWriter(nil, "iso", image.Size(), cfg.progress)
	m.Add(size)
	out := m.At(w)
	// What makes it an image comes last: one that was cut off must not look whole.
	if err := image.CopyRangeAt(ctx, out, offset(dataBlock), image.Size()); err != nil {
		return 0, err
	}
	if err := image.CopyRangeAt(ctx, out, 0, offset(dataBlock)); err != nil {
		return 0, err
	}
	m.Add(image.Size() - m.Done()) // Gaps are not written.
	m.Finish()
	v.log(ctx, image)
	return image.Size(), nil
}

// Stream makes a live image like [Build], of a root file system that is packed
// already, and writes it from start to end; it returns the bytes written. Root
// is what is in the squashfs: kernel, initial ramdisk and boot loaders are taken
// from there. Nothing is checked in the squashfs but how it begins; its file in
// the image ends with zeros if it is no multiple of 4096 bytes.
func Stream(ctx context.Context, w io.Writer, root fs.FS, packed File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opStream, opts)
	if err != nil {
		return 0, err
	}
	n, err := stream(ctx, w, root, packed, cfg)
	return n, cfg.wrap(err)
}

func stream(ctx context.Context, w io.Writer, root fs.FS, packed File, cfg *config) (int64, error) {
	if root == nil {
		return 0, errNoRoot
	}
	if err := checkSquashfs(packed); err != nil {
		return 0, err
	}
	v, err := newLive(ctx, cfg, root)
	if err != nil {
		return 0, err
	}
	// Loop devices have whole pages only: zeros make up for what is not there.
	size := roundUp(packed.Size(), pageSize)
	block, err := v.take(size)
	if err != nil {
		return 0, err
	}
	v.image.Add(offset(block), packed, packed.Size())
	v.squashfs.Extents = []iso9660.Extent{{Block: block, Size: size}}
	image, err := v.finish()
	if err != nil {
		return 0, err
	}
	n, err := cfg.write(ctx, w, image)
	if err == nil {
		v.log(ctx, image)
	}
	return n, err
}

// write writes an image from start to end, and returns the bytes written.
func (c *config) write(ctx context.Context, w io.Writer, image *mosaic.Image) (int64, error) {
	m := meter.NewWriter(w, "iso", image.Size(), c.progress)
	err := image.Copy(ctx, m)
	if err == nil {
		m.Finish()
	}
	return m.Done(), err
}

// checkSquashfs fails unless f begins as a squashfs does.
func checkSquashfs(f File) error {
	if f == nil {
		return errors.New("the squashfs is nil")
	}
	const magic = "hsqs"
	var head [len(magic)]byte
	if n, err := f.ReadAt(head[:], 0); n < len(head) && !errors.Is(err, io.EOF) {
		return err
	}
	if string(head[:]) != magic {
		return &Error{Path: squashfsName, Err: fmt.Errorf("begins with %q, not with %q: not a squashfs", head, magic)}
	}
	return nil
}

// log tells that an image is ready.
func (v *live) log(ctx context.Context, image *mosaic.Image) {
	v.cfg.log.LogAttrs(ctx, slog.LevelInfo, "live image built",
		slog.String("volume", v.cfg.volumeID), slog.String("arch", v.arch), slog.Int64("bytes", image.Size()))
}
