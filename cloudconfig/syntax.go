package cloudconfig

import (
	"bytes"
	"errors"
	"io"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errTwoDocuments says that a second YAML document follows the first; neither
// cloud-init nor Kairos reads it.
var errTwoDocuments = errors.New("a second document starts, and machines read only one")

// checkYAML reports where the text stops being YAML. A Jinja template need not
// be YAML before the machine has rendered it.
func (d *Document) checkYAML(op string) error {
	if isJinja(string(d.data)) {
		return nil
	}
	_, err := parseYAML(d.data)
	if err == nil {
		return nil
	}
	return d.errorAt(op, faultAt(d.data, err), err)
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

// cleanError drops from the parser's error the line, which is where the
// enclosing construct starts and not where the fault is, and the name of an
// anchor, which is a password that starts with an asterisk.
func cleanError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if after, ok := strings.CutPrefix(text, "line "); ok {
		_, text, _ = strings.Cut(after, ": ")
	}
	if strings.HasPrefix(text, "unknown anchor") {
		text = "an alias (*name) has no anchor (&name); quote a text that starts with *"
	}
	return errors.New(text)
}

// faultAt returns the offset at which parsing data fails with err. The parser
// tells no column, but it reads from front to back: the shortest beginning of
// data that gives the same error ends with the fault.
func faultAt(data []byte, err error) int {
	n := sort.Search(len(data), func(n int) bool {
		_, got := parseYAML(data[:n])
		return got != nil && got.Error() == err.Error()
	})
	return max(n-1, 0)
}
