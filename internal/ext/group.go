package ext

import (
	"encoding/binary"
)

// A groupUse is what is known of the use of one group.
type groupUse struct {
	freeBlocks uint32
	freeInodes uint32
	dirs       uint32
	flags      uint16
}

// addGroups adds superblocks, descriptions and bitmaps of all groups.
func (a *assembly) addGroups(v *Volume) {
	uses := a.uses()
	descs := make([]byte, int(a.descs)*blockSize)
	var freeBlocks, freeInodes uint64
	for group := range a.groups {
		use := &uses[group]
		freeBlocks += uint64(use.freeBlocks)
		freeInodes += uint64(use.freeInodes)
		a.addBitmaps(group, use)
		a.describe(descs[group*a.descSize:][:a.descSize], group, use)
	}
	super := a.super(v, freeBlocks, freeInodes)
	a.addBytes(0, superOffset, a.sealSuper(super, 0))
	a.addBytes(1, 0, descs)
	for _, group := range a.copies() {
		a.addBytes(a.start(group), 0, a.sealSuper(super, group))
		a.addBytes(a.start(group)+1, 0, descs)
	}
}

// uses counts what is used of the groups.
func (a *assembly) uses() []groupUse {
	uses := make([]groupUse, a.groups)
	usedInodes := uint32(firstInode - 1 + len(a.inodes))
	uses[0].dirs = 1 // The root.
	for i, n := range a.inodes {
		if n.IsDir() {
			uses[uint32(firstInode-1+i)/a.perGroup].dirs++
		}
	}
	for group := range a.groups {
		use := &uses[group]
		used := min(max(usedInodes, group*a.perGroup)-group*a.perGroup, a.perGroup)
		use.freeInodes = a.perGroup - used
		bitmap, plain := a.blockBitmap(group)
		for _, b := range bitmap[:a.size(group)/8] {
			use.freeBlocks += uint32(zeros(b))
		}
		for i := a.size(group) &^ 7; i < a.size(group); i++ {
			if bitmap[i/8]>>(i%8)&1 == 0 {
				use.freeBlocks++
			}
		}
		if a.version == 2 {
			continue
		}
		use.flags = groupTableZeroed
		if used == 0 {
			use.flags |= groupInodesUnused
		}
		if plain && group != a.groups-1 {
			use.flags |= groupBlocksUnused
		}
	}
	return uses
}

// zeros is the number of bits of b that are not set.
func zeros(b byte) (n int) {
	for ; b != 0xFF; b |= b + 1 {
		n++
	}
	return n
}

// blockBitmap returns the bits of the blocks of a group, and whether those in
// use are only its superblock and descriptions.
func (l *layout) blockBitmap(group uint32) (bitmap []byte, plain bool) {
	bitmap = make([]byte, blockSize)
	start, end := uint64(l.start(group)), uint64(l.start(group))+groupBlocks
	plain = l.used <= start
	set := func(from, to uint64) {
		from, to = max(from, start), min(to, end)
		if from < to {
			setBits(bitmap, uint32(from-start), uint32(to-start))
		}
	}
	set(0, l.used)
	for _, s := range l.fixedIn(group) {
		set(uint64(s.start), uint64(s.end))
		plain = plain && uint64(s.start) == start && s.end-s.start == l.base(group)
	}
	set(start+uint64(l.size(group)), end)
	return bitmap, plain
}

// setBits sets the bits of a bitmap between two.
func setBits(bitmap []byte, from, to uint32) {
	for ; from < to && from%8 != 0; from++ {
		bitmap[from/8] |= 1 << (from % 8)
	}
	for ; from+8 <= to; from += 8 {
		bitmap[from/8] = 0xFF
	}
	for ; from < to; from++ {
		bitmap[from/8] |= 1 << (from % 8)
	}
}

// inodeBitmap returns the bits of the inodes of a group.
func (l *layout) inodeBitmap(group uint32, use *groupUse) []byte {
	bitmap := make([]byte, blockSize)
	setBits(bitmap, 0, l.perGroup-use.freeInodes)
	setBits(bitmap, l.perGroup, groupBlocks)
	return bitmap
}

// addBitmaps adds the bitmaps of a group, as far as they are used.
func (a *assembly) addBitmaps(group uint32, use *groupUse) {
	if use.flags&groupBlocksUnused == 0 {
		a.add(a.bitmaps[group], 0, blockSize, lazy(func() []byte {
			bitmap, _ := a.blockBitmap(group)
			return bitmap
		}))
	}
	if use.flags&groupInodesUnused == 0 {
		a.add(a.inodeBits[group], 0, blockSize, lazy(func() []byte { return a.inodeBitmap(group, use) }))
	}
}

// describe writes the description of a group to b.
func (a *assembly) describe(b []byte, group uint32, use *groupUse) {
	le := binary.LittleEndian
	le.PutUint32(b, a.bitmaps[group])
	le.PutUint32(b[0x4:], a.inodeBits[group])
	le.PutUint32(b[0x8:], a.tables[group])
	le.PutUint16(b[0xC:], uint16(use.freeBlocks))
	le.PutUint16(b[0xE:], uint16(use.freeInodes))
	le.PutUint16(b[0x10:], uint16(use.dirs))
	le.PutUint16(b[0x12:], use.flags)
	if a.sums == nil {
		return
	}
	le.PutUint16(b[0x1C:], uint16(use.freeInodes)) // At the end of the table.
	if use.flags&groupBlocksUnused == 0 {
		bitmap, _ := a.blockBitmap(group)
		sum := a.sums.sum(a.sums.seed, bitmap)
		le.PutUint16(b[0x18:], uint16(sum))
		le.PutUint16(b[0x38:], uint16(sum>>16))
	}
	if use.flags&groupInodesUnused == 0 {
		sum := a.sums.sum(a.sums.seed, a.inodeBitmap(group, use)[:a.perGroup/8])
		le.PutUint16(b[0x1A:], uint16(sum))
		le.PutUint16(b[0x3A:], uint16(sum>>16))
	}
	le.PutUint16(b[0x1E:], uint16(a.sums.sum(a.sums.of(group), b)))
}
