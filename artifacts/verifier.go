package artifacts

import (
	"context"
	"io"
)

// A Verifier decides whether a file may be used, after its digests were
// found right: by a signature, or by a list that the caller trusts.
type Verifier interface {
	// Verify returns nil if the file is good. The digest and the size in info
	// are those of the content, which r reads. What lies beside the file,
	// such as Beside(info.Name, ".sig"), it opens at src; what it read there once is
	// there again without a network.
	Verify(ctx context.Context, src Source, info Info, r io.Reader) error
}

// A VerifierFunc is a function used as a [Verifier].
type VerifierFunc func(ctx context.Context, src Source, info Info, r io.Reader) error

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, src Source, info Info, r io.Reader) error {
	return f(ctx, src, info, r)
}
