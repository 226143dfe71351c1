package artifacts

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// ErrUnverified says that no digest of a file is known, so that it could not
// be verified; see [WithUnverified].
var ErrUnverified = errors.New("artifacts: no digest is known and no verifier vouches")

// An Error says what a [Store] could not do.
type Error struct {
	Op     string // "get", "fetch", "lookup", "make" or "prune"
	Source string // the ID of the source; "" if there is none
	Name   string // the file asked for, without secrets that were in it
	Err    error  // why; matches fs.ErrNotExist for a file that is not there
}

// Error implements the error interface.
func (e *Error) Error() string {
	s := "artifacts: " + e.Op
	if e.Name != "" {
		s += fmt.Sprintf(" %.300q", e.Name)
	}
	if e.Source != "" {
		s += " from " + e.Source
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// A DigestError says that content is not what a digest promised.
type DigestError struct {
	Name      string // the file
	Want, Got Digest
	From      string // who promised: a source, a file of checksums, the caller
}

// Error implements the error interface.
func (e *DigestError) Error() string {
	return fmt.Sprintf("%s: digest is %s, want %s as %s says", e.Name, e.Got, e.Want, e.From)
}

// A SizeError says that content has another size than was promised, or than
// is allowed.
type SizeError struct {
	Name  string // the file
	Want  int64  // the size that was promised, in bytes; −1 if none was
	Got   int64  // the size found, in bytes; of content that is too long, what was seen of it
	Limit int64  // what [WithMaxSize] allows, in bytes
}

// Error implements the error interface.
func (e *SizeError) Error() string {
	if e.Want < 0 || e.Got > e.Limit {
		return fmt.Sprintf("%s: %d bytes or more, at most %d are allowed", e.Name, e.Got, e.Limit)
	}
	return fmt.Sprintf("%s: size is %d bytes, want %d", e.Name, e.Got, e.Want)
}

// An HTTPError is an answer that is not the file asked for. It matches
// [fs.ErrNotExist] for the statuses 404 and 410, [fs.ErrPermission] for 401
// and 403.
type HTTPError struct {
	Method     string
	URL        string // without user, password and query
	Status     int
	RetryAfter time.Duration // what the server asked for; zero if nothing
	Snippet    string        // the start of the body, at most 200 bytes, if it is text
}

// Error implements the error interface.
func (e *HTTPError) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Status, http.StatusText(e.Status))
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(", retry after %v", e.RetryAfter)
	}
	if e.Snippet != "" {
		s += fmt.Sprintf(": %q", e.Snippet)
	}
	return s
}

// Is compares the status with what target means.
func (e *HTTPError) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == fs.ErrPermission
	default:
		return false
	}
}

// Temporary says whether the same request can succeed later.
func (e *HTTPError) Temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// A readError is the end of a connection before the end of a file.
type readError struct {
	got, want int64 // want is −1 if unknown
	err       error
}

func (e *readError) Error() string {
	if e.want < 0 {
		return fmt.Sprintf("after %d bytes: %v", e.got, e.err)
	}
	return fmt.Sprintf("after %d of %d bytes: %v", e.got, e.want, e.err)
}

func (e *readError) Unwrap() error { return e.err }

// A diskError is a failure of the store's own files.
type diskError struct {
	dir string
	err error
}

func (e *diskError) Error() string {
	if s := e.err.Error(); strings.Contains(s, e.dir) {
		return s
	}
	return fmt.Sprintf("in %s: %v", e.dir, e.err)
}

func (e *diskError) Unwrap() error { return e.err }
