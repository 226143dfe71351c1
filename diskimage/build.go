package diskimage

import (
	"context"
	"io"
	"log/slog"

	"github.com/netbootkit/netbootkit/internal/meter"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// Build makes a disk, and returns its size in bytes. W must be empty, or hold
// zeros where it is not written: holes are left, but the last byte is written
// in any case.
func Build(ctx context.Context, w io.WriterAt, l *Layout, opts ...Option) (int64, error) {
	cfg, err := newConfig(opBuild, opts)
	if err != nil {
		return 0, err
	}
	n, err := build(ctx, w, l, cfg)
	return n, cfg.wrap(err)
}

func build(ctx context.Context, w io.WriterAt, l *Layout, cfg *config) (int64, error) {
	disk, err := open(ctx, l, cfg)
	if err != nil {
		return 0, err
	}
	size := disk.Size()
	m := meter.NewWriter(nil, "disk", size, cfg.progress)
	if err := disk.image.CopyAt(ctx, m.At(w)); err != nil {
		return 0, err
	}
	written := m.Done()
	m.Add(size - written) // Holes are not written.
	m.Finish()
	cfg.log.LogAttrs(ctx, slog.LevelInfo, "disk built",
		slog.Int("partitions", len(disk.layout.Partitions)), slog.Int64("bytes", size), slog.Int64("written", written))
	return size, nil
}

// A Disk is a disk that is not written anywhere: it is put together as it is
// read.
type Disk struct {
	image  *mosaic.Image
	layout *Layout
}

var (
	_ File   = (*Disk)(nil)
	_ Sparse = (*Disk)(nil)
)

// Open returns the disk that [Build] writes. Trees and files in it must stay as
// they are for as long as it is read. It may be read concurrently where they
// may be.
func Open(ctx context.Context, l *Layout, opts ...Option) (*Disk, error) {
	cfg, err := newConfig(opOpen, opts)
	if err != nil {
		return nil, err
	}
	disk, err := open(ctx, l, cfg)
	if err != nil {
		return nil, cfg.wrap(err)
	}
	return disk, nil
}

// ReadAt implements [io.ReaderAt].
func (d *Disk) ReadAt(p []byte, off int64) (int, error) { return d.image.ReadAt(p, off) }

// Size returns the size of the disk in bytes.
func (d *Disk) Size() int64 { return d.image.Size() }

// NextData implements [Sparse].
func (d *Disk) NextData(off int64) (start, end int64, ok bool) { return d.image.NextData(off) }

// Layout returns what was laid out: sizes, places and identifiers are those of
// the disk. It belongs to the caller.
func (d *Disk) Layout() *Layout { return d.layout.clone() }

// Partition returns what is in partition i of the layout, counted from 0. The
// File is [Sparse].
func (d *Disk) Partition(i int) File {
	p := &d.layout.Partitions[i]
	return section{d, p.Start, p.Size}
}
