package ext

import (
	"encoding/binary"
)

// superFlags says that directories are indexed by unsigned bytes.
const superFlags = 0x2

// super returns the superblock without what differs between its copies.
func (l *layout) super(v *Volume, freeBlocks, freeInodes uint64) []byte {
	b, le := make([]byte, superSize), binary.LittleEndian
	seconds := uint32(v.Time.Unix())
	for _, f := range []struct{ off, value uint32 }{
		{0x0, l.perGroup * l.groups},
		{0x4, l.blocks},
		{0x8, uint32(uint64(l.blocks) * uint64(v.Reserved) / 100)},
		{0xC, uint32(freeBlocks)},
		{0x10, uint32(freeInodes)},
		{0x18, blockBits - 10},
		{0x1C, blockBits - 10}, // of a cluster, which is a block
		{0x20, groupBlocks},
		{0x24, groupBlocks}, // clusters
		{0x28, l.perGroup},
		{0x30, seconds}, // written
		{0x40, seconds}, // checked
		{0x4C, 1},       // revision
		{0x54, firstInode},
		{0x5C, l.compat()},
		{0x60, l.incompat()},
		{0x64, l.readOnly()},
		{0x100, 0xC},     // mounted with user attributes and access control lists
		{0x108, seconds}, // made
		{0x15C, extraSize | extraSize<<16},
		{0x160, superFlags},
	} {
		le.PutUint32(b[f.off:], f.value)
	}
	for _, f := range []struct {
		off   int
		value uint16
	}{
		{0x36, 0xFFFF}, // mounts before a check: any number
		{0x38, 0xEF53}, // magic
		{0x3A, 1},      // clean
		{0x3C, 1},      // go on after errors
		{0x58, inodeSize},
		{0xCE, uint16(l.reserved)},
	} {
		le.PutUint16(b[f.off:], f.value)
	}
	copy(b[0x68:], v.UUID[:])
	copy(b[0x78:], v.Label)
	copy(b[0xEC:], v.HashSeed[:])
	b[0xFC] = hashKind
	if l.version == 4 {
		le.PutUint16(b[0xFE:], uint16(l.descSize))
		b[0x174] = 4 // 2^4 groups are flexGroups
		b[0x175] = 1 // CRC-32C
	}
	l.superJournal(b)
	return b
}

// superJournal writes which inode is the journal, and what it holds, in case
// that it gets lost.
func (l *layout) superJournal(b []byte) {
	if l.journal == 0 {
		return
	}
	le := binary.LittleEndian
	le.PutUint32(b[0xE0:], journalInode)
	b[0xFD] = 1 // what follows is such a copy
	copy(b[0x10C:], l.contentMap(l.log))
	le.PutUint32(b[0x10C+inodeMapSize:], uint32(l.log.Size>>32))
	le.PutUint32(b[0x10C+inodeMapSize+4:], uint32(l.log.Size))
}

// sealSuper returns the copy of a superblock for a group.
func (l *layout) sealSuper(super []byte, group uint32) []byte {
	b := append([]byte(nil), super...)
	binary.LittleEndian.PutUint16(b[0x5A:], uint16(group))
	if l.sums != nil {
		binary.LittleEndian.PutUint32(b[0x3FC:], l.sums.sum(^uint32(0), b[:0x3FC]))
	}
	return b
}

// compat, incompat and readOnly return the features of the volume.
func (l *layout) compat() uint32 {
	features := uint32(compatXattr | compatDirIndex)
	if l.reserved > 0 {
		features |= compatResize
	}
	if l.journal > 0 {
		features |= compatJournal
	}
	return features
}

func (l *layout) incompat() uint32 {
	if l.version == 2 {
		return incompatFileType
	}
	return incompatFileType | incompatExtents | incompat64Bit | incompatFlexBG
}

func (l *layout) readOnly() uint32 {
	if l.version == 2 {
		return roSparseSuper | roLargeFile
	}
	return roSparseSuper | roLargeFile | roHugeFile | roDirLinks | roExtraInode | roChecksums
}
