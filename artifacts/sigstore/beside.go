package sigstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
)

const maxSignature = 4 << 20 // bytes of a signature or a bundle

// readBeside returns the first of the files that exists and whose name is
// name with one of the ends.
func readBeside(ctx context.Context, src artifacts.Source, name string, ends ...string) ([]byte, error) {
	for _, end := range ends {
		r, err := src.Open(ctx, artifacts.Beside(name, end))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sigstore: %w", err)
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, maxSignature+1))
		if err == nil && len(data) > maxSignature {
			err = fmt.Errorf("more than %d bytes", maxSignature)
		}
		if err != nil {
			return nil, fmt.Errorf("sigstore: signature %s: %w", end, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("sigstore: no signature (%s) beside the file: %w", strings.Join(ends, ", "), fs.ErrNotExist)
}
