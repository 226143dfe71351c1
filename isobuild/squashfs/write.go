package squashfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"math/bits"

	"golang.org/x/sync/errgroup"

	"github.com/netbootkit/netbootkit/internal/meter"
)

// Write writes an image of the tree root to w, and returns its size in bytes,
// a multiple of 4096. The tree keeps to the rules that the package comment of
// netbootkit gives for file trees; without a tar header in Sys, entries belong to
// root and have no device numbers and extended attributes. Links are kept as they
// are and never followed.
//
// Each file is read once, from front to back, but for holes that it knows. A
// file that ends before the size that its directory entry gave is an error; what a
// file gained meanwhile is left out.
//
// Bytes behind the returned size are not written, or are zero where a long
// duplicate of a file was written and taken back.
func Write(ctx context.Context, w io.WriterAt, root fs.FS, opts ...Option) (int64, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return 0, err
	}
	packers, err := cfg.newPackers()
	if err != nil {
		return 0, err
	}
	walk := &walk{tree: root, tables: &tables{}}
	top, err := walk.run(ctx)
	if err != nil {
		return 0, err
	}
	progress := meter.NewWriter(io.Discard, "squashfs", walk.bytes, cfg.progress)
	out := &output{w: w, packer: packers[0]}
	if _, err := out.put(cfg.head()); err != nil {
		return 0, err
	}
	fragments, err := data(ctx, out, &cfg, packers, walk, progress)
	if err != nil {
		return 0, err
	}
	sb, err := out.metadata(top, walk.tables, fragments)
	if err != nil {
		return 0, err
	}
	size, err := out.finish(ctx, sb, &cfg, walk.latest)
	if err != nil {
		return 0, err
	}
	progress.Finish()
	return size, nil
}

// head returns what the image starts with until it is finished: zeros instead of
// the superblock, as there may have been an image before, and the options.
func (c *config) head() []byte {
	head := make([]byte, superblockSize)
	options := c.options()
	if options == nil {
		return head
	}
	head = binary.LittleEndian.AppendUint16(head, uint16(len(options))|metaStored)
	return append(head, options...)
}

// data writes the contents of all files. It needs the packers until it
// returns.
func data(ctx context.Context, out *output, cfg *config, packers []packer, walk *walk, progress *meter.Writer) ([]fragment, error) {
	group, ctx := errgroup.WithContext(ctx)
	hold := holdBytes / cfg.blockSize
	p := newPipe(ctx, out, cfg, hold)
	p.start(group, packers)
	group.Go(func() error {
		defer p.close()
		return newLoader(ctx, walk.tree, p, cfg.blockSize, hold, progress).run(walk.files)
	})
	err := group.Wait()
	return p.fragments, err
}

// finish writes the padding, what lies behind it, and the superblock, which
// comes last: without it nobody takes an unfinished image for a whole one.
func (o *output) finish(ctx context.Context, sb *superblock, cfg *config, latest uint32) (int64, error) {
	size := (o.pos + padding - 1) / padding * padding
	zeros := make([]byte, 64<<10)
	for end := max(size, o.high); o.pos < end; {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		if _, err := o.put(zeros[:min(end-o.pos, int64(len(zeros)))]); err != nil {
			return 0, err
		}
	}
	sb.Magic, sb.Major, sb.Minor = magic, majorVersion, minorVersion
	sb.Time = latest
	if !cfg.time.IsZero() {
		sb.Time = seconds(cfg.time)
	}
	sb.BlockSize, sb.BlockLog = uint32(cfg.blockSize), uint16(bits.TrailingZeros(uint(cfg.blockSize)))
	sb.Compression = cfg.compression
	if cfg.options() != nil {
		sb.Flags |= flagOptions
	}
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, sb); err != nil {
		return 0, err
	}
	o.pos = 0
	_, err := o.put(b.Bytes())
	return size, err
}
