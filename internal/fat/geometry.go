package fat

import (
	"fmt"
	"sort"
)

const (
	sectorSize   = 512
	maxPerSector = 64        // sectors of the largest cluster
	border       = 16        // clusters to stay away from the border of two kinds
	fitted       = 2048      // bytes that a fitted size is a multiple of
	small        = 8 << 20   // bytes from which on a volume is FAT16
	large        = 512 << 20 // bytes from which on a volume is FAT32
	minRoot      = 512       // entries of the root directory of FAT12 and FAT16
	maxRoot      = 65520     // the same at most, so that 16 bits can count them
	maxEntries   = 65536     // entries of any directory
)

// A geometry says where the parts of a volume are.
type geometry struct {
	bits       int
	sectors    int64
	perCluster int64
	reserved   int64 // sectors before the first FAT
	fat        int64 // sectors of one FAT
	root       int64 // sectors of the root directory; 0 for FAT32
	clusters   int64
	used       int64 // clusters
}

// data is the sector of the first cluster.
func (g *geometry) data() int64 { return g.reserved + 2*g.fat + g.root }

// clusterSize is in bytes.
func (g *geometry) clusterSize() int64 { return g.perCluster * sectorSize }

// offset is where a cluster begins, in bytes.
func (g *geometry) offset(cluster uint32) int64 {
	return g.data()*sectorSize + (int64(cluster)-2)*g.clusterSize()
}

// limits returns between which numbers of clusters a kind is used here.
func limits(bits int) (least, most int64) {
	switch bits {
	case 12:
		return 1, 4085 - 1 - border
	case 16:
		return 4085 + border, 65525 - 1 - border
	default:
		return 65525 + border, 0x0FFFFFF5
	}
}

// choose returns the geometry of the volume v for what is below root. Just above
// a size from which on another kind is used, or other clusters, there may be less
// room than below: then the volume ends before the image does.
func choose(v *Volume, root *node) (*geometry, error) {
	g, err := search(v, root)
	if err == nil || v.Size == 0 || v.Bits != 0 {
		return g, err
	}
	least := *v
	least.Size = 0
	if g, unfit := search(&least, root); unfit == nil && g.sectors*sectorSize <= v.Size {
		return g, nil
	}
	return nil, err
}

// search is choose for what holds the tree as it is usual.
func search(v *Volume, root *node) (*geometry, error) {
	size := v.Size
	if size == 0 {
		root.walk(func(n *node) { size += n.bytes() })
		size += v.Spare
	}
	fault := fmt.Errorf("fat: size %d: no FAT volume has it", size)
	if v.Bits != 0 {
		fault = fmt.Errorf("fat: size %d: no FAT%d volume has it", size, v.Bits)
	}
	for _, bits := range kinds(v.Bits, size) {
		for _, perCluster := range clusterSizes(bits, size) {
			g, err := try(v, root, bits, perCluster)
			if g != nil {
				return g, nil
			}
			if err != nil {
				fault = err
			}
		}
	}
	return nil, fault
}

// kinds returns which kinds of volume are tried, the usual one first. The later
// ones are for trees with many small files, which need many clusters.
func kinds(bits int, size int64) []int {
	switch {
	case bits != 0:
		return []int{bits}
	case size < small:
		return []int{12, 16, 32}
	case size < large:
		return []int{16, 32}
	}
	return []int{32}
}

// clusterSizes returns sectors per cluster in the order in which they are
// tried: the usual number, the larger ones, the smaller ones.
func clusterSizes(bits int, size int64) (sizes []int64) {
	usual := int64(4)
	if bits == 32 {
		for usual = 8; usual < maxPerSector && size > usual<<30; usual *= 2 {
		}
	}
	for n := usual; n <= maxPerSector; n *= 2 {
		sizes = append(sizes, n)
	}
	for n := usual / 2; n > 0; n /= 2 {
		sizes = append(sizes, n)
	}
	return sizes
}

// try returns the geometry for clusters of perCluster sectors, nil if the kind
// of volume does not allow them, and an error if the volume is too small.
func try(v *Volume, root *node, bits int, perCluster int64) (*geometry, error) {
	g := &geometry{bits: bits, perCluster: perCluster, reserved: 1}
	switch entries := root.entries(); {
	case bits == 32:
		g.reserved = 32
	case entries > maxRoot:
		return nil, fmt.Errorf("fat: directory .: its names take %d entries, and in FAT%d there may be %d", entries, bits, maxRoot)
	default:
		g.root = ceil(max(minRoot, int64(entries))*entrySize, sectorSize)
	}
	root.walk(func(n *node) {
		if n.parent != nil || bits == 32 {
			g.used += ceil(n.bytes(), g.clusterSize())
		}
	})
	need := g.used + ceil(v.Spare, g.clusterSize())
	least, most := limits(bits)
	g.sectors = v.Size / sectorSize
	if v.Size == 0 {
		if need > most || need < least && perCluster > 1 {
			return nil, nil // Other clusters may do.
		}
		g.fit(max(need, least))
	}
	g.divide()
	switch {
	case g.clusters < least || g.clusters > most:
		return nil, nil
	case g.clusters < need:
		return nil, fmt.Errorf("fat: size %d: FAT%d has room for %d clusters of %d bytes there, and %d are needed",
			v.Size, bits, g.clusters, g.clusterSize(), need)
	}
	return g, nil
}

// fit sets the number of sectors so that there is room for clusters.
func (g *geometry) fit(clusters int64) {
	fat := ceil((clusters+2)*int64(g.bits), 8*sectorSize)
	// Alignment of the clusters takes some of the reserved sectors.
	reserved := g.reserved
	if g.bits == 32 {
		reserved += g.perCluster
	}
	sectors := reserved + 2*(fat+1) + g.root + clusters*g.perCluster
	g.sectors = ceil(sectors*sectorSize, fitted) * (fitted / sectorSize)
}

// divide sets the size of the FATs, the smallest that is enough, and the number
// of clusters.
func (g *geometry) divide() {
	free := g.sectors - g.reserved - g.root
	count := func(fat int64) int64 { return max(0, free-2*fat) / g.perCluster }
	g.fat = int64(sort.Search(int(min(free/2, 1<<30))+1, func(fat int) bool {
		return ceil((count(int64(fat))+2)*int64(g.bits), 8*sectorSize) <= int64(fat)
	}))
	if g.bits == 32 { // Clusters begin at a multiple of their size.
		pad := (g.perCluster - g.data()%g.perCluster) % g.perCluster
		g.reserved += pad
		free -= pad
	}
	g.clusters = count(g.fat)
}

// ceil is n divided by unit, rounded up.
func ceil(n, unit int64) int64 { return (n + unit - 1) / unit }
