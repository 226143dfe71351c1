package source

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/netbootkit/netbootkit/isobuild"
)

// IsISO reports whether name is a file that holds an ISO 9660 image: whose
// seventeenth block is a volume descriptor (ECMA-119 §8.1).
func IsISO(name string) (bool, error) {
	f, err := os.Open(name) //nolint:gosec // The user names it.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // It was only read.
	var id [5]byte
	if _, err := f.ReadAt(id[:], 16*2048+1); err != nil {
		return false, nil // A folder, or a short file: no image.
	}
	return string(id[:]) == "CD001", nil
}

// OpenISO is what the source of a release takes to read its ISO.
func OpenISO(iso io.ReaderAt, size int64) (fs.FS, error) {
	return isobuild.Open(io.NewSectionReader(iso, 0, size))
}
