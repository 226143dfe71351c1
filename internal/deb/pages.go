package deb

import (
	"errors"
	"fmt"
	"io"
)

// pageSize is how much memory a tar grows by. Pages are never copied, so a tar
// takes no more memory than it has bytes.
const pageSize = 1 << 20

// pages are bytes in memory that can be read at any offset.
type pages struct {
	list [][]byte // of pageSize bytes each, other than the last
	size int64
}

// Size returns how many bytes there are.
func (p *pages) Size() int64 { return p.size }

// readPages reads all of r, which may have up to maxData bytes.
func readPages(r io.Reader) (*pages, error) {
	p := new(pages)
	for {
		page := make([]byte, pageSize)
		n, err := fill(r, page)
		p.list, p.size = append(p.list, page[:n]), p.size+int64(n)
		switch {
		case p.size > maxData:
			return nil, fmt.Errorf("more than %d bytes without compression", maxData)
		case errors.Is(err, io.EOF):
			return p, nil
		case err != nil:
			return nil, err
		}
	}
}

// fill reads until page is full or r ends, which unlike with io.ReadFull is
// always io.EOF, so that an io.ErrUnexpectedEOF comes from r.
func fill(r io.Reader, page []byte) (n int, err error) {
	for n < len(page) && err == nil {
		var more int
		more, err = r.Read(page[n:])
		n += more
	}
	return n, err
}

// ReadAt implements [io.ReaderAt].
func (p *pages) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("deb: read before the start")
	}
	for n < len(b) && off < p.size {
		more := copy(b[n:], p.list[off/pageSize][off%pageSize:])
		n, off = n+more, off+int64(more)
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}
