package squashfs

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// An encoder makes the inode table and the directory table.
//
// All entries of a directory have their inodes next to each other, with
// numbers that follow one another, except for hard links: so one header serves up
// to 256 entries, and listing a directory with attributes reads few blocks.
type encoder struct {
	inodes, dirs *meta
	root         *node
	ids          map[uint32]uint16 // from owners and groups to their index
	refs         []uint64          // of inodes by number, less one
	count        uint32            // of all inodes, but for the root
	buf          []byte
}

// run encodes the tree and returns the reference of the root's inode.
func (e *encoder) run() (uint64, error) {
	e.number(e.root)
	e.root.number = e.count + 1
	e.refs = make([]uint64, 0, e.root.number)
	e.dir(e.root)
	e.inode(e.root)
	if uint64(max(len(e.inodes.packed), len(e.dirs.packed))) > math.MaxUint32 {
		return 0, errors.New("squashfs: more than 4 GiB of inodes or of names")
	}
	return e.root.ref, nil
}

// number gives numbers to all inodes below dir, in the order in which they
// are written: directories must know the number of their parent, which comes
// later.
func (e *encoder) number(dir *node) {
	for _, kid := range dir.Kids {
		if kid.IsDir() {
			e.number(kid)
		}
	}
	for _, kid := range dir.Kids {
		if n := dentry.Inode(kid); n.number == 0 {
			e.count++
			n.number = e.count
		}
	}
}

// dir encodes all inodes below dir, and its listing.
func (e *encoder) dir(dir *node) {
	for _, kid := range dir.Kids {
		if kid.IsDir() {
			e.dir(kid)
		}
	}
	for _, kid := range dir.Kids {
		if n := dentry.Inode(kid); int(n.number) > len(e.refs) {
			e.inode(n)
		}
	}
	dir.list = e.listing(dir)
}

// inode encodes one inode.
func (e *encoder) inode(n *node) {
	n.ref = e.inodes.position()
	e.refs = append(e.refs, n.ref)
	e.buf = e.buf[:0]
	switch n.kind {
	case typeDir:
		e.directory(n)
	case typeFile:
		e.file(n)
	default:
		e.special(n)
	}
	e.inodes.write(e.buf)
}

// u16, u32 and u64 append a number to the inode.
func (e *encoder) u16(v uint16) { e.buf = binary.LittleEndian.AppendUint16(e.buf, v) }
func (e *encoder) u32(v uint32) { e.buf = binary.LittleEndian.AppendUint32(e.buf, v) }
func (e *encoder) u64(v uint64) { e.buf = binary.LittleEndian.AppendUint64(e.buf, v) }

// header encodes what all inodes start with.
func (e *encoder) header(n *node, extended bool) {
	kind := n.kind
	if extended {
		kind += typeExtended
	}
	e.u16(kind)
	e.u16(n.Mode & 0o7777)
	e.u16(e.ids[n.UID])
	e.u16(e.ids[n.GID])
	e.u32(n.mtime)
	e.u32(n.number)
}

// directory encodes the inode of a directory.
func (e *encoder) directory(n *node) {
	parent := e.root.number + 1 // So the root has it.
	if n.Parent != nil {
		parent = n.Parent.number
	}
	block, offset := uint32(n.list.start>>16), uint16(n.list.start)
	size := n.list.size + dirExtra
	if n.xattrs == noXattr && size <= math.MaxUint16 && n.list.marks == 0 {
		e.header(n, false)
		e.u32(block)
		e.u32(n.Links)
		e.u16(uint16(size))
		e.u16(offset)
		e.u32(parent)
		return
	}
	e.header(n, true)
	e.u32(n.Links)
	e.u32(size)
	e.u32(block)
	e.u32(parent)
	e.u16(n.list.marks)
	e.u16(offset)
	e.u32(n.xattrs)
	e.buf = append(e.buf, n.list.index...)
}

// file encodes the inode of a regular file.
func (e *encoder) file(n *node) {
	c := n.file
	if n.xattrs == noXattr && n.Links == 1 && c.sparse == 0 && c.start <= math.MaxUint32 && n.Size <= math.MaxUint32 {
		e.header(n, false)
		e.u32(uint32(c.start))
		e.u32(c.fragment)
		e.u32(c.offset)
		e.u32(uint32(n.Size))
	} else {
		e.header(n, true)
		e.u64(c.start)
		e.u64(uint64(n.Size))
		e.u64(c.sparse)
		e.u32(n.Links)
		e.u32(c.fragment)
		e.u32(c.offset)
		e.u32(n.xattrs)
	}
	for _, size := range c.sizes {
		e.u32(size)
	}
}

// special encodes the inode of anything else.
func (e *encoder) special(n *node) {
	extended := n.xattrs != noXattr
	e.header(n, extended)
	e.u32(n.Links)
	switch n.kind {
	case typeSymlink:
		e.u32(uint32(len(n.Target)))
		e.buf = append(e.buf, n.Target...)
	case typeBlock, typeChar:
		e.u32(n.Device)
	}
	if extended {
		e.u32(n.xattrs)
	}
}
