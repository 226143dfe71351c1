package iso9660

import (
	"archive/tar"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"
)

const copyBuffer = 256 << 10 // bytes

// info is the fs.FileInfo and fs.DirEntry of a node.
type info struct {
	node *node
	name string
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.node.length() }
func (i info) Mode() fs.FileMode  { return i.node.mode() }
func (i info) ModTime() time.Time { return i.node.modTime() }
func (i info) IsDir() bool        { return i.node.isDir() }

// Sys returns a fresh *tar.Header.
func (i info) Sys() any { return i.node.header() }

// Type implements [fs.DirEntry].
func (i info) Type() fs.FileMode { return i.Mode().Type() }

// Info implements [fs.DirEntry].
func (i info) Info() (fs.FileInfo, error) { return i, nil }

// String implements [fmt.Stringer], as [fs.DirEntry] recommends.
func (i info) String() string { return fs.FormatDirEntry(i) }

// dirEntries returns the entries of a directory, sorted.
func dirEntries(n *node) []fs.DirEntry {
	list := make([]fs.DirEntry, len(n.entries))
	for i, e := range n.entries {
		list[i] = info{e, e.name}
	}
	return list
}

// openFile is an open file: Read, ReadAt, Seek and Size are the section's.
type openFile struct {
	*io.SectionReader
	info  info
	image *Image
}

// file opens n, which is readable and not a directory. Devices and pipes are
// empty.
func (im *Image) file(n *node, name string) *openFile {
	f := &openFile{info: info{n, name}, image: im}
	switch extents := n.extents(); {
	case n.kind != tar.TypeReg:
		f.SectionReader = io.NewSectionReader(im.r, 0, 0)
	case len(extents) > 1:
		f.SectionReader = io.NewSectionReader(newPieces(im.r, extents), 0, n.size)
	default:
		f.SectionReader = io.NewSectionReader(im.r, int64(n.block)*BlockSize, n.size)
	}
	return f
}

// Stat implements [fs.File].
func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements [fs.File]. There is nothing to release.
func (f *openFile) Close() error { return nil }

// WriteTo implements [io.WriterTo], so that copying many small files needs no
// buffer for each.
func (f *openFile) WriteTo(w io.Writer) (int64, error) {
	buffer := f.image.buffers.Get().(*[copyBuffer]byte)
	defer f.image.buffers.Put(buffer)
	var done int64
	for {
		n, err := f.Read(buffer[:])
		if n > 0 {
			written, err := w.Write(buffer[:n])
			done += int64(written)
			if err != nil {
				return done, err
			}
		}
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
}

// pieces reads a file whose extents do not follow each other.
type pieces struct {
	r     io.ReaderAt
	parts []piece
}

type piece struct {
	from int64 // in the file
	off  int64 // in the image
	size int64
}

func newPieces(r io.ReaderAt, extents []Extent) *pieces {
	p := &pieces{r: r, parts: make([]piece, len(extents))}
	var from int64
	for i, e := range extents {
		p.parts[i] = piece{from, int64(e.Block) * BlockSize, e.Size}
		from += e.Size
	}
	return p
}

// ReadAt implements [io.ReaderAt] within the file.
func (p *pieces) ReadAt(b []byte, off int64) (int, error) {
	i, ok := slices.BinarySearchFunc(p.parts, off, func(q piece, off int64) int { return cmp.Compare(q.from, off) })
	if !ok {
		i--
	}
	done := 0
	for ; done < len(b) && i < len(p.parts); i++ {
		q := p.parts[i]
		skip := off + int64(done) - q.from
		n, err := p.r.ReadAt(b[done:done+int(min(int64(len(b)-done), q.size-skip))], q.off+skip)
		done += n
		if int64(n) < q.size-skip && done < len(b) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return done, err
		}
	}
	if done < len(b) {
		return done, io.EOF
	}
	return done, nil
}

// openDir is an open directory.
type openDir struct {
	info info
	next int
}

// Stat implements [fs.File].
func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }

// Close implements [fs.File].
func (d *openDir) Close() error { return nil }

// Read implements [fs.File].
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list := dirEntries(d.info.node)[d.next:]
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	d.next += len(list)
	return list, nil
}
