package gpt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/diskfs/go-diskfs/backend"
)

var _ backend.WritableFile = (*ends)(nil)

// ends is what go-diskfs takes for a disk: its first and last bytes are in
// memory, and what lies between is read from r, if it is not nil.
type ends struct {
	r          io.ReaderAt
	size       int64
	head, tail []byte
}

// part returns the end of the disk that holds n bytes at off, from there on.
func (e *ends) part(n int, off int64) ([]byte, bool) {
	tail := e.size - int64(len(e.tail))
	switch {
	case off >= 0 && off+int64(n) <= int64(len(e.head)):
		return e.head[off:], true
	case off >= tail && off+int64(n) <= e.size:
		return e.tail[off-tail:], true
	}
	return nil, false
}

// ReadAt implements [io.ReaderAt].
func (e *ends) ReadAt(p []byte, off int64) (int, error) {
	if b, ok := e.part(len(p), off); ok {
		return copy(p, b), nil
	}
	return e.r.ReadAt(p, off)
}

// WriteAt implements [io.WriterAt].
func (e *ends) WriteAt(p []byte, off int64) (int, error) {
	b, ok := e.part(len(p), off)
	if !ok {
		return 0, fmt.Errorf("%d bytes at %d belong to no table", len(p), off)
	}
	return copy(b, p), nil
}

// Seek implements [io.Seeker] as far as it is asked for: the size of the disk.
func (e *ends) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekEnd {
		return 0, errors.ErrUnsupported
	}
	return e.size, nil
}

// Read implements [io.Reader]. Nothing reads so.
func (e *ends) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Stat implements [fs.File]. Nothing asks.
func (e *ends) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

// Close implements [io.Closer].
func (e *ends) Close() error { return nil }
