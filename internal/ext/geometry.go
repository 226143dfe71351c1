package ext

import (
	"cmp"
	"slices"
	"sort"
)

// A span is a range of blocks.
type span struct{ start, end uint32 }

// A geometry says where all but files, directories and journal is.
type geometry struct {
	blocks    uint32 // of the volume
	groups    uint32
	perGroup  uint32 // inodes
	descSize  uint32 // bytes of a group's description
	descs     uint32 // blocks of descriptions
	reserved  uint32 // blocks for more descriptions, when the volume grows
	flex      uint32 // groups whose bitmaps and tables lie together
	journal   uint32 // blocks
	bitmaps   []uint32
	inodeBits []uint32 // bitmaps of inodes
	tables    []uint32
	fixed     []span // all of these and the copies of the superblock, in order
}

// newGeometry returns the geometry of a volume of so many blocks, for so many
// inodes; its journal is that of a volume of up to journal blocks. A last group
// without use is left away.
func newGeometry(v *Volume, blocks, journal uint32, inodes int) *geometry {
	g := &geometry{blocks: blocks, descSize: 64, flex: flexGroups}
	if v.Version == 2 {
		g.descSize, g.flex = 32, 1
	}
	for {
		g.groups = roundUp(g.blocks, groupBlocks)
		g.setInodes(inodes)
		g.setDescriptions()
		last := g.size(g.groups - 1)
		if g.groups == 1 || last >= g.lastGroup(g.groups-1) {
			break
		}
		g.blocks -= last
	}
	if v.Version == 4 && !v.NoJournal {
		g.journal = journalBlocks(min(g.blocks, journal))
	}
	g.place()
	return g
}

// lastGroup is how many blocks group i must have if it is the last: what its
// own tables need, and some more.
func (g *geometry) lastGroup(i uint32) uint32 { return g.base(i) + 2 + g.tableBlocks() + 50 }

// setInodes spreads inodes over the groups: as many as mke2fs makes, and some
// more than the tree has.
func (g *geometry) setInodes(inodes int) {
	want := max(uint64(g.blocks)*blockSize/bytesPerInode, uint64(inodes+inodes/8+firstInode+inodesPer))
	perGroup := roundUp(roundUp(want, uint64(g.groups)), inodesPer) * inodesPer
	g.perGroup = uint32(min(perGroup, groupBlocks))
}

// setDescriptions makes room for the groups of a volume 1024 times as large.
func (g *geometry) setDescriptions() {
	each := blockSize / g.descSize
	g.descs = roundUp(g.groups, each)
	most := min(uint64(g.blocks)*1024, maxBlocks)
	groups := roundUp(most, groupBlocks)
	g.reserved = min(uint32(roundUp(groups, uint64(each)))-g.descs, pointersPer)
}

func (g *geometry) tableBlocks() uint32       { return g.perGroup / inodesPer }
func (g *geometry) start(group uint32) uint32 { return group * groupBlocks }
func (g *geometry) size(group uint32) uint32  { return min(groupBlocks, g.blocks-g.start(group)) }

// hasSuper says whether a group begins with a superblock.
func hasSuper(group uint32) bool {
	if group <= 1 {
		return true
	}
	for _, base := range []uint32{3, 5, 7} {
		n := group
		for n%base == 0 {
			n /= base
		}
		if n == 1 {
			return true
		}
	}
	return false
}

// copies returns the groups with copies of the superblock.
func (g *geometry) copies() (groups []uint32) {
	for group := uint32(1); group < g.groups; group++ {
		if hasSuper(group) {
			groups = append(groups, group)
		}
	}
	return groups
}

// base is how many blocks superblock and descriptions take at the start of a
// group.
func (g *geometry) base(group uint32) uint32 {
	if hasSuper(group) {
		return 1 + g.descs + g.reserved
	}
	return 0
}

// place finds the places of bitmaps and tables. It may come to places behind the
// end of the volume, which are then counted as missing.
func (g *geometry) place() {
	g.bitmaps, g.inodeBits, g.tables = make([]uint32, g.groups), make([]uint32, g.groups), make([]uint32, g.groups)
	for first := uint32(0); first < g.groups; first += g.flex {
		last := min(first+g.flex, g.groups)
		next := uint64(g.start(first))
		for group := first; group < last; group++ {
			g.bitmaps[group] = g.put(&next, 1)
		}
		for group := first; group < last; group++ {
			g.inodeBits[group] = g.put(&next, 1)
		}
		for group := first; group < last; group++ {
			g.tables[group] = g.put(&next, g.tableBlocks())
		}
	}
	for group := range g.groups {
		if n := g.base(group); n > 0 {
			g.fixed = append(g.fixed, span{g.start(group), g.start(group) + n})
		}
	}
	g.fixed = merge(g.fixed)
}

// put returns the first place from next on for so many blocks in one piece, away
// from superblocks, and moves next behind it.
func (g *geometry) put(next *uint64, blocks uint32) uint32 {
	for {
		group := uint32(*next / groupBlocks)
		*next = max(*next, uint64(group)*groupBlocks+uint64(g.base(group)))
		end := *next + uint64(blocks)
		following := uint32((end - 1) / groupBlocks)
		if following == group || g.base(following) == 0 {
			break
		}
		*next = uint64(following) * groupBlocks
	}
	at := uint32(min(*next, maxBlocks-uint64(blocks)))
	*next += uint64(blocks)
	g.fixed = append(g.fixed, span{at, at + blocks})
	return at
}

// merge sorts spans and joins those that touch.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	merged := spans[:0]
	for _, s := range spans {
		if i := len(merged) - 1; i >= 0 && merged[i].end == s.start {
			merged[i].end = s.end
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// journalBlocks is how large mke2fs makes a journal. Less than 8 MiB have none.
func journalBlocks(blocks uint32) uint32 {
	for _, step := range []struct{ below, journal uint32 }{
		{2048, 0},
		{32768, 1024},
		{256 << 10, 4096},
		{512 << 10, 8192},
		{4096 << 10, 16384},
		{8192 << 10, 32768},
		{16384 << 10, 65536},
		{32768 << 10, 131072},
	} {
		if blocks < step.below {
			return step.journal
		}
	}
	return 262144
}

// fixedIn returns the fixed spans that touch a group.
func (g *geometry) fixedIn(group uint32) []span {
	start, end := uint64(g.start(group)), uint64(g.start(group))+groupBlocks
	from := sort.Search(len(g.fixed), func(i int) bool { return uint64(g.fixed[i].end) > start })
	to := sort.Search(len(g.fixed), func(i int) bool { return uint64(g.fixed[i].start) >= end })
	return g.fixed[from:to]
}
