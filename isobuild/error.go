package isobuild

import "strings"

// An Error says what could not be done with an image.
type Error struct {
	Op   string // "build", "stream", "remaster", "ipxe", "checksum", "open" or "boot"
	Path string // of a file in the tree or the image; "" if it is about no file
	Err  error  // why; matches fs.ErrNotExist for what a tree lacks
}

// Error implements the error interface.
func (e *Error) Error() string {
	s := "isobuild: " + e.Op + ": "
	if e.Path != "" {
		s += e.Path + ": "
	}
	// Causes from this package's own folders begin with their name already.
	return s + strings.TrimPrefix(e.Err.Error(), "isobuild: ")
}

// wrap makes err one of the operation.
func (c *config) wrap(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // one that is inside another keeps its place
		return &Error{Op: c.op.String(), Path: e.Path, Err: e.Err}
	}
	return &Error{Op: c.op.String(), Err: err}
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
