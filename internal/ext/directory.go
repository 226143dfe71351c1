package ext

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// Sizes of directories.
const (
	entryHeader = 8
	dotSize     = 12 // an entry of one or two dots
	tailSize    = 12 // the checksum of a block, as an entry that is not there
	tailType    = 0xDE
)

// entrySize is what an entry takes in a directory.
func entrySize(name string) int { return roundUp(entryHeader+len(name), 4) * 4 }

// capacity is how much of a block entries may take.
func capacity(sums bool) int {
	if sums {
		return blockSize - tailSize
	}
	return blockSize
}

// measure finds how many blocks the entries of dir need. A directory of one
// block has the order of names, a larger one an index.
func (w *walk) measure(dir *node) error {
	size := 2 * dotSize
	for _, kid := range dir.Kids {
		size += entrySize(kid.Name)
	}
	if size <= capacity(w.sums) {
		dir.Size = blockSize
		return nil
	}
	dir.index = w.newIndex(dir.Kids)
	if n := dir.index.nodes(w.sums); n > indexRoot(w.sums) {
		return at(dir.Path(), fmt.Errorf("too many entries: the index has %d parts, and %d is the most", n, indexRoot(w.sums)))
	}
	dir.Size = int64(dir.index.blocks(w.sums)) * blockSize
	return nil
}

// A dirWriter encodes the blocks of one directory.
type dirWriter struct {
	dir  *node
	sums *summer // nil: blocks have no checksums
	seed uint32
}

func newDirWriter(dir *node, sums *summer) *dirWriter {
	w := &dirWriter{dir: dir, sums: sums}
	if sums != nil {
		w.seed = sums.inode(dir.number)
	}
	return w
}

// encode returns all blocks of the directory.
func (w *dirWriter) encode() []byte {
	if w.dir.index != nil {
		return w.encodeIndex()
	}
	b := make([]byte, 0, w.dir.Size)
	b = append(b, w.leaf(w.dots(), w.dir.Kids)...)
	for int64(len(b)) < w.dir.Size { // Only lost+found.
		b = append(b, w.leaf(nil, nil)...)
	}
	return b
}

// dots returns the entries that every directory has.
func (w *dirWriter) dots() []byte {
	up := w.dir.Parent
	if up == nil {
		up = w.dir
	}
	b := w.entry(nil, ".", w.dir)
	return w.entry(b, "..", up)
}

// entry appends an entry to b.
func (w *dirWriter) entry(b []byte, name string, n *node) []byte {
	size := entrySize(name)
	b = slices.Grow(b, size)
	b = binary.LittleEndian.AppendUint32(b, n.number)
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	b = append(b, byte(len(name)), entryType(n.Type()))
	b = append(b, name...)
	return append(b, make([]byte, size-entryHeader-len(name))...)
}

// leaf returns a block with entries. The last one takes what is left.
func (w *dirWriter) leaf(b []byte, kids []*node) []byte {
	last := 0
	if len(b) > 0 {
		last = dotSize
	}
	for _, kid := range kids {
		last = len(b)
		b = w.entry(b, kid.Name, dentry.Inode(kid))
	}
	end := capacity(w.sums != nil)
	block := make([]byte, blockSize)
	copy(block, b)
	binary.LittleEndian.PutUint16(block[last+4:], uint16(end-last))
	if w.sums != nil {
		binary.LittleEndian.PutUint16(block[end+4:], tailSize)
		block[end+7] = tailType
		binary.LittleEndian.PutUint32(block[end+8:], w.sums.sum(w.seed, block[:end]))
	}
	return block
}

// entryType is how an entry says what kind of file it names.
func entryType(kind uint16) byte {
	switch kind {
	case dentry.TypeFile:
		return 1
	case dentry.TypeDir:
		return 2
	case dentry.TypeChar:
		return 3
	case dentry.TypeBlock:
		return 4
	case dentry.TypeFIFO:
		return 5
	case dentry.TypeSocket:
		return 6
	case dentry.TypeSymlink:
		return 7
	default:
		return 0
	}
}
