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
