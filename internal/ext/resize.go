package ext

import (
	"encoding/binary"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// resizeInode returns the inode that owns the blocks that are kept for more
// descriptions, in all groups with a superblock. It looks like a file whose
// content they are, behind one block of level 2; those at the start of the
// volume list their copies.
func (l *layout) resizeInode() []byte {
	b, le := make([]byte, inodeSize), binary.LittleEndian
	const size = (directBlocks + pointersPer + pointersPer*pointersPer) * blockSize
	blocks := 1 + uint64(l.reserved)*uint64(1+len(l.copies()))
	le.PutUint16(b, dentry.TypeFile|0o600)
	le.PutUint32(b[0x4:], size&0xFFFFFFFF)
	le.PutUint16(b[0x1A:], 1)
	le.PutUint32(b[0x1C:], uint32(blocks*sectorsPer))
	le.PutUint32(b[inodeMap+(directBlocks+1)*4:], l.double)
	le.PutUint32(b[0x6C:], size>>32)
	putTimes(b, l.log.seconds, 0)
	return l.seal(b, resizeInode)
}

// addResize adds what the inode refers to.
func (a *assembly) addResize() {
	if a.reserved == 0 {
		return
	}
	le := binary.LittleEndian
	double := make([]byte, blockSize)
	copies := a.copies()
	for i := range a.reserved {
		block := 1 + a.descs + i
		le.PutUint32(double[(a.descs+i)%pointersPer*4:], block)
		list := make([]byte, 0, len(copies)*4)
		for _, group := range copies {
			list = le.AppendUint32(list, a.start(group)+block)
		}
		a.addBytes(block, 0, list)
	}
	a.addBytes(a.double, 0, double)
}
