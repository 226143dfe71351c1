package ext

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// Sizes of extents.
const (
	extentMagic  = 0xF30A
	extentSize   = 12 // also of the header
	extentsInode = 4
	extentsBlock = (blockSize - extentSize) / extentSize
	inodeMapSize = 60
)

// A mapped is a block that says where content lies.
type mapped struct {
	first uint32 // block of the content that it begins with; version 4: the first of what it refers to
	block uint32
	level uint8 // 1 refers to content, 2 to blocks of level 1
}

// newTree returns the blocks of a tree of so many extents, level by level, still
// without places. Four of them need none, since they fit into the inode.
func newTree(extents int) (maps []mapped) {
	level := uint8(1)
	for n := extents; n > extentsInode; level++ {
		below := n
		n = roundUp(below, extentsBlock)
		for i := range n {
			maps = append(maps, mapped{first: uint32(i * extentsBlock), level: level})
		}
	}
	return maps
}

// extentInode returns what the inode of n says of its content, version 4.
func (n *node) extentInode() []byte {
	b := make([]byte, inodeMapSize)
	top := uint8(0)
	if len(n.maps) > 0 {
		top = n.maps[len(n.maps)-1].level
	}
	n.putExtents(b, top, 0, extentsInode)
	return b
}

// extentBlock returns a block of the tree.
func (n *node) extentBlock(m mapped, sums *summer) []byte {
	b := make([]byte, blockSize)
	n.putExtents(b, m.level-1, int(m.first), extentsBlock)
	if sums != nil {
		end := extentSize + extentsBlock*extentSize
		binary.LittleEndian.PutUint32(b[end:], sums.sum(sums.inode(n.number), b[:end]))
	}
	return b
}

// putExtents writes a header, and up to most entries of a level from one on. Those
// of level 0 are the runs, others refer to blocks of that level.
func (n *node) putExtents(b []byte, level uint8, from, most int) {
	le := binary.LittleEndian
	at := n.level(level)
	count := len(n.runs)
	if level > 0 {
		count = len(at)
	}
	count = min(count-from, most)
	le.PutUint16(b, extentMagic)
	le.PutUint16(b[2:], uint16(count))
	le.PutUint16(b[4:], uint16(most))
	le.PutUint16(b[6:], uint16(level))
	for i := from; i < from+count; i++ {
		b = b[extentSize:]
		if level == 0 {
			r := n.runs[i]
			le.PutUint32(b, r.logical)
			le.PutUint16(b[4:], uint16(r.blocks))
			le.PutUint32(b[8:], r.start)
			continue
		}
		le.PutUint32(b, n.runs[n.firstRun(at[i])].logical)
		le.PutUint32(b[4:], at[i].block)
	}
}

// level returns the blocks of one level of the tree of extents.
func (n *node) level(level uint8) []mapped {
	from := sort.Search(len(n.maps), func(i int) bool { return n.maps[i].level >= level })
	to := sort.Search(len(n.maps), func(i int) bool { return n.maps[i].level > level })
	return n.maps[from:to]
}

// firstRun returns the index of the first run below m.
func (n *node) firstRun(m mapped) int {
	first := int(m.first)
	for level := m.level; level > 1; level-- {
		first *= extentsBlock
	}
	return first
}

// newMaps returns the blocks that map content, version 2, still without places:
// for the content behind the first twelve blocks one of level 1, then one of
// level 2, then one of level 3, each before those that it refers to. Where the
// content is a hole there are none.
func newMaps(runs []run, blocks uint64) (maps []mapped) {
	first := uint64(directBlocks)
	for level := uint8(1); level <= 3 && first < blocks; level++ {
		maps = appendMaps(maps, runs, level, first)
		first += reach(level)
	}
	return maps
}

// reach is how many blocks of content a block of a level leads to.
func reach(level uint8) uint64 { return 1 << (10 * level) }

// appendMaps appends the block of a level from first on, and those below.
func appendMaps(maps []mapped, runs []run, level uint8, first uint64) []mapped {
	i := findRun(runs, first)
	if i == len(runs) || uint64(runs[i].logical) >= first+reach(level) {
		return maps
	}
	maps = append(maps, mapped{first: uint32(first), level: level})
	if level == 1 {
		return maps
	}
	for part := range uint64(pointersPer) {
		maps = appendMaps(maps, runs, level-1, first+part*reach(level-1))
	}
	return maps
}

// findRun returns the index of the first run that ends behind a block.
func findRun(runs []run, logical uint64) int {
	return sort.Search(len(runs), func(i int) bool {
		return uint64(runs[i].logical)+uint64(runs[i].blocks) > logical
	})
}

// mapInode returns what the inode of n says of its content, version 2.
func (n *node) mapInode() []byte {
	b := make([]byte, inodeMapSize)
	n.putBlocks(b[:directBlocks*4], 0)
	first := uint64(directBlocks)
	for level := uint8(1); level <= 3; level++ {
		binary.LittleEndian.PutUint32(b[(directBlocks+int(level)-1)*4:], n.findMap(level, first))
		first += reach(level)
	}
	return b
}

// mapBlock returns a block that maps content, version 2.
func (n *node) mapBlock(m mapped) []byte {
	b := make([]byte, blockSize)
	if m.level == 1 {
		n.putBlocks(b, uint64(m.first))
		return b
	}
	for i := range uint64(pointersPer) {
		binary.LittleEndian.PutUint32(b[i*4:], n.findMap(m.level-1, uint64(m.first)+i*reach(m.level-1)))
	}
	return b
}

// putBlocks writes where the content from a block on lies; holes are zeros.
func (n *node) putBlocks(b []byte, from uint64) {
	count := uint64(len(b) / 4)
	for _, r := range n.runs[findRun(n.runs, from):] {
		logical := uint64(r.logical)
		if logical >= from+count {
			return
		}
		for i := max(logical, from); i < min(logical+uint64(r.blocks), from+count); i++ {
			binary.LittleEndian.PutUint32(b[(i-from)*4:], r.start+uint32(i-logical))
		}
	}
}

// findMap returns the place of the block that maps content, or 0 if there is none.
func (n *node) findMap(level uint8, first uint64) uint32 {
	i, ok := slices.BinarySearchFunc(n.maps, first, func(m mapped, first uint64) int {
		return cmp.Or(cmp.Compare(uint64(m.first), first), cmp.Compare(level, m.level))
	})
	if !ok {
		return 0
	}
	return n.maps[i].block
}
