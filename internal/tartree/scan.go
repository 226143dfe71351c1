package tartree

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
)

// Scan returns the tree of the uncompressed tar in r, which has size bytes.
// Of entries with one name the last wins. Contents are not read; an Offset of
// a Node is one in r. The tree is frozen.
func Scan(r io.ReaderAt, size int64) (*Tree, error) {
	window := &window{r: r, size: size}
	tr := tar.NewReader(window)
	t := New()
	for start := int64(0); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			t.Freeze()
			return t, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, fmt.Errorf("at byte %d: %w", window.at, err)
		}
		if start, err = scanEntry(t, r, h, start, window.at, size); err != nil {
			return nil, &EntryError{h.Name, err}
		}
	}
}

// scanEntry adds what h describes to t. Its headers are from start to data;
// it returns where the next one starts.
func scanEntry(t *Tree, r io.ReaderAt, h *tar.Header, start, data, size int64) (int64, error) {
	s, err := newStep(h, false)
	if err != nil {
		return 0, err
	}
	next := data
	if s.node != nil && s.node.Type == tar.TypeReg {
		sparse, held, err := readSparse(r, h, start, data)
		if err != nil {
			return 0, err
		}
		if held > size-data {
			return 0, io.ErrUnexpectedEOF
		}
		s.node.Sparse, s.node.Offset = sparse, data
		next += padded(held)
	}
	return next, s.apply(t, 0)
}

// windowSize is how many bytes a window reads at once: enough for a few
// small files, so that not every header is a call to the system.
const windowSize = 16 << 10

// A window reads an archive in pieces, and skips without reading.
type window struct {
	r        io.ReaderAt
	size, at int64
	buf      []byte
	bufAt    int64
}

// Read implements [io.Reader].
func (w *window) Read(p []byte) (int, error) {
	if w.at >= w.size {
		return 0, io.EOF
	}
	off := w.at - w.bufAt
	if off < 0 || off >= int64(len(w.buf)) {
		if err := w.fill(); err != nil {
			return 0, err
		}
		off = 0
	}
	n := copy(p, w.buf[off:])
	w.at += int64(n)
	return n, nil
}

// fill reads what is at w.at.
func (w *window) fill() error {
	if w.buf == nil {
		w.buf = make([]byte, windowSize)
	}
	w.buf = w.buf[:min(windowSize, w.size-w.at)]
	n, err := w.r.ReadAt(w.buf, w.at)
	w.buf, w.bufAt = w.buf[:n], w.at
	if n > 0 {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Seek implements [io.Seeker], which [tar.Reader] uses to skip contents.
func (w *window) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += w.at
	case io.SeekEnd:
		offset += w.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	w.at = offset
	return offset, nil
}
