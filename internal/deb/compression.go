package deb

import (
	"bufio"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxWindow is how many bytes a decompressor may look back, which it has to keep.
const maxWindow = 64 << 20

// newGzip returns what r is uncompressed.
func newGzip(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(bufio.NewReader(r)) }

// newZstd returns what r is uncompressed.
func newZstd(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxData))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}
