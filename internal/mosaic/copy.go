package mosaic

import (
	"context"
	"io"
)

// bufferSize is how much is read and written at a time, in bytes. More would not
// be faster: a page cache then asks for large pieces of memory, which virtual
// machines that give free memory back to their host first have to get again.
const bufferSize = 256 << 10

// minHole is the size of a hole that is worth not to be written, in bytes.
// Pieces with less between them are written together.
const minHole = 64 << 10

// A holer can say where its data is; see [Image.NextData].
type holer interface {
	NextData(off int64) (start, end int64, ok bool)
}

// NextData returns the first range with data that ends behind off, in bytes,
// from off on, of a reader of size bytes. It returns false when only holes follow.
// A reader without a method like [Image.NextData] is all data. So is the rest of
// one whose answer leads nowhere: then it is read, as if it could not tell.
func NextData(r any, off, size int64) (start, end int64, ok bool) {
	off = max(off, 0)
	if off >= size {
		return 0, 0, false
	}
	h, isHoler := r.(holer)
	if !isHoler {
		return off, size, true
	}
	start, end, ok = h.NextData(off)
	switch {
	case !ok || start >= size:
		return 0, 0, false
	case start < off || end <= start:
		return off, size, true
	}
	return start, min(end, size), true
}

// NextData returns the first range with data that ends behind off, in bytes,
// from off on. It returns false when only holes follow.
func (m *Image) NextData(off int64) (start, end int64, ok bool) {
	off = max(off, 0)
	for i := max(m.after(off)-1, 0); i < len(m.pieces); i++ {
		p := m.pieces[i]
		start, end, ok := p.nextData(max(off, p.off))
		if ok && start < m.size {
			return start, min(end, m.size), true
		}
	}
	return 0, 0, false
}

// nextData is NextData within p; offsets are those of the image.
func (p piece) nextData(off int64) (start, end int64, ok bool) {
	if off >= p.end() {
		return 0, 0, false
	}
	h, isHoler := p.r.(holer)
	if !isHoler {
		return off, p.end(), true
	}
	start, end, ok = h.NextData(off - p.off)
	if !ok || start >= p.size {
		return 0, 0, false
	}
	return p.off + start, p.off + min(end, p.size), true
}

// Copy writes the whole image to w, in order, holes as zeros.
func (m *Image) Copy(ctx context.Context, w io.Writer) error {
	if err := m.Check(); err != nil {
		return err
	}
	buf := make([]byte, min(bufferSize, m.size))
	return m.copyRange(ctx, buf, 0, m.size, func(p []byte, _ int64) error {
		n, err := w.Write(p)
		return Whole(n, p, err)
	})
}

// Whole returns the error of a write of p that took n bytes: err, or
// [io.ErrShortWrite] where the writer took less and said nothing.
func Whole(n int, p []byte, err error) error {
	if err == nil && n < len(p) {
		return io.ErrShortWrite
	}
	return err
}

// CopyAt writes the data of the image to w at its offsets. Holes of 64 KiB and
// more are not written, so w must be new or hold zeros there; but the last byte
// of the image is written in any case, so that a file gets the size of the image.
func (m *Image) CopyAt(ctx context.Context, w io.WriterAt) error {
	return m.CopyRangeAt(ctx, w, 0, m.size)
}

// CopyRangeAt is CopyAt for what lies from off to end.
func (m *Image) CopyRangeAt(ctx context.Context, w io.WriterAt, off, end int64) error {
	if err := m.Check(); err != nil {
		return err
	}
	buf := make([]byte, max(min(bufferSize, end-off), 0))
	write := func(p []byte, off int64) error {
		n, err := w.WriteAt(p, off)
		return Whole(n, p, err)
	}
	for off < end {
		start, last, ok := m.nextRun(off)
		if !ok || start >= end {
			break
		}
		off = min(last, end)
		if err := m.copyRange(ctx, buf, start, off, write); err != nil {
			return err
		}
	}
	if off < end && end == m.size && !m.reserved(m.size-1, m.size) {
		return write([]byte{0}, m.size-1)
	}
	return nil
}

// nextRun is NextData for a writer: small holes are taken for data.
func (m *Image) nextRun(off int64) (start, end int64, ok bool) {
	start, end, ok = NextData(m, off, m.size)
	for ok {
		next, last, more := NextData(m, end, m.size)
		if !more || next-end >= minHole || m.reserved(end, next) {
			break
		}
		end = last
	}
	return start, end, ok
}

// reserved says whether some of the range is somebody else's to write.
func (m *Image) reserved(off, end int64) bool {
	for i := max(m.after(off)-1, 0); i < len(m.pieces) && m.pieces[i].off < end; i++ {
		if _, ok := m.pieces[i].r.(reserved); ok && m.pieces[i].end() > off {
			return true
		}
	}
	return false
}

// copyRange hands what lies from off to end to write, through buf.
func (m *Image) copyRange(ctx context.Context, buf []byte, off, end int64, write func([]byte, int64) error) error {
	for off < end {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		p := buf[:min(int64(len(buf)), end-off)]
		if _, err := m.ReadAt(p, off); err != nil {
			return err
		}
		if err := write(p, off); err != nil {
			return err
		}
		off += int64(len(p))
	}
	return nil
}
