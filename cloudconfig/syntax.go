package cloudconfig

import (
	"bytes"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errTwoDocuments says that a second YAML document follows the first; neither
// cloud-init nor Kairos reads it.
var errTwoDocuments = errors.New("a second document starts, and machines read only one")

// checkYAML reports where the text stops being YAML. A Jinja template need not
// be YAML before the machine has rendered it.
func (d *Document) checkYAML() error {
	if isJinja(string(d.data)) {
		return nil
	}
	_, err := parseYAML(d.data)
	if err == nil {
		return nil
	}
	return d.errorAt("parse", faultAt(d.data, err), err)
}

// parseYAML returns the one document in data, or nil if there are only
// comments. Its errors hold no part of the text.
func parseYAML(data []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // An empty document is no error and has no node.
	} else if err != nil {
		return nil, cleanError(err)
	}
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
		return &doc, nil
	case err != nil:
		return nil, cleanError(err)
	default:
		return nil, errTwoDocuments
	}
}

// A syntaxError is an error of the YAML parser, without any part of the text.
type syntaxError struct {
	line   int // where the construct starts that has the fault; 0 if unknown
	reason string
}

// Error implements the error interface.
func (e *syntaxError) Error() string { return e.reason }

// cleanError takes the line out of the parser's error, as it is seldom where
// the fault is, and the name of an anchor, which may be a password that starts
// with an asterisk.
func cleanError(err error) error {
	e := &syntaxError{reason: strings.TrimPrefix(err.Error(), "yaml: ")}
	if after, ok := strings.CutPrefix(e.reason, "line "); ok {
		var line string
		line, e.reason, _ = strings.Cut(after, ": ")
		e.line, _ = strconv.Atoi(line)
	}
	if strings.HasPrefix(e.reason, "unknown anchor") {
		e.reason = "an alias (*name) has no anchor (&name); quote a text that starts with *"
	}
	return e
}

// faultAt returns the offset at which parsing data fails with err. The parser
// tells no column, but it reads from front to back: the shortest beginning of
// data that gives the same error ends with the fault.
func faultAt(data []byte, err error) int {
	same := func(n int) bool {
		_, got := parseYAML(data[:n])
		return got != nil && got.Error() == err.Error()
	}
	low := 0 // too short
	if e, ok := errors.AsType[*syntaxError](err); ok {
		low = startOf(data, e.line-1)
	}
	// The fault is close to where its construct starts, so look there
	// before parsing the whole again and again.
	size := 16
	for low+size < len(data) && !same(low+size) {
		low, size = low+size, 2*size
	}
	high := min(low+size, len(data))
	return max(low+sort.Search(high-low, func(n int) bool { return same(low + n) })-1, 0)
}

// startOf returns the offset of a line, from 1, or 0.
func startOf(data []byte, line int) int {
	at := 0
	for range line - 1 {
		at += bytes.IndexByte(data[at:], '\n') + 1
	}
	return at
}
