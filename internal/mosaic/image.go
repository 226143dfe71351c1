package mosaic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// A piece is a part of an image.
type piece struct {
	off, size int64
	r         io.ReaderAt
}

func (p piece) end() int64     { return p.off + p.size }
func (p piece) String() string { return fmt.Sprintf("piece at %d of %d bytes", p.off, p.size) }

// An Image is one file made of pieces. The zero value is empty and ready for
// use.
type Image struct {
	pieces []piece // sorted by off
	size   int64
	fixed  bool  // size was set
	err    error // the first piece that cannot be
}

// New returns an empty image.
func New() *Image { return new(Image) }

// Add puts the first size bytes of r at off, both in bytes. A piece of no
// bytes is nothing. What a negative offset or size means is reported by
// [Image.Check].
func (m *Image) Add(off int64, r io.ReaderAt, size int64) {
	p := piece{off, size, r}
	if off < 0 || size < 0 || off+size < off {
		if m.err == nil {
			m.err = fmt.Errorf("mosaic: %v: out of range", p)
		}
		return
	}
	if size == 0 {
		return
	}
	m.pieces = slices.Insert(m.pieces, m.after(off), p)
	if !m.fixed {
		m.size = max(m.size, p.end())
	}
}

// AddBytes puts b at off. The image keeps b.
func (m *Image) AddBytes(off int64, b []byte) {
	m.Add(off, bytes.NewReader(b), int64(len(b)))
}

// Reserve says that somebody else writes size bytes at off, into what
// [Image.CopyAt] writes the rest to. They cannot be read here.
func (m *Image) Reserve(off, size int64) { m.Add(off, reserved{}, size) }

// reserved is the content of a piece that is not ours.
type reserved struct{}

// ReadAt implements [io.ReaderAt].
func (reserved) ReadAt([]byte, int64) (int, error) {
	return 0, errors.New("is reserved, and cannot be read")
}

// NextData returns nothing, so that nothing is written.
func (reserved) NextData(int64) (start, end int64, ok bool) { return 0, 0, false }

// SetSize sets the size of the image in bytes. The default is the end of the
// last piece.
func (m *Image) SetSize(n int64) { m.size, m.fixed = n, true }

// Size returns the size of the image in bytes.
func (m *Image) Size() int64 { return m.size }

// after returns the index of the first piece that starts behind off.
func (m *Image) after(off int64) int {
	return sort.Search(len(m.pieces), func(i int) bool { return m.pieces[i].off > off })
}

// Check fails when pieces overlap, or lie outside the image.
func (m *Image) Check() error {
	if m.err != nil {
		return m.err
	}
	var last piece
	for _, p := range m.pieces {
		if p.off < last.end() {
			return fmt.Errorf("mosaic: %v: overlaps the %v", p, last)
		}
		last = p
	}
	if last.end() > m.size {
		return fmt.Errorf("mosaic: %v: ends behind the image of %d bytes", last, m.size)
	}
	return nil
}

// ReadAt implements [io.ReaderAt]. Holes are zeros.
func (m *Image) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("mosaic: read: offset %d is negative", off)
	}
	n, short := len(p), error(nil)
	if rest := max(m.size-off, 0); int64(n) > rest {
		n, short = int(rest), io.EOF
	}
	i := m.after(off) - 1 // The piece that may hold off.
	for done := 0; done < n; {
		got, err := m.readSome(i, p[done:n], off+int64(done))
		if done += got; err != nil {
			return done, err
		}
		i++
	}
	return n, short
}

// readSome fills p from piece i, or, where that has no bytes at off, with the
// zeros up to the next piece; -1 is what comes before the first piece. It
// returns how much it filled, which may be nothing.
func (m *Image) readSome(i int, p []byte, off int64) (int, error) {
	n := 0
	if i >= 0 && off < m.pieces[i].end() {
		at := m.pieces[i]
		n = int(min(int64(len(p)), at.end()-off))
		if got, err := readFull(at.r, p[:n], off-at.off); err != nil {
			return got, fmt.Errorf("mosaic: %v: %w", at, err)
		}
	}
	end := off + int64(len(p))
	if i+1 < len(m.pieces) {
		end = min(end, m.pieces[i+1].off)
	}
	if hole := int(end - off); hole > n {
		clear(p[n:hole])
		n = hole
	}
	return n, nil
}

// readFull reads all of p, or says why not: an end before that is an error.
func readFull(r io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		return n, fmt.Errorf("ends after %d bytes: %w", off+int64(n), io.ErrUnexpectedEOF)
	}
	return n, err
}
