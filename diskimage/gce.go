package diskimage

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// gib is what the sizes of disks of Compute Engine are multiples of, in bytes.
const gib = 1 << 30

// WriteGCE writes disk to w as an archive that Google Compute Engine imports,
// and returns the bytes written: a gzipped tar of GNU's old format with disk.raw,
// a sparse file (tar --format=oldgnu -S). The disk gets whole GiB; a GPT is
// moved to the new end. Holes are not read and not stored; a disk that is not
// [Sparse] is read twice, first to find them.
func WriteGCE(ctx context.Context, w io.Writer, disk File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opGCE, opts)
	if err != nil {
		return 0, err
	}
	n, err := cfg.writeGCE(ctx, w, disk)
	return n, cfg.wrap(err)
}

func (c *config) writeGCE(ctx context.Context, w io.Writer, disk File) (int64, error) {
	_, known := disk.(Sparse)
	disk, err := fitted(disk, gib, math.MaxInt64/gib*gib)
	if err != nil {
		return 0, err
	}
	find := mapSpans
	if !known {
		find = scanSpans
	}
	spans, err := find(ctx, disk)
	if err != nil {
		return 0, err
	}
	archive := newSparseTar(spans, disk, c.time)
	return c.gzip(ctx, w, archive, disk.Size())
}

// A span is a range of a disk that holds data, in bytes.
type span struct{ start, end int64 }

// mapSpans returns where a disk says that it has data, in whole sectors.
func mapSpans(ctx context.Context, disk File) ([]span, error) {
	var spans []span
	for at := int64(0); ; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		start, end, ok, err := nextData(disk, at)
		if err != nil || !ok {
			return spans, err
		}
		at = end
		spans = appendSpan(spans, span{start / sectorSize * sectorSize, alignUp(end, sectorSize)})
	}
}

// scanSpans reads a disk to find where it has data.
func scanSpans(ctx context.Context, disk File) ([]span, error) {
	var spans []span
	err := eachData(ctx, disk, func(_ context.Context, p []byte, off int64) error {
		spans = appendSpan(spans, span{off, off + int64(len(p))})
		return nil
	})
	return spans, err
}

// appendSpan adds s to the end of spans, or to the last one when little is
// between.
func appendSpan(spans []span, s span) []span {
	if last := len(spans) - 1; last >= 0 && s.start-spans[last].end < smallGap {
		spans[last].end = max(spans[last].end, s.end)
		return spans
	}
	return append(spans, s)
}

// A sparseTar is an archive of one file with holes.
type sparseTar struct {
	*mosaic.Image
	spans  []span  // of the file
	places []int64 // where they are in the archive
	size   int64   // of the file
}

// reached returns how much of the file is in the first off bytes of the
// archive, with the holes.
func (t *sparseTar) reached(off int64) int64 {
	i, found := slices.BinarySearch(t.places, off)
	if !found {
		i-- // The span before, of which some is there.
	}
	switch {
	case i < 0:
		return 0
	case off >= t.Size():
		return t.size
	default:
		return min(t.spans[i].start+off-t.places[i], t.spans[i].end)
	}
}

// gzip writes the archive to w as one gzip member, packed side by side.
func (c *config) gzip(ctx context.Context, w io.Writer, archive *sparseTar, size int64) (int64, error) {
	packers, err := newDeflaters(c.processors())
	if err != nil {
		return 0, err
	}
	out := newGzip(w)
	progress := c.newGauge(size)
	at := int64(0)
	read := func(j *job) error {
		if at >= archive.Size() {
			return io.EOF
		}
		j.off = at
		n, err := archive.ReadAt(j.plain[:min(chunkSize, archive.Size()-at)], at)
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		j.plain = j.plain[:n]
		at += int64(n)
		return err
	}
	write := func(j *job) error {
		if err := out.add(j.plain, j.packed); err != nil {
			return err
		}
		progress.reach(archive.reached(j.off + int64(len(j.plain))))
		return nil
	}
	err = out.begin()
	if err == nil {
		err = sideBySide(ctx, packers, read, write)
	}
	if err == nil {
		err = out.end()
	}
	if err == nil {
		progress.finish()
	}
	return out.written, err
}
