package ext

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"slices"

	"github.com/netbootkit/netbootkit/internal/dentry"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A part is a part of the image.
type part struct {
	off, size int64
	r         io.ReaderAt
}

// An assembly collects the parts of an image.
type assembly struct {
	*layout

	tree  fs.FS
	parts []part
}

// assemble makes the image. What is not written are holes: free blocks, inodes
// that are not used, bitmaps of groups that are not used.
func (l *layout) assemble(tree fs.FS, v *Volume) *mosaic.Image {
	a := &assembly{layout: l, tree: tree}
	a.addGroups(v)
	a.addTables()
	a.addResize()
	a.addJournal(v)
	for _, x := range l.xattrs {
		a.add(x.block, 0, blockSize, lazy(func() []byte { return x.encode(l.sums) }))
	}
	for _, n := range l.nodes {
		a.addMaps(n)
		switch {
		case n.IsDir():
			a.addDirectory(n)
		case n.Type() == dentry.TypeFile:
			a.addFile(n)
		case n.Type() == dentry.TypeSymlink && !n.isFast():
			a.addBytes(n.runs[0].start, 0, []byte(n.Target))
		}
	}
	return a.image()
}

// add adds size bytes at an offset in a block.
func (a *assembly) add(block uint32, off, size int64, r io.ReaderAt) {
	a.parts = append(a.parts, part{int64(block)*blockSize + off, size, r})
}

func (a *assembly) addBytes(block uint32, off int64, b []byte) {
	a.add(block, off, int64(len(b)), bytes.NewReader(b))
}

// image puts the parts together, in order, which costs least.
func (a *assembly) image() *mosaic.Image {
	slices.SortFunc(a.parts, func(x, y part) int { return cmp.Compare(x.off, y.off) })
	image := mosaic.New()
	for _, p := range a.parts {
		image.Add(p.off, p.r, p.size)
	}
	image.SetSize(int64(a.blocks) * blockSize)
	return image
}

// addMaps adds the blocks that say where the content of n is.
func (a *assembly) addMaps(n *node) {
	for _, m := range n.maps {
		a.add(m.block, 0, blockSize, lazy(func() []byte {
			if a.version == 2 {
				return n.mapBlock(m)
			}
			return n.extentBlock(m, a.sums)
		}))
	}
}

// addDirectory adds a directory: encoded when it is read if it has one block,
// which may be nearly empty, and else now.
func (a *assembly) addDirectory(n *node) {
	w := newDirWriter(n, a.sums)
	if n.Size == blockSize {
		a.add(n.runs[0].start, 0, blockSize, lazy(w.encode))
		return
	}
	b := w.encode()
	n.index = nil
	for _, r := range n.runs {
		size := int(r.blocks) * blockSize
		a.addBytes(r.start, 0, b[:size])
		b = b[size:]
	}
}

// addFile adds the content of a regular file.
func (a *assembly) addFile(n *node) {
	for _, r := range n.runs {
		off := int64(r.logical) * blockSize
		a.add(r.start, 0, min(int64(r.blocks)*blockSize, n.Size-off), &content{a.tree, n, off})
	}
}

// addTables adds the tables of inodes as far as they are in use.
func (a *assembly) addTables() {
	used := uint32(firstInode - 1 + len(a.inodes))
	for group := range a.groups {
		first := group * a.perGroup
		if first >= used {
			return
		}
		count := min(a.perGroup, used-first)
		a.add(a.tables[group], 0, int64(count)*inodeSize, &table{a.layout, first})
	}
}
