package tftpd

import (
	"errors"
	"fmt"
	"io"
)

// readAheadSize is how many bytes are read from a file at a time.
const readAheadSize = 32 << 10

// readAhead reads a file in larger pieces than blocks, which saves a system
// call for each. It is for one goroutine.
type readAhead struct {
	file  File
	size  int64
	buf   []byte // of readAheadSize
	start int64  // the offset of valid in the file
	valid []byte // the part of buf that holds bytes of the file
}

// ReadAt implements io.ReaderAt within the size that the client was told. A
// file that has become shorter is an error.
func (r *readAhead) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		pos := off + int64(n)
		if pos >= r.size {
			return n, io.EOF
		}
		if pos < r.start || pos >= r.start+int64(len(r.valid)) {
			if err := r.fill(pos); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], r.valid[pos-r.start:])
	}
	return n, nil
}

func (r *readAhead) fill(pos int64) error {
	want := min(int64(len(r.buf)), r.size-pos)
	r.start, r.valid = pos, nil
	n, err := r.file.ReadAt(r.buf[:want], pos)
	if int64(n) == want {
		r.valid = r.buf[:want]
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		// Not io.EOF: the client would take the transfer for complete.
		return fmt.Errorf("file ends at %d of %d bytes", pos+int64(n), r.size)
	}
	return err
}
