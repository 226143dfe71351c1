package cloudconfig

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	header      = "#cloud-config"
	jinjaHeader = "## template: jinja"
)

// checkText looks for what makes d no text or no cloud-config.
func (d *Document) checkText() error {
	fail := func(at int, err error) error { return d.errorAt("parse", at, err) }
	switch data := d.data; {
	case len(bytes.TrimSpace(data)) == 0:
		return &Error{Op: "parse", Location: d.location, Err: errors.New("the document is empty")}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fail(0, errors.New("the document is UTF-16, want UTF-8"))
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return fail(0, errors.New("a byte order mark hides the line #cloud-config"))
	}
	if at := binaryAt(d.data); at >= 0 {
		return fail(at, errors.New("the document is binary"))
	}
	if !hasHeader(string(d.data)) {
		return fail(len(d.data)-len(bytes.TrimLeft(d.data, " \t\r\n\v\f")), ErrNoHeader)
	}
	return nil
}

// binaryAt returns where data stops being text, or −1.
func binaryAt(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// hasHeader reports whether cloud-init takes text for a cloud-config: blank
// lines may come first, letters may be of either case, and the line of a
// Jinja template may stand above.
func hasHeader(text string) bool {
	first, rest, _ := strings.Cut(strings.TrimLeft(text, " \t\r\n\v\f"), "\n")
	if isJinja(text) {
		first, _, _ = strings.Cut(strings.TrimLeft(rest, " \t\r\n\v\f"), "\n")
	}
	after, ok := cutPrefixFold(first, header)
	// #cloud-config-archive and #cloud-config-jsonp are other formats.
	return ok && !strings.HasPrefix(after, "-")
}

// isJinja reports whether cloud-init renders text before it reads it as YAML.
func isJinja(text string) bool {
	_, ok := cutPrefixFold(strings.TrimLeft(text, " \t\r\n\v\f"), jinjaHeader)
	return ok
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// errorAt returns an error about the byte at offset at of d's text.
func (d *Document) errorAt(op string, at int, err error) *Error {
	line, column := position(d.data, at)
	return &Error{
		Op: op, Location: d.location, Line: line, Column: column,
		Text: strings.TrimLeft(maskLine(lineAt(d.data, at)), " "), Err: err,
	}
}

// position returns the line and the column, in characters, of an offset.
func position(data []byte, at int) (line, column int) {
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// lineAt returns the line around an offset, without its end.
func lineAt(data []byte, at int) string {
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	line, _, _ := bytes.Cut(data[start:], []byte("\n"))
	return strings.TrimSuffix(string(line), "\r")
}
