//go:build !linux

package manifest

import (
	"errors"
	"fmt"
	"io/fs"
)

// Dir lists what the kernel shows of a folder, on Linux.
func Dir(string) (Manifest, error) {
	return nil, fmt.Errorf("manifest: folder: %w", errors.ErrUnsupported)
}

// DirFunc is [Dir], and reads only the regular files for which read is true.
func DirFunc(string, func(string, fs.FileInfo) bool) (Manifest, error) { return Dir("") }
