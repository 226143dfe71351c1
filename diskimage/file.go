package diskimage

import (
	"context"
	"io"
)

// A File can be read at any offset, and knows its size in bytes. An
// [io.SectionReader] is one. It must allow concurrent calls.
type File interface {
	io.ReaderAt
	Size() int64
}

// A Sparse [File] knows where its data is; all else are zeros, which nobody
// has to read.
type Sparse interface {
	// NextData returns the first range with data that ends behind off, from off
	// on, in bytes; false when there is none.
	NextData(off int64) (start, end int64, ok bool)
}

// A Content is what a partition holds.
type Content interface {
	// MinSize returns the size of the smallest partition that holds it, in
	// bytes.
	MinSize(ctx context.Context) (int64, error)

	// Open returns the content of a partition of size bytes, which may have
	// fewer bytes, and may be [Sparse]. It is called once for a disk; the File
	// is read as long as the disk is.
	Open(ctx context.Context, size int64) (File, error)
}

// A section is a range of a file.
type section struct {
	f         File
	off, size int64
}

// ReadAt implements [io.ReaderAt].
func (s section) ReadAt(p []byte, off int64) (int, error) {
	return io.NewSectionReader(s.f, s.off, s.size).ReadAt(p, off)
}

// Size returns the number of bytes in the range.
func (s section) Size() int64 { return s.size }

// NextData implements [Sparse].
func (s section) NextData(off int64) (start, end int64, ok bool) {
	if off >= s.size {
		return 0, 0, false
	}
	sparse, known := s.f.(Sparse)
	if !known {
		return max(off, 0), s.size, true
	}
	start, end, ok = sparse.NextData(s.off + max(off, 0))
	start, end = start-s.off, min(end-s.off, s.size)
	return start, end, ok && start < s.size
}
