package ext

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// A layout says where everything of a volume is.
type layout struct {
	*geometry

	version int
	nodes   []*node // in the order of the tree, the root first
	inodes  []*node // in the order of their numbers, from lost+found on
	xattrs  []*xattrs
	log     *node   // the journal; of no size if there is none
	double  uint32  // the block by which the inode for growing finds its own
	used    uint64  // all blocks before this one are in use
	sums    *summer // nil if there are no checksums
}

// newLayout reads a tree.
func newLayout(ctx context.Context, tree fs.FS, v *Volume) (*layout, error) {
	if err := v.complete(); err != nil {
		return nil, err
	}
	w := &walk{tree: tree, hash: newHasher(v.HashSeed), sums: v.Version == 4, maxFile: maxFile4, time: v.Time}
	if v.Version == 2 {
		w.maxFile = maxFile2
	}
	if v.Version == 4 {
		w.xattrs.body = xattrBodySize
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	l := &layout{version: v.Version, nodes: w.nodes, xattrs: w.xattrs.blocks}
	l.log = newNode(dentry.TypeFile|0o600, v.Time)
	l.log.number = journalInode
	if v.Version == 4 {
		sums := newSummer(v.UUID)
		l.sums = &sums
	}
	l.number(w.lost)
	return l, nil
}

// number gives inodes their numbers: in the order of the tree, so that the files
// of a directory are neighbours.
func (l *layout) number(lost *node) {
	l.nodes[0].number, lost.number = rootInode, firstInode
	l.inodes = append(l.inodes, lost)
	for _, n := range l.nodes[1:] {
		if n != lost {
			n.number = uint32(firstInode + len(l.inodes))
			l.inodes = append(l.inodes, n)
		}
	}
}

// fit finds the geometry for the size that v asks for, or the least one, and
// gives everything its place.
func (l *layout) fit(v *Volume) error {
	spare := roundUp(v.Spare, blockSize)
	if v.Size == 0 {
		return l.fitLeast(v, spare)
	}
	blocks := v.Size / blockSize
	free := l.try(v, blocks, blocks)
	if free >= spare {
		return nil
	}
	if err := l.fitLeast(v, spare); err != nil {
		return err
	}
	least := int64(l.blocks)
	if least > blocks {
		return fmt.Errorf("ext: size %d: too small for the tree: at least %d bytes are missing", v.Size, (spare-free)*blockSize)
	}
	// The size is just above one from which on the journal is larger, or the
	// tables are: then there is less room than below.
	if l.try(v, blocks, least) < spare {
		l.try(v, least, least)
	}
	return nil
}

// fitLeast is fit for the least volume with so many blocks to spare.
func (l *layout) fitLeast(v *Volume, spare int64) error {
	for blocks := int64(minBlocks); ; {
		free := l.try(v, blocks, blocks)
		if free >= spare {
			return nil
		}
		if blocks > int64(l.blocks) {
			// The last group was left away: make it large enough to stay.
			blocks = max(blocks+1, int64(l.blocks)+int64(l.lastGroup(l.groups)))
			continue
		}
		if blocks += spare - free; blocks > maxBlocks {
			return fmt.Errorf("ext: the tree and %d spare bytes need more than %d bytes", v.Spare, int64(maxVolume))
		}
	}
}

// minBlocks is how many blocks the search for a size starts with.
const minBlocks = 16

// try lays out so many blocks, with the journal of a volume that may have fewer.
// It returns how many stay free, or, negative, how many are missing.
func (l *layout) try(v *Volume, blocks, journal int64) int64 {
	if blocks < minBlocks {
		return blocks - minBlocks
	}
	l.geometry = newGeometry(v, uint32(blocks), uint32(journal), len(l.inodes))
	free := l.place()
	if most := uint64(l.perGroup) * uint64(l.groups); most < uint64(firstInode-1+len(l.inodes)) {
		more := roundUp(uint64(firstInode-1+len(l.inodes)), groupBlocks) * groupBlocks
		return min(free, blocks-int64(more))
	}
	return free
}
