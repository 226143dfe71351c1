package isomaster

import (
	"archive/tar"
	"fmt"
	"io"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// Node is a file of the volume. The nodes of one volume are a tree: none
// appears in it twice, and none is changed by this package.
type Node struct {
	// Name is the last element of the path, and "" for the root.
	Name string
	// Header has type, mode, owner, group, time, link target and device
	// numbers; its name, size and attributes are not looked at. Without one
	// the node belongs to root, has the time of the volume and is a directory
	// of mode 0755 if it is the root or Children is not nil, and a regular
	// file of mode 0644 otherwise. A header of a regular file with the type
	// bits 0140000 in its mode makes a socket.
	Header *tar.Header
	// Extents of a regular file, in order, in blocks of the image. None means
	// that the file is empty.
	Extents []iso9660.Extent
	// Children of a directory, in any order.
	Children []*Node
	// Same makes the node one more name of that node, which is in the tree
	// and is no directory. Nothing but Name and Outside is looked at then.
	Same *Node
	// Outside leaves the node, and what is below it, out of the tree of the
	// partition, because its data lies beyond the partition's end.
	Outside bool
}

// Volume says what the descriptors say.
type Volume struct {
	// ID is the volume identifier: at most 32 characters of printable ASCII.
	ID string
	// System is the system identifier, at most 32 characters. Those that
	// follow have at most 128.
	System, Set, Publisher, Preparer, Application string
	// Time is when the volume was made, and the time of all that have none.
	// The zero time stands for the beginning of 1970.
	Time time.Time
	// Size of the image in bytes, a multiple of 2048.
	Size int64
	// Partition asks for a second volume over the same data, which is seen by
	// who mounts a partition of the image. Block zero: there is none.
	Partition Partition
	// NoJoliet leaves out the trees for Windows.
	NoJoliet bool
	// Boot has the entries of the El Torito boot catalogue, the default one
	// first, and CatalogBlock its place. No entries: there is no catalogue.
	Boot         []iso9660.BootEntry
	CatalogBlock uint32
}

// Partition is a range of the image, which holds all data except that of
// nodes that are Outside, and the metadata of this package.
type Partition struct {
	Block uint32 // The first block of the image that is in it.
	Size  int64  // In bytes, a multiple of 2048.
}

// Piece is a part of the image, whose size is a multiple of 2048. Directories are
// made when they are read.
type Piece struct {
	*io.SectionReader

	Block uint32
}

// Measure returns how many blocks Metadata takes for path tables and
// directories. It looks at the sizes of extents, not at their blocks, at
// whether there is a partition, not at its size, and not at the size of v.
func Measure(root *Node, v *Volume) (blocks uint32, err error) {
	l, err := newLayout(root, v)
	if err != nil {
		return 0, fmt.Errorf("isomaster: %w", err)
	}
	return l.blocks, nil
}

// Metadata returns the descriptors, the boot catalogue, and the path tables
// and directories, which begin at the block at. The pieces are in the order of
// their blocks, and read root, which must stay as it is for as long.
func Metadata(root *Node, v *Volume, at uint32) ([]Piece, error) {
	l, err := newLayout(root, v)
	if err != nil {
		return nil, fmt.Errorf("isomaster: %w", err)
	}
	if err := l.place(at); err != nil {
		return nil, fmt.Errorf("isomaster: %w", err)
	}
	pieces, err := l.pieces()
	if err != nil {
		return nil, fmt.Errorf("isomaster: %w", err)
	}
	return pieces, nil
}
