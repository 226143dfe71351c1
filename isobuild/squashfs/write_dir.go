package squashfs

import (
	"encoding/binary"
	"math"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// A listing says where the names of a directory are.
type listing struct {
	start uint64 // reference in the directory table
	size  uint32 // bytes when unpacked
	marks uint16 // how many marks index has
	index []byte // marks: where in the listing to look for which names
}

// listing encodes the names of a directory. Their inodes are there already.
//
// Listings beyond 8 KiB get an index, with a mark at a header for every
// 8 KiB, so that finding one name reads one or two blocks.
func (e *encoder) listing(dir *node) *listing {
	list := &listing{start: e.dirs.position()}
	room := metaSize // bytes until the next mark
	for kids := dir.Kids; len(kids) > 0; {
		n, size := fit(kids, room)
		if n == 0 {
			room = e.mark(list, kids[0].Name)
			continue
		}
		e.entries(kids[:n])
		list.size += uint32(size)
		room -= size
		kids = kids[n:]
	}
	return list
}

// fit returns how many of the entries go behind one header in room bytes,
// and how many bytes that takes.
func fit(kids []*node, room int) (n, size int) {
	head := dentry.Inode(kids[0])
	size = dirHeaderSize
	for _, kid := range kids[:min(len(kids), maxDirHeader)] {
		inode := dentry.Inode(kid)
		delta := int64(inode.number) - int64(head.number)
		next := size + dirEntrySize + len(kid.Name)
		if inode.ref>>16 != head.ref>>16 || delta < math.MinInt16 || delta > math.MaxInt16 || next > room {
			break
		}
		n, size = n+1, next
	}
	return n, size
}

// mark adds a mark to the index for the header that comes next, which is
// followed by name. It returns how many bytes are between marks.
func (e *encoder) mark(list *listing, name string) int {
	if list.marks == math.MaxUint16 {
		return math.MaxInt
	}
	list.marks++
	list.index = binary.LittleEndian.AppendUint32(list.index, list.size)
	list.index = binary.LittleEndian.AppendUint32(list.index, uint32(e.dirs.position()>>16))
	list.index = binary.LittleEndian.AppendUint32(list.index, uint32(len(name)-1))
	list.index = append(list.index, name...)
	return metaSize
}

// entries encodes a header and the entries behind it.
func (e *encoder) entries(kids []*node) {
	head := dentry.Inode(kids[0])
	e.buf = e.buf[:0]
	e.u32(uint32(len(kids) - 1))
	e.u32(uint32(head.ref >> 16))
	e.u32(head.number)
	for _, kid := range kids {
		inode := dentry.Inode(kid)
		e.u16(uint16(inode.ref))
		e.u16(uint16(inode.number - head.number))
		e.u16(inode.kind)
		e.u16(uint16(len(kid.Name) - 1))
		e.buf = append(e.buf, kid.Name...)
	}
	e.dirs.write(e.buf)
}
