package squashfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// An unpacker unpacks whole blocks. It may be used concurrently.
type unpacker interface {
	// unpack unpacks src into dst and returns how many bytes that gave. More
	// than dst has room for is an error.
	unpack(dst, src []byte) (int, error)
}

var (
	errTooLong = errors.New("unpacks to more than a block")
	errEmpty   = errors.New("unpacks to nothing")
	errCorrupt = errors.New("packed data is corrupt")
)

// newUnpacker returns the unpacker for c.
func newUnpacker(c Compression) (unpacker, error) {
	switch c {
	case Gzip:
		return &zlibUnpacker{}, nil
	case Zstd:
		return newZstdUnpacker()
	case XZ:
		return &xzUnpacker{}, nil
	case lz4:
		return lz4Unpacker{}, nil
	default:
		return nil, fmt.Errorf("packed with %v, want gzip, xz, lz4 or zstd", c)
	}
}

// A zlibUnpacker unpacks what the format calls gzip, zlib streams (RFC 1950).
type zlibUnpacker struct{ readers sync.Pool }

// A zlibReader is what can be used again.
type zlibReader struct {
	in  bytes.Reader
	out io.ReadCloser
}

// reset makes r read a new stream, from r.in.
func (r *zlibReader) reset() (err error) {
	if r.out != nil {
		return r.out.(zlib.Resetter).Reset(&r.in, nil)
	}
	r.out, err = zlib.NewReader(&r.in)
	return err
}

// unpack implements [unpacker].
func (u *zlibUnpacker) unpack(dst, src []byte) (int, error) {
	r, _ := u.readers.Get().(*zlibReader)
	if r == nil {
		r = &zlibReader{}
	}
	defer u.readers.Put(r)
	r.in.Reset(src)
	if err := r.reset(); err != nil {
		return 0, unexpected(err)
	}
	for n := 0; n < len(dst); {
		k, err := r.out.Read(dst[n:])
		n += k
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	var more [1]byte
	switch _, err := io.ReadFull(r.out, more[:]); {
	case err == nil:
		return 0, errTooLong
	case !errors.Is(err, io.EOF): // With the end the checksum is compared.
		return 0, err
	default:
		return len(dst), nil
	}
}

// unexpected says that the end came too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A zstdUnpacker unpacks Zstandard frames (RFC 8878).
type zstdUnpacker struct{ decoder *zstd.Decoder }

// newZstdUnpacker returns an unpacker that unpacks as many blocks at once as
// there are processors. Without a stream a decoder has no goroutines.
func newZstdUnpacker() (zstdUnpacker, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
	return zstdUnpacker{d}, err
}

// unpack implements [unpacker].
func (u zstdUnpacker) unpack(dst, src []byte) (int, error) {
	out, err := u.decoder.DecodeAll(src, dst[:0:len(dst)])
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = errTooLong
	}
	if err != nil {
		return 0, err
	}
	return len(out), nil
}
