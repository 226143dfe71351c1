package isomaster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// layout is where all metadata of a volume is.
type layout struct {
	root   *Node
	volume *Volume
	time   time.Time
	trees  []*tree // of the image, then of the partition; Joliet's behind the other
	blocks uint32  // of all trees
}

// newLayout measures all trees of v.
func newLayout(root *Node, v *Volume) (*layout, error) {
	if root.Name != "" || root.Same != nil || !root.isDirectory() {
		return nil, errors.New("the root is no directory without a name")
	}
	if err := root.checkFile(); err != nil {
		return nil, fmt.Errorf("/: %w", err)
	}
	l := &layout{root: root, volume: v, time: v.Time}
	if l.time.IsZero() {
		l.time = time.Unix(0, 0)
	}
	shared := new(made)
	for _, base := range l.bases() {
		for _, joliet := range []bool{false, true} {
			if joliet && v.NoJoliet {
				continue
			}
			t := &tree{joliet: joliet, partition: base > 0, base: base, time: l.time, made: shared}
			if err := t.plan(root); err != nil {
				return nil, err
			}
			if l.blocks+t.blocks < l.blocks {
				return nil, errors.New("directories take more blocks than 32 bits can number")
			}
			l.blocks += t.blocks
			l.trees = append(l.trees, t)
		}
	}
	return l, nil
}

// bases are the blocks where volumes begin.
func (l *layout) bases() []uint32 {
	if l.volume.Partition.Block == 0 {
		return []uint32{0}
	}
	return []uint32{0, l.volume.Partition.Block}
}

// place puts the trees from the block at on, and checks that all that is
// recorded is where it can be.
func (l *layout) place(at uint32) error {
	if err := l.checkVolume(); err != nil {
		return err
	}
	own := span{uint64(at), uint64(at) + uint64(l.blocks)}
	for _, s := range l.spans() {
		if err := s.check(own); err != nil {
			return fmt.Errorf("path tables and directories: %w", err)
		}
	}
	for _, t := range l.trees {
		t.place(at)
		at += t.blocks
	}
	return l.checkExtents(own)
}

// pieces are all that Metadata returns.
func (l *layout) pieces() ([]Piece, error) {
	var pieces []Piece
	add := func(block uint32, r io.ReaderAt, size int64) {
		pieces = append(pieces, Piece{io.NewSectionReader(r, 0, size), block})
	}
	for _, base := range l.bases() {
		b := l.descriptors(base)
		add(base+firstDescriptor, bytes.NewReader(b), int64(len(b)))
	}
	if len(l.volume.Boot) > 0 {
		b := catalog(l.volume.Boot)
		add(l.volume.CatalogBlock, bytes.NewReader(b), int64(len(b)))
	}
	for _, t := range l.trees {
		add(t.start, t, int64(t.blocks)*iso9660.BlockSize)
	}
	slices.SortStableFunc(pieces, func(a, b Piece) int { return int(int64(a.Block) - int64(b.Block)) })
	for i, p := range pieces[1:] {
		if end := int64(pieces[i].Block) + pieces[i].Size()/iso9660.BlockSize; end > int64(p.Block) {
			return nil, fmt.Errorf("metadata at block %d reaches to block %d, and more of it is at block %d", pieces[i].Block, end, p.Block)
		}
	}
	return pieces, nil
}
