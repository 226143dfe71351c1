package oci

import (
	"fmt"
	"strings"
)

// A ReferenceError describes a reference that names no image.
type ReferenceError struct {
	Reference string // as it was written
	Err       error  // what was expected
}

// Error implements the error interface.
func (e *ReferenceError) Error() string {
	return fmt.Sprintf("oci: reference %.300q: %v", e.Reference, e.Err)
}

// Unwrap returns e.Err.
func (e *ReferenceError) Unwrap() error { return e.Err }

// A PlatformError says that an image was not built for what it is wanted for.
type PlatformError struct {
	Want string   // as in linux/arm64
	Have []string // what there is, in the order of the image
}

// Error implements the error interface.
func (e *PlatformError) Error() string {
	have := "none at all"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("no image for %s, there is %s (see WithPlatform)", e.Want, have)
}

// An Error describes a step that failed on the way from a reference to a root
// file system.
type Error struct {
	Op    string // "open" or "flatten"
	Image string // the image's reference; empty for an archive or a layout
	Err   error  // why; matches fs.ErrNotExist for an image that is not there
}

// Error implements the error interface.
func (e *Error) Error() string {
	if e.Image == "" {
		return fmt.Sprintf("oci: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("oci: %s %s: %v", e.Op, e.Image, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
