package ext

import (
	"encoding/binary"
	"io"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// Offsets in an inode.
const (
	inodeSums   = 0x7C // lower half of the checksum
	inodeExtra  = 0x80
	inodeSumsHi = 0x82
	inodeXattrs = inodeExtra + extraSize
	inodeMap    = 0x28
)

// A table is the table of inodes of one group, which is made when it is read.
type table struct {
	layout *layout
	first  uint32 // number of the first, less one
}

// ReadAt implements [io.ReaderAt].
func (t *table) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		at := off + int64(done)
		b := t.layout.inode(t.first + uint32(at/inodeSize) + 1)
		if b == nil {
			return done, io.EOF
		}
		done += copy(p[done:], b[at%inodeSize:])
	}
	return done, nil
}

// inode returns an inode, or nil if there are less.
func (l *layout) inode(number uint32) []byte {
	switch {
	case number == rootInode:
		return l.encode(l.nodes[0])
	case number == resizeInode && l.reserved > 0:
		return l.resizeInode()
	case number == journalInode && l.journal > 0:
		return l.encode(l.log)
	case number < firstInode:
		return l.seal(make([]byte, inodeSize), number)
	case int(number-firstInode) < len(l.inodes):
		return l.encode(l.inodes[number-firstInode])
	default:
		return nil
	}
}

// encode returns the inode of n.
func (l *layout) encode(n *node) []byte {
	b, le := make([]byte, inodeSize), binary.LittleEndian
	le.PutUint16(b, n.Mode)
	le.PutUint16(b[0x2:], uint16(n.UID))
	le.PutUint32(b[0x4:], uint32(n.Size))
	le.PutUint16(b[0x18:], uint16(n.GID))
	le.PutUint16(b[0x1A:], l.links(n))
	sectors := uint64(l.inodeBlocks(n)) * sectorsPer
	le.PutUint32(b[0x1C:], uint32(sectors))
	le.PutUint32(b[0x20:], l.flags(n))
	copy(b[inodeMap:], l.contentMap(n))
	if n.outside != nil {
		le.PutUint32(b[0x68:], n.outside.block)
	}
	le.PutUint32(b[0x6C:], uint32(n.Size>>32))
	le.PutUint16(b[0x74:], uint16(sectors>>32))
	le.PutUint16(b[0x78:], uint16(n.UID>>16))
	le.PutUint16(b[0x7A:], uint16(n.GID>>16))
	putTimes(b, n.seconds, n.nanos)
	copy(b[inodeXattrs:], n.body)
	return l.seal(b, n.number)
}

// seal writes the checksum of an inode, which is not for ones that are empty.
func (l *layout) seal(b []byte, number uint32) []byte {
	if l.sums != nil && binary.LittleEndian.Uint16(b[0x1A:]) != 0 {
		sum := l.sums.sum(l.sums.inode(number), b)
		binary.LittleEndian.PutUint16(b[inodeSums:], uint16(sum))
		binary.LittleEndian.PutUint16(b[inodeSumsHi:], uint16(sum>>16))
	}
	return b
}

// putTimes writes all four times: of access, change, modification and creation.
func putTimes(b []byte, seconds int64, nanos uint32) {
	le := binary.LittleEndian
	high := uint32((seconds-int64(int32(seconds)))>>32) & 3
	le.PutUint16(b[inodeExtra:], extraSize)
	for _, at := range [4][2]int{{0x8, 0x8C}, {0xC, 0x84}, {0x10, 0x88}, {0x90, 0x94}} {
		le.PutUint32(b[at[0]:], uint32(seconds))
		le.PutUint32(b[at[1]:], nanos<<2|high)
	}
}

// links is the count of names. Version 4 does not count those of a directory
// that has too many, and says 1.
func (l *layout) links(n *node) uint16 {
	if n.IsDir() && n.Links > maxLinks-2 {
		return 1
	}
	return uint16(n.Links)
}

// inodeBlocks is how many blocks belong to n.
func (l *layout) inodeBlocks(n *node) uint32 {
	blocks := uint32(len(n.maps))
	for _, r := range n.runs {
		blocks += r.blocks
	}
	if n.outside != nil {
		blocks++
	}
	return blocks
}

func (l *layout) flags(n *node) (flags uint32) {
	if n.IsDir() && n.Size > blockSize && len(n.Kids) > 0 {
		flags |= flagIndex
	}
	if l.version == 4 && l.hasMap(n) {
		flags |= flagExtents
	}
	return flags
}

// hasMap says whether the inode of n says where content is.
func (l *layout) hasMap(n *node) bool {
	return n.IsDir() || n.Type() == dentry.TypeFile || n.Type() == dentry.TypeSymlink && !n.isFast()
}

// contentMap returns what an inode says of the content, or holds itself.
func (l *layout) contentMap(n *node) []byte {
	switch {
	case n.isFast():
		return []byte(n.Target)
	case n.Type() == dentry.TypeBlock || n.Type() == dentry.TypeChar:
		return deviceMap(n.Device)
	case !l.hasMap(n):
		return nil
	case l.version == 2:
		return n.mapInode()
	default:
		return n.extentInode()
	}
}

// deviceMap returns a device's number: in the first field if both of its parts
// have eight bits, else in the second.
func deviceMap(device uint32) []byte {
	b := make([]byte, 8)
	if device < 1<<16 {
		binary.LittleEndian.PutUint32(b, device)
	} else {
		binary.LittleEndian.PutUint32(b[4:], device)
	}
	return b
}
