//go:build !linux

package manifest

import (
	"errors"
	"fmt"
)

// Dir lists what the kernel shows of a folder, on Linux.
func Dir(string) (Manifest, error) {
	return nil, fmt.Errorf("manifest: folder: %w", errors.ErrUnsupported)
}
