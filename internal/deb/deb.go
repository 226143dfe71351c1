package deb

import (
	"errors"
	"io"
	"io/fs"
)

// Open returns the files of the package in r, which has size bytes.
func Open(r io.ReaderAt, size int64) (fs.FS, error) { return nil, errors.New("deb: not yet") }
