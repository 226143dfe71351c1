package tartree

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strings"
)

// A step is what one entry of an archive does to a tree.
type step struct {
	op   int8
	name string // clean
	link string // of a hard link: the other name, clean
	node *Node  // of what is added
}

// What steps do.
const (
	opSkip int8 = iota
	opAdd
	opLink
	opWhiteout
	opOpaque
)

const (
	whiteoutPrefix = ".wh."         // (OCI image-spec 1.1, layer.md, whiteouts)
	opaqueName     = ".wh..wh..opq" // (OCI image-spec 1.1, layer.md, opaque whiteout)
	reservedPrefix = ".wh..wh."     // what AUFS keeps for itself
)

// An EntryError says which entry of an archive could not be used.
type EntryError struct {
	Name string // as the archive has it
	Err  error
}

// Error implements the error interface.
func (e *EntryError) Error() string { return fmt.Sprintf("entry %.200q: %v", e.Name, e.Err) }

// Unwrap returns e.Err.
func (e *EntryError) Unwrap() error { return e.Err }

// newStep returns what h does. In a layer some names are marks.
func newStep(h *tar.Header, layer bool) (step, error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return step{}, nil
	}
	name, err := Clean(h.Name)
	if err != nil {
		return step{}, err
	}
	name = strings.Clone(name)
	if layer {
		if s, ok, err := mark(name); ok || err != nil {
			return s, err
		}
	}
	if h.Typeflag == tar.TypeLink {
		link, err := Clean(h.Linkname)
		return step{op: opLink, name: name, link: strings.Clone(link)}, err
	}
	node, err := NewNode(h)
	return step{op: opAdd, name: name, node: node}, err
}

// mark returns the step of a name that stands for something missing.
func mark(name string) (s step, ok bool, err error) {
	folder, base := path.Split(name)
	folder = path.Clean(folder)
	switch {
	case base == opaqueName:
		return step{op: opOpaque, name: folder}, true, nil
	case strings.HasPrefix(name, reservedPrefix), strings.Contains(name, "/"+reservedPrefix):
		return step{}, true, nil
	case !strings.HasPrefix(base, whiteoutPrefix):
		return step{}, false, nil
	}
	gone := strings.TrimPrefix(base, whiteoutPrefix)
	if gone == "" || gone == "." || gone == ".." {
		return step{}, true, errors.New("whiteout of no name")
	}
	return step{op: opWhiteout, name: path.Join(folder, gone)}, true, nil
}

// apply does s to t, as part of a layer.
func (s *step) apply(t *Tree, layer int) error {
	switch s.op {
	case opAdd:
		return t.Add(layer, s.name, s.node)
	case opLink:
		return t.Link(layer, s.name, s.link)
	case opWhiteout:
		return t.Whiteout(layer, s.name)
	case opOpaque:
		return t.Opaque(layer, s.name)
	default:
		return nil
	}
}
