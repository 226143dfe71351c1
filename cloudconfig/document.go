package cloudconfig

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// A Document is a cloud-config: a line #cloud-config and YAML below it, which
// may hold actions of a template. It never changes, and may be used
// concurrently.
type Document struct {
	data     []byte
	location string
	maxSize  int64
	actions  []action
}

// Parse returns the document that r holds, which it reads to its end. It returns
// an [*Error] for one that is too large, empty, binary, without the line
// #cloud-config, or not YAML. Only [WithMaxSize] matters to it.
func Parse(r io.Reader, opts ...Option) (*Document, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	data, err := readLimited(r, cfg.maxSize)
	if err != nil {
		return nil, &Error{Op: "parse", Err: err}
	}
	return newDocument(data, "", cfg.maxSize)
}

// newDocument checks data. YAML is checked only where there are no actions,
// since it need not be YAML before they ran.
func newDocument(data []byte, location string, maxSize int64) (*Document, error) {
	d := &Document{data: data, location: location, maxSize: maxSize}
	if err := d.checkText(); err != nil {
		return nil, err
	}
	d.actions = findActions(string(data))
	if len(d.actions) == 0 {
		return d, d.checkYAML()
	}
	return d, nil
}

// HasActions reports whether the document is a template: whether it holds
// anything for [Document.Render] to do.
func (d *Document) HasActions() bool { return len(d.actions) > 0 }

// Bytes returns a copy of the document's text.
func (d *Document) Bytes() []byte { return slices.Clone(d.data) }

// WriteTo writes the document's text to w. It implements [io.WriterTo].
func (d *Document) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, bytes.NewReader(d.data))
}

// Format implements [fmt.Formatter]: whatever the verb, the text is not shown,
// so that a document which gets into a log line gives nothing away.
func (d Document) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "cloud-config of %d bytes", len(d.data))
}
