package oci

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/netbootkit/netbootkit/artifacts"
)

const (
	readSize  = 64 << 10  // bytes read from a compressed layer at once
	maxWindow = 128 << 20 // bytes that zstd may refer back to; zstd --long=27 makes as much
)

// uncompress returns the content of rc, which may be compressed by gzip or
// zstd: what it begins with says so, as media types do not always. Closing it
// closes rc.
func uncompress(rc io.ReadCloser) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(rc, readSize)
	magic, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return &unpacked{Reader: z, below: rc, end: func() { _ = z.Close() }}, nil // It has no more to say than Read.
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return &unpacked{Reader: z, below: rc, end: z.Close}, nil
	}
	return &unpacked{Reader: r, below: rc, end: func() {}}, nil
}

// unpacked is what is in a compressed file.
type unpacked struct {
	io.Reader
	below io.Closer
	end   func()
}

// Close closes both.
func (u *unpacked) Close() error {
	u.end()
	return u.below.Close()
}

// A verified reader ends with io.EOF only if what it read has the digest that
// it should have.
type verified struct {
	ctx   context.Context //nolint:containedctx // It lives as long as the reading of one layer.
	inner io.ReadCloser
	want  artifacts.Digest
	limit int64 // bytes
	seen  int64
	sum   hash.Hash
}

func newVerified(ctx context.Context, inner io.ReadCloser, want artifacts.Digest, limit int64) *verified {
	return &verified{ctx: ctx, inner: inner, want: want, limit: limit, sum: sha256.New()}
}

// Read implements [io.Reader].
func (v *verified) Read(p []byte) (int, error) {
	if err := v.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := v.inner.Read(p)
	v.sum.Write(p[:n])
	if v.seen += int64(n); v.seen > v.limit {
		return 0, fmt.Errorf("oci: layer is larger than %d bytes when uncompressed (see WithMaxSize)", v.limit)
	}
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if got := artifacts.NewDigest(artifacts.SHA256, v.sum.Sum(nil)); got != v.want {
		return n, &artifacts.DigestError{Name: "uncompressed layer", Want: v.want, Got: got, From: "the image's configuration"}
	}
	return n, io.EOF
}

// Close closes what is read.
func (v *verified) Close() error { return v.inner.Close() }
