package isobuild

import "strings"

// An Error says what could not be done with an image.
type Error struct {
	Op   string // "build", "stream", "remaster", "ipxe", "open" or "boot"
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

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
