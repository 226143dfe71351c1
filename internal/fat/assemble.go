package fat

import (
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// place gives every file its clusters, directories first, and returns the
// nodes in the order of their clusters; the root of FAT12 and FAT16 and files of
// no bytes have none.
func place(root *node, g *geometry) (nodes []*node) {
	next := uint32(rootCluster)
	put := func(n *node) {
		if n.parent != nil || g.bits == 32 {
			n.cluster = next
			next += uint32(ceil(n.bytes(), g.clusterSize()))
		}
		nodes = append(nodes, n)
	}
	root.walk(func(n *node) {
		if n.dir {
			put(n)
		}
	})
	root.walk(func(n *node) {
		if !n.dir && n.size > 0 {
			put(n)
		}
	})
	return nodes
}

// assemble puts the image together from placed nodes.
func assemble(tree fs.FS, v *Volume, g *geometry, nodes []*node) *mosaic.Image {
	image := mosaic.New()
	boot := g.bootSector(v)
	image.AddBytes(0, boot)
	if g.bits == 32 {
		info := g.fsInfo()
		image.AddBytes(fsInfoSector*sectorSize, info)
		image.AddBytes(backupSector*sectorSize, boot)
		image.AddBytes((backupSector+fsInfoSector)*sectorSize, info)
	}
	fat := newTable(g, nodes)
	image.Add(g.reserved*sectorSize, fat, fat.size())
	image.Add((g.reserved+g.fat)*sectorSize, fat, fat.size())
	for _, n := range nodes {
		at := (g.reserved + 2*g.fat) * sectorSize // The root of FAT12 and FAT16.
		if n.cluster != 0 {
			at = g.offset(n.cluster)
		}
		if n.dir {
			image.AddBytes(at, n.encode(v))
		} else {
			image.Add(at, &content{tree, n.name, n.size}, n.size)
		}
	}
	image.SetSize(max(v.Size, g.sectors*sectorSize))
	return image
}

// newTable returns the FAT for placed nodes.
func newTable(g *geometry, nodes []*node) *table {
	t := &table{bits: g.bits}
	for _, n := range nodes {
		if n.cluster != 0 {
			t.last = append(t.last, n.cluster+uint32(ceil(n.bytes(), g.clusterSize()))-1)
		}
	}
	return t
}
