package ext

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Sizes of an index.
const (
	indexEntry  = 8
	indexTail   = 8  // a checksum
	indexInRoot = 32 // offset of the entries behind both dots and what is said of the index
	indexInNode = 8  // behind an entry that is not there
)

// indexRoot is how many entries the first block of a directory has, indexNode
// how many the others.
func indexRoot(sums bool) int { return indexSpace(indexInRoot, sums) }
func indexNode(sums bool) int { return indexSpace(indexInNode, sums) }

func indexSpace(used int, sums bool) int {
	if sums {
		used += indexTail
	}
	return (blockSize - used) / indexEntry
}

// An index is how the entries of a directory lie in its blocks: in the order of
// their hashes. It is a tree of one or two levels above them.
type index struct {
	kids   []*node
	leaves []leaf
}

// A leaf is a block of entries.
type leaf struct {
	first int    // of index.kids
	hash  uint32 // of the first; the lowest bit says that the block before has it too
}

// newIndex distributes entries.
func (w *walk) newIndex(kids []*node) *index {
	type hashed struct {
		major, minor uint32
		node         *node
	}
	list := make([]hashed, len(kids))
	for i, kid := range kids {
		major, minor := w.hash.name(kid.Name)
		list[i] = hashed{major, minor, kid}
	}
	slices.SortFunc(list, func(a, b hashed) int {
		return cmp.Or(cmp.Compare(a.major, b.major), cmp.Compare(a.minor, b.minor), cmp.Compare(a.node.Name, b.node.Name))
	})
	x := &index{kids: make([]*node, len(kids))}
	left := 0
	for i, h := range list {
		x.kids[i] = h.node
		size := entrySize(h.node.Name)
		if size > left {
			next := leaf{i, h.major}
			if i > 0 && list[i-1].major == h.major {
				next.hash |= 1
			}
			x.leaves, left = append(x.leaves, next), capacity(w.sums)
		}
		left -= size
	}
	x.leaves[0].hash = 0
	return x
}

// nodes is how many blocks lie between the root and the leaves.
func (x *index) nodes(sums bool) int {
	if len(x.leaves) <= indexRoot(sums) {
		return 0
	}
	return roundUp(len(x.leaves), indexNode(sums))
}

// blocks is how many blocks the directory has.
func (x *index) blocks(sums bool) int { return 1 + x.nodes(sums) + len(x.leaves) }

// encodeIndex returns the blocks: root, nodes, leaves.
func (w *dirWriter) encodeIndex() []byte {
	x, sums := w.dir.index, w.sums != nil
	nodes, each := x.nodes(sums), indexNode(sums)
	b := make([]byte, 0, w.dir.Size)
	below := make([]leaf, len(x.leaves)) // What one level up refers to, by its block.
	for i, l := range x.leaves {
		below[i] = leaf{1 + nodes + i, l.hash}
	}
	top := below
	if nodes > 0 {
		top = nil
		for i := range nodes {
			top = append(top, leaf{1 + i, below[i*each].hash})
		}
	}
	b = append(b, w.indexRoot(top, nodes > 0)...)
	for i := range nodes {
		b = append(b, w.indexNode(below[i*each:min(i*each+each, len(below))])...)
	}
	for i, l := range x.leaves {
		end := len(x.kids)
		if i+1 < len(x.leaves) {
			end = x.leaves[i+1].first
		}
		b = append(b, w.leaf(nil, x.kids[l.first:end])...)
	}
	return b
}

// indexRoot returns the first block of a directory with an index.
func (w *dirWriter) indexRoot(entries []leaf, deep bool) []byte {
	b := make([]byte, blockSize)
	copy(b, w.dots())
	binary.LittleEndian.PutUint16(b[dotSize+4:], blockSize-dotSize)
	info := b[2*dotSize:]
	info[4], info[5] = hashKind, 8 // The latter is how long this is.
	if deep {
		info[6] = 1
	}
	w.indexEntries(b, indexInRoot, entries)
	return b
}

// indexNode returns a block between the root and the leaves.
func (w *dirWriter) indexNode(entries []leaf) []byte {
	b := make([]byte, blockSize)
	binary.LittleEndian.PutUint16(b[4:], blockSize)
	w.indexEntries(b, indexInNode, entries)
	return b
}

// indexEntries writes entries to b from offset on. The place of the first hash,
// which readers know, says how many there are.
func (w *dirWriter) indexEntries(b []byte, offset int, entries []leaf) {
	le := binary.LittleEndian
	limit := indexSpace(offset, w.sums != nil)
	for i, e := range entries {
		le.PutUint32(b[offset+i*indexEntry:], e.hash)
		le.PutUint32(b[offset+i*indexEntry+4:], uint32(e.first))
	}
	le.PutUint16(b[offset:], uint16(limit))
	le.PutUint16(b[offset+2:], uint16(len(entries)))
	if w.sums != nil {
		sum := w.sums.sum(w.seed, b[:offset+len(entries)*indexEntry])
		tail := offset + limit*indexEntry
		le.PutUint32(b[tail+4:], w.sums.sum(sum, make([]byte, indexTail)))
	}
}
