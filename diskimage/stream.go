package diskimage

import (
	"context"
	"io"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A stream writes an image in order. Holes are zeros, or are left out of a
// file that grows by them.
type stream struct {
	w     io.Writer
	at    io.WriterAt // w, where holes can be left out; otherwise nil
	base  int64       // where the image begins in at
	pos   int64       // what was written, in bytes, with the holes
	gauge *gauge
	zeros []byte
}

// newStream returns a stream to w, which reports the bytes of a disk of size
// bytes.
func (c *config) newStream(w io.Writer, size int64) *stream {
	s := &stream{w: w, gauge: c.newGauge(size)}
	s.at, s.base = growing(w)
	return s
}

// growing returns w as a file that grows, and its size. It returns nil if w is
// none: what is behind its end must read as zeros, so that it may be written at
// any place there. That does not hold for a device or a file that only
// appends, nor for a file of which some is to be written over.
func growing(w io.Writer) (io.WriterAt, int64) {
	f, ok := w.(interface {
		io.WriterAt
		io.Seeker
	})
	if !ok {
		return nil, 0
	}
	pos, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0
	}
	end, err := f.Seek(0, io.SeekEnd)
	if _, moved := f.Seek(pos, io.SeekStart); err != nil || moved != nil || pos != end {
		return nil, 0
	}
	if _, err := f.WriteAt(nil, pos); err != nil { // An *os.File says here that it only appends.
		return nil, 0
	}
	return f, pos
}

// write writes p at off, which is where the last one ended or behind it.
func (s *stream) write(ctx context.Context, p []byte, off int64) error {
	err := s.hole(ctx, off)
	if err == nil {
		err = s.put(p)
	}
	if err == nil {
		s.gauge.reach(s.pos)
	}
	return err
}

// put writes p where the last one ended.
func (s *stream) put(p []byte) (err error) {
	var n int
	if s.at != nil {
		n, err = s.at.WriteAt(p, s.base+s.pos)
	} else {
		n, err = s.w.Write(p)
	}
	s.pos += int64(n)
	return mosaic.Whole(n, p, err)
}

// hole goes on to off.
func (s *stream) hole(ctx context.Context, off int64) error {
	for s.pos < off {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := off - s.pos
		if s.at != nil {
			s.pos = off
		} else {
			if s.zeros == nil {
				s.zeros = make([]byte, chunkSize)
			}
			n = min(n, chunkSize)
			if err := s.put(s.zeros[:n]); err != nil {
				return err
			}
		}
		s.gauge.reach(s.pos)
	}
	return nil
}

// end writes p, which is not of the disk, and leaves the place for writing in
// w behind it.
func (s *stream) end(p []byte) error {
	if err := s.put(p); err != nil {
		return err
	}
	if s.at != nil {
		if _, err := s.at.(io.Seeker).Seek(s.base+s.pos, io.SeekStart); err != nil {
			return err
		}
	}
	s.gauge.finish()
	return nil
}
