package meter

import "io"

// At returns a writer to w whose bytes m counts as well.
func (m *Writer) At(w io.WriterAt) io.WriterAt { return writerAt{w, m} }

// A writerAt is what At returns.
type writerAt struct {
	w io.WriterAt
	m *Writer
}

// WriteAt implements [io.WriterAt].
func (a writerAt) WriteAt(p []byte, off int64) (int, error) {
	n, err := a.w.WriteAt(p, off)
	a.m.Add(int64(n))
	return n, err
}
