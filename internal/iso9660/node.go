package iso9660

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// A node is one name in the tree. It takes about 150 bytes.
type node struct {
	name    string
	parent  *node // the root's is the root
	kind    byte  // as in tar
	strange byte  // why the content cannot be read: one of the constants below
	perm    uint16
	uid     uint32
	gid     uint32
	serial  uint32 // PX's file serial number, 0 if there is none
	block   uint32 // of the first extent, or of the directory
	size    int64  // in bytes, of a file or directory
	seconds int64
	nanos   int32
	first   *node   // of a hard link: the file's first name
	rest    *rest   // what most nodes do not have
	entries []*node // of a directory, sorted by name
}

// What makes the content of a file unreadable.
const (
	strangeZisofs = iota + 1
	strangeSparse
	strangeInterleaved
)

// rest is what few nodes have.
type rest struct {
	target       string // of a symbolic link
	major, minor uint32 // of a device
	extents      []Extent
}

// more returns n.rest, which it makes if need be.
func (n *node) more() *rest {
	if n.rest == nil {
		n.rest = new(rest)
	}
	return n.rest
}

func (n *node) isDir() bool { return n.kind == tar.TypeDir }

func (n *node) target() string {
	if n.rest == nil {
		return ""
	}
	return n.rest.target
}

// extents returns where the content of a regular file lies.
func (n *node) extents() []Extent {
	switch {
	case n.kind != tar.TypeReg || n.size == 0:
		return nil
	case n.rest != nil && n.rest.extents != nil:
		return n.rest.extents
	default:
		return []Extent{{n.block, n.size}}
	}
}

// add appends an extent of a regular file to n. Extents that follow each
// other become one.
func (n *node) add(e Extent) {
	switch last := n.lastExtent(); {
	case e.Size == 0:
		return
	case n.size == 0:
		n.block = e.Block
	case last.Size%BlockSize == 0 && int64(last.Block)+last.Size/BlockSize == int64(e.Block):
		if n.rest != nil && n.rest.extents != nil {
			n.rest.extents[len(n.rest.extents)-1].Size += e.Size
		}
	default:
		n.more().extents = append(n.extents(), e)
	}
	n.size += e.Size
}

func (n *node) lastExtent() Extent {
	if n.rest != nil && n.rest.extents != nil {
		return n.rest.extents[len(n.rest.extents)-1]
	}
	return Extent{n.block, n.size}
}

// child returns the entry called name, or nil.
func (n *node) child(name string) *node {
	i, ok := slices.BinarySearchFunc(n.entries, name, func(e *node, name string) int { return cmp.Compare(e.name, name) })
	if !ok {
		return nil
	}
	return n.entries[i]
}

// childFold is child, whatever the case of letters.
func (n *node) childFold(name string) *node {
	for _, e := range n.entries {
		if strings.EqualFold(e.name, name) {
			return e
		}
	}
	return nil
}

// path returns where n is, "." for the root.
func (n *node) path() string {
	if n.parent == n {
		return "."
	}
	var names []string
	for ; n.parent != n; n = n.parent {
		names = append(names, n.name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

func (n *node) modTime() time.Time { return time.Unix(n.seconds, int64(n.nanos)).UTC() }

func (n *node) mode() fs.FileMode {
	h := tar.Header{Typeflag: n.kind, Mode: int64(n.perm)}
	return h.FileInfo().Mode()
}

// length is the size as [fs.FileInfo] has it.
func (n *node) length() int64 {
	if n.kind != tar.TypeReg {
		return 0
	}
	return n.size
}

// header returns n as a fresh tar header.
func (n *node) header() *tar.Header {
	h := &tar.Header{
		Typeflag: n.kind, Name: n.path(), Linkname: n.target(), Size: n.length(),
		Mode: int64(n.perm), Uid: int(n.uid), Gid: int(n.gid), ModTime: n.modTime(), Format: tar.FormatPAX,
	}
	if n.rest != nil {
		h.Devmajor, h.Devminor = int64(n.rest.major), int64(n.rest.minor)
	}
	switch {
	case n.isDir():
		h.Name += "/"
	case n.first != nil:
		h.Typeflag, h.Linkname = tar.TypeLink, n.first.path()
	}
	return h
}

// alike says whether n and other can be names of one file.
func (n *node) alike(other *node) bool {
	if n.kind != other.kind || n.perm != other.perm || n.uid != other.uid || n.gid != other.gid ||
		n.size != other.size || n.seconds != other.seconds || n.nanos != other.nanos || n.strange != other.strange {
		return false
	}
	a, b := rest{}, rest{}
	if n.rest != nil {
		a = *n.rest
	}
	if other.rest != nil {
		b = *other.rest
	}
	return a.target == b.target && a.major == b.major && a.minor == b.minor && slices.Equal(n.extents(), other.extents())
}

// readable returns why the content of n cannot be read from an image of size
// bytes, or nil.
func (n *node) readable(size int64) error {
	switch n.strange {
	case strangeZisofs:
		return fmt.Errorf("compressed by zisofs: %w", errUnsupported)
	case strangeSparse:
		return fmt.Errorf("recorded as sparse (RRIP SF): %w", errUnsupported)
	case strangeInterleaved:
		return fmt.Errorf("recorded interleaved: %w", errUnsupported)
	}
	for _, e := range n.extents() {
		if start := int64(e.Block) * BlockSize; start > size || e.Size > size-start {
			return fmt.Errorf("%d bytes at block %d end behind the image of %d bytes: %w", e.Size, e.Block, size, io.ErrUnexpectedEOF)
		}
	}
	return nil
}
