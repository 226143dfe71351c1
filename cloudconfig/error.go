package cloudconfig

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrNoHeader says that a document does not start with the line #cloud-config,
// so that no machine would take it for one.
var ErrNoHeader = errors.New("the line #cloud-config is missing at the start")

// An Error describes why a document could not be loaded or rendered. It never
// holds a value of the document.
type Error struct {
	Op       string // "load", "parse" or "render"
	Location string // where the document is from, without credentials; empty for Parse
	Line     int    // of the document, from 1; 0 if the fault has no position
	Column   int    // in characters, from 1; 0 if the fault has no position
	Text     string // the line, with values masked; empty if there is none
	Err      error  // why; matches fs.ErrNotExist for a missing file
}

// Error implements the error interface.
func (e *Error) Error() string {
	s := "cloudconfig: " + e.Op
	if e.Location != "" {
		s += " " + e.Location
	}
	if e.Line > 0 {
		s += fmt.Sprintf(": line %d, column %d", e.Line, e.Column)
	}
	s += ": " + e.Err.Error()
	if e.Text != "" {
		s += fmt.Sprintf(" in %q", e.Text)
	}
	return s
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// A MissingError says that a template uses a value that was not given.
type MissingError struct {
	Name  string   // what is missing, such as "kairos.password"
	Given []string // the names that were given, sorted
}

// Error implements the error interface.
func (e *MissingError) Error() string {
	given := "nothing was given"
	if len(e.Given) > 0 {
		given = "given are " + strings.Join(e.Given, ", ")
	}
	return fmt.Sprintf("no value for %s; %s", e.Name, given)
}

// showLocation returns location as it may be shown: without the password and
// the query of a URL, which may hold a token.
func showLocation(location string) string {
	if !isURL(location) {
		return location
	}
	u, err := url.Parse(location)
	if err != nil {
		return "the URL"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
