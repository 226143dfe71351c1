package treefs

import (
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// A File is an open file that can be read anywhere: Read, ReadAt, Seek and Size
// are the section's.
type File struct {
	*io.SectionReader
	info fs.FileInfo
}

// NewFile returns the file whose content is size bytes of r from offset off.
func NewFile(r io.ReaderAt, off, size int64, info fs.FileInfo) *File {
	return &File{io.NewSectionReader(r, off, size), info}
}

// Stat implements [fs.File].
func (f *File) Stat() (fs.FileInfo, error) { return f.info, nil }

// NextData returns the first range with data that ends behind off, from off on,
// in bytes, as far as what the file is read from can tell; false when only holes
// follow.
func (f *File) NextData(off int64) (start, end int64, ok bool) {
	r, base, size := f.Outer()
	start, end, ok = mosaic.NextData(r, base+min(max(off, 0), size), base+size)
	return start - base, end - base, ok
}

// Close implements [fs.File]. There is nothing to release.
func (f *File) Close() error { return nil }

// Tar returns the Opener for what [tartree.Scan] found in the tar in r. It
// opens files of type [*File].
func Tar(r io.ReaderAt) Opener {
	return func(_ string, found tartree.Found, info fs.FileInfo) (fs.File, error) {
		if found.Sparse != nil {
			return NewFile(sparseFile{r, found.Node}, 0, found.Size, info), nil
		}
		return NewFile(r, found.Offset, found.Size, info), nil
	}
}

// sparseFile reads a file that the archive holds in pieces.
type sparseFile struct {
	r    io.ReaderAt
	node *tartree.Node
}

// ReadAt implements [io.ReaderAt].
func (f sparseFile) ReadAt(p []byte, off int64) (int, error) {
	return f.node.Sparse.ReadAt(f.r, f.node.Size, p, off)
}

// NextData says which ranges the archive holds.
func (f sparseFile) NextData(off int64) (start, end int64, ok bool) {
	return f.node.Sparse.NextData(off)
}
