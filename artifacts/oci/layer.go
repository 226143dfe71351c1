package oci

import (
	"context"
	"io"

	"github.com/netbootkit/netbootkit/artifacts"
)

// A Layer is one of the archives that an image is made of: what its step of
// the build added, changed and removed.
type Layer interface {
	// Info returns what is known about the layer as it is kept, which may be
	// compressed: its size in bytes and its digest.
	Info() artifacts.Info
	// Open returns the uncompressed tar. What is read was not yet verified,
	// until io.EOF says that all of it is as it should be. The end of ctx
	// ends reads. The caller closes it.
	Open(ctx context.Context) (io.ReadCloser, error)
}

// A layer is a [Layer] of an [Image].
type layer struct {
	info    artifacts.Info
	diffID  artifacts.Digest // of the uncompressed tar
	maxSize int64            // of the same, in bytes
	open    func(ctx context.Context, g *gauge) (io.ReadCloser, error)
}

// Info implements [Layer].
func (l *layer) Info() artifacts.Info { return l.info }

// Open implements [Layer].
func (l *layer) Open(ctx context.Context) (io.ReadCloser, error) {
	return l.uncompressed(ctx, nil, nil)
}

// fetch brings the layer here, if it is not yet.
func (l *layer) fetch(ctx context.Context, g *gauge) error {
	rc, err := l.open(ctx, g)
	if err != nil {
		return err
	}
	return rc.Close()
}

// uncompressed returns the tar. What has to be fetched for it counts towards
// fetched, what is read of the layer as it is kept towards read.
func (l *layer) uncompressed(ctx context.Context, fetched, read *gauge) (io.ReadCloser, error) {
	rc, err := l.open(ctx, fetched)
	if err != nil {
		return nil, err
	}
	plain, err := uncompress(read.watch(rc, l.info.Name, 0))
	if err != nil {
		rc.Close()
		return nil, err
	}
	return newVerified(ctx, plain, l.diffID, l.maxSize), nil
}
