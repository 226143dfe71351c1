package isobuild

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

// Types of descriptors (ECMA-119 §8.1.1).
const (
	descriptorPrimary       = 1
	descriptorSupplementary = 2
	descriptorEnd           = 255
)

const firstDescriptor = 16

// A volume is one set of descriptors, and the trees below them.
type volume struct {
	base     int64 // the block it counts from
	count    int   // descriptors, with the terminator
	metadata []span
	contents []span // of the files of all trees
}

// descriptors returns the blocks of the descriptors of v.
func (v *volume) descriptors() span {
	return span{v.base + firstDescriptor, v.base + firstDescriptor + int64(v.count)}
}

// findVolumes finds the volume of the image, and that of the first partition if
// it mounts by itself.
func (r *remastering) findVolumes() error {
	main, err := readVolume(r.iso, 0)
	if err != nil {
		return err
	}
	r.volumes = []*volume{main}
	base := r.disk.base()
	if base == nil || base.start == 0 || base.start%blockSize != 0 {
		return nil
	}
	if v, err := readVolume(r.iso, base.start/blockSize); err == nil {
		r.volumes = append(r.volumes, v)
	}
	return nil
}

// readVolume reads all trees of the volume that starts at the block base.
func readVolume(iso File, base int64) (*volume, error) {
	part := io.NewSectionReader(iso, offset64(base), iso.Size()-offset64(base))
	v := &volume{base: base}
	for _, names := range []iso9660.Names{iso9660.Auto, iso9660.Joliet, iso9660.Enhanced, iso9660.Plain} {
		tree, err := iso9660.Open(part, part.Size(), iso9660.WithNames(names))
		if err != nil && (names == iso9660.Joliet || names == iso9660.Enhanced) {
			continue // There is none, or nothing can read it.
		}
		if err != nil {
			return nil, err
		}
		v.count = tree.Volume().Descriptors
		for _, e := range tree.Metadata() {
			v.metadata = append(v.metadata, spanOf(e).shifted(base))
		}
		for _, e := range tree.Contents() {
			v.contents = append(v.contents, spanOf(e).shifted(base))
		}
	}
	return v, nil
}

// checksums returns the blocks with checksums that xorriso has put there: the
// first is behind the descriptors, and tells where the next is.
func (r *remastering) checksums(v *volume) []span {
	var list []span
	b := make([]byte, blockSize)
	for at := v.descriptors().end; readBlock(r.iso, b, at) == nil; { // Behind the end is none.
		kind, rest, _ := strings.Cut(string(b), " ")
		if !strings.HasPrefix(kind, "libisofs_") || !strings.HasSuffix(kind, "checksum_tag_v1") {
			break
		}
		list = append(list, span{at, at + 1})
		_, rest, _ = strings.Cut(rest, " next=")
		digits, _, _ := strings.Cut(rest, " ")
		next, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || int64(next) <= at {
			break
		}
		at = int64(next)
	}
	return list
}

// master returns what isomaster is to make for an image of size bytes whose
// first partition has so many. Boot record and catalogue are the old ones.
func (r *remastering) master(size, partition int64) *isomaster.Volume {
	v := &isomaster.Volume{ID: r.cfg.volumeID, Time: r.at, Size: size, NoJoliet: !r.old.Volume().Joliet}
	if len(r.volumes) > 1 {
		v.Partition = isomaster.Partition{Block: uint32(r.volumes[1].base), Size: partition}
	}
	return v
}

// addMetadata adds path tables and directories from the block at, and changes
// the descriptors. End is the end of the volume, in blocks; size that of the
// image, in bytes.
func (r *remastering) addMetadata(root *isomaster.Node, at uint32, end, size int64) error {
	partition := int64(0)
	if len(r.volumes) > 1 {
		partition = offset64(end - r.volumes[1].base)
		if r.tail == 0 && r.disk.covered() {
			partition = size - offset64(r.volumes[1].base)
		}
	}
	pieces, err := isomaster.Metadata(root, r.master(size, partition), at)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if v := r.volumeAt(p.Block); v != nil {
			made, err := io.ReadAll(p)
			if err == nil {
				err = r.addDescriptors(v, made)
			}
			if err != nil {
				return err
			}
			continue
		}
		r.image.Add(offset(p.Block), p, p.Size())
	}
	return nil
}

// volumeAt returns the volume whose descriptors start at block.
func (r *remastering) volumeAt(block uint32) *volume {
	for _, v := range r.volumes {
		if v.descriptors().first == int64(block) {
			return v
		}
	}
	return nil
}

// addDescriptors changes the descriptors of v to lead where those in made do.
// The rest of them stays, also the times: GRUB and initial ramdisks find their
// medium by that of its modification, which they call its UUID.
func (r *remastering) addDescriptors(v *volume, made []byte) error {
	var list []byte
	b := make([]byte, blockSize)
	for i := range int64(v.count) {
		if err := readBlock(r.iso, b, v.descriptors().first+i); err != nil {
			return fmt.Errorf("descriptors: %w", err)
		}
		switch kind := b[0]; {
		case kind == descriptorPrimary, kind == descriptorSupplementary && isJoliet(b):
			fresh := findDescriptor(made, kind)
			if fresh == nil {
				continue
			}
			r.adopt(b, fresh)
		case kind == descriptorSupplementary:
			continue // Of a kind that leads to directories which are gone.
		}
		list = append(list, b...)
	}
	// Those that are left out leave zeros behind the end.
	list = append(list, make([]byte, v.count*blockSize-len(list))...)
	r.patches[v.descriptors().first] = list
	return nil
}

// isJoliet says whether a supplementary descriptor is one of Joliet.
func isJoliet(b []byte) bool {
	const version, escape = 6, 88
	return b[version] == 1 && bytes.HasPrefix(b[escape:], []byte("%/"))
}

// sameVolume says whether two primary descriptors tell of one volume: by its
// identifier and its times.
func sameVolume(a, b []byte) bool {
	same := func(from, to int) bool { return bytes.Equal(a[from:to], b[from:to]) }
	return same(0, 6) && same(40, 72) && same(813, 847)
}

// findDescriptor returns the first descriptor of that kind in made, or nil.
func findDescriptor(made []byte, kind byte) []byte {
	for ; len(made) >= blockSize && made[0] != descriptorEnd; made = made[blockSize:] {
		if made[0] == kind {
			return made[:blockSize]
		}
	}
	return nil
}

// adopt gives the descriptor b what fresh says about sizes and places, and what
// options ask for. The field for applications becomes empty: what it holds of
// some images is a checksum.
func (r *remastering) adopt(b, fresh []byte) {
	take := func(from, to int) { copy(b[from:to], fresh[from:to]) }
	take(80, 88)   // volume space size (ECMA-119 §8.4.8)
	take(132, 190) // path tables and root directory (§8.4.12 to §8.4.18)
	take(883, 1395)
	if r.cfg.volumeID != "" {
		take(40, 72)
	}
}

// readBlock fills b with a block.
func readBlock(iso File, b []byte, block int64) error {
	if n, err := iso.ReadAt(b, offset64(block)); n < len(b) {
		return fmt.Errorf("block %d: %w", block, err)
	}
	return nil
}

// putBlock writes the number of a block.
func putBlock(b []byte, block uint32) { binary.LittleEndian.PutUint32(b, block) }
