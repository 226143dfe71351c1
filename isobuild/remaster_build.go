package isobuild

import (
	"fmt"
	"io"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// build puts the new image together.
func (r *remastering) build() (*mosaic.Image, error) {
	r.next = r.keep
	root, err := r.files.nodes(r.put, r.stay)
	if err != nil {
		return nil, err
	}
	r.files = nil // The nodes have all of it.
	blocks, err := isomaster.Measure(root, r.master(blockSize, blockSize))
	if err != nil {
		return nil, err
	}
	directories := r.next
	r.next += int64(blocks)
	end := r.next + r.padding // of the volume
	shift := end - r.cut
	if r.tail == 0 {
		shift = 0 // Nothing is there to move.
	}
	for _, n := range r.moving {
		for i := range n.Extents {
			n.Extents[i].Block = uint32(int64(n.Extents[i].Block) + shift)
		}
	}
	size := r.disk.total(offset64(end + r.tail))
	if size/blockSize > 1<<32-1 || directories > 1<<32-1 {
		return nil, fmt.Errorf("image of %d bytes has more blocks than 32 bits can number", size)
	}
	if err := r.addMetadata(root, uint32(directories), end, size); err != nil {
		return nil, err
	}
	if err := r.addCatalog(shift); err != nil {
		return nil, err
	}
	c := change{cut: offset64(r.cut), shift: offset64(shift), full: offset64(r.full), end: offset64(end)}
	backup, err := r.disk.apply(c, size)
	if err != nil {
		return nil, err
	}
	r.patches[0] = r.disk.area
	r.addOld(span{0, r.keep}, 0)
	r.addOld(span{r.cut, r.cut + r.tail}, shift)
	r.image.AddBytes(size-int64(len(backup)), backup)
	r.image.SetSize(size)
	return r.image, r.image.Check()
}

// put places a new file.
func (r *remastering) put(content io.ReaderAt, size int64) ([]iso9660.Extent, error) {
	if size == 0 {
		return nil, nil
	}
	at := r.next
	r.next += roundUp(size, blockSize) / blockSize
	if r.next > 1<<32-1 {
		return nil, fmt.Errorf("image has more than %d blocks of %d bytes", uint32(1<<32-1), blockSize)
	}
	r.image.Add(offset64(at), content, size)
	return []iso9660.Extent{{Block: uint32(at), Size: size}}, nil
}

// stay notes an old file if it is in an appended partition: it moves with that,
// and is outside of the first one.
func (r *remastering) stay(n *isomaster.Node) {
	if r.tail > 0 && len(n.Extents) > 0 && int64(n.Extents[0].Block) >= r.cut {
		n.Outside = true
		r.moving = append(r.moving, n)
	}
}

// addCatalog changes the entries of the boot catalogue that lead to what
// moves.
func (r *remastering) addCatalog(shift int64) error {
	if r.catalog == nil || shift == 0 {
		return nil
	}
	b := make([]byte, blockSize)
	if err := readBlock(r.iso, b, int64(r.catalog.Block)); err != nil {
		return fmt.Errorf("boot catalogue: %w", err)
	}
	for _, e := range r.catalog.Entries {
		if int64(e.Block) >= r.cut {
			putBlock(b[e.Offset+8:], uint32(int64(e.Block)+shift))
		}
	}
	r.patches[int64(r.catalog.Block)] = b
	return nil
}

// addOld adds blocks of the old image, shifted, without those that become
// zeros, and with those that change.
func (r *remastering) addOld(s span, shift int64) {
	zero := append([]span(nil), r.lost...)
	for block, b := range r.patches {
		patch := span{block, block + int64(len(b))/blockSize}
		zero = append(zero, patch)
		if block >= s.first && block < s.end {
			r.image.AddBytes(offset64(block+shift), b)
		}
	}
	end := r.iso.Size()
	for _, p := range without([]span{s}, merged(zero)) {
		from := offset64(p.first)
		size := min(offset64(p.end), end) - from
		r.image.Add(offset64(p.first+shift), io.NewSectionReader(r.iso, from, size), size)
	}
}

// offset64 is offset for numbers of blocks that were not checked to fit 32 bits.
func offset64(block int64) int64 { return block * blockSize }
