package mosaic

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// OpenFile opens a file of a tree. It is an error if its size is no longer the one
// given, in bytes. Errors of this kind do not name the file.
func OpenFile(tree fs.FS, name string, size int64) (fs.File, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("has %d bytes, and had %d", info.Size(), size)
	}
	if err != nil {
		_ = f.Close() // It was only opened.
		return nil, err
	}
	return f, nil
}

// ReadFile fills p with what a file of a tree has from offset off on. The file
// is open only meanwhile, since an image may have more files than a process can
// open. It is an error if its size is no longer the one given, and if it ends
// before that. Errors do not name the file.
func ReadFile(tree fs.FS, name string, size int64, p []byte, off int64) (int, error) {
	f, err := OpenFile(tree, name, size)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := ReadAt(f, p, off)
	switch {
	case n == len(p):
		return n, nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("ends after %d bytes of %d: %w", off+int64(n), size, io.ErrUnexpectedEOF)
	default:
		return n, err
	}
}

// ReadAt fills p with what f has from offset off on, by the best way that f has
// for that: one that cannot be read from an offset is read from its start.
func ReadAt(f fs.File, p []byte, off int64) (int, error) {
	if r, ok := f.(io.ReaderAt); ok {
		return r.ReadAt(p, off)
	}
	var err error
	if s, ok := f.(io.Seeker); ok {
		_, err = s.Seek(off, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, f, off)
	}
	if err != nil {
		return 0, err
	}
	return io.ReadFull(f, p)
}
