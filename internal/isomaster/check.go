package isomaster

import (
	"errors"
	"fmt"
	"strings"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// span is a range of blocks of the image, from the first to the one behind the
// last.
type span struct{ first, end uint64 }

// spanOf are the blocks of an extent.
func spanOf(e iso9660.Extent) span {
	return span{uint64(e.Block), uint64(e.Block) + (uint64(e.Size)+iso9660.BlockSize-1)/iso9660.BlockSize}
}

// check says whether all of inner is in s, which is the room for data of the
// image or of the partition.
func (s span) check(inner span) error {
	if inner.first < s.first || inner.end > s.end {
		return fmt.Errorf("blocks %d to %d are not all in %d to %d", inner.first, inner.end, s.first, s.end)
	}
	return nil
}

// spans are the blocks that the image and the partition have for data: behind
// the descriptors, up to the end.
func (l *layout) spans() []span {
	v := l.volume
	behind := uint64(firstDescriptor + l.descriptorCount(0))
	s := []span{{behind, uint64(v.Size) / iso9660.BlockSize}}
	if p := v.Partition; p.Block > 0 {
		behind = uint64(firstDescriptor + l.descriptorCount(p.Block))
		s = append(s, span{uint64(p.Block) + behind, uint64(p.Block) + uint64(p.Size)/iso9660.BlockSize})
	}
	return s
}

// checkVolume says why the descriptors and the catalogue cannot be made.
func (l *layout) checkVolume() error {
	v, faults := l.volume, []error(nil)
	for _, x := range []struct {
		what, text string
		limit      int
	}{
		{"volume identifier", v.ID, 32},
		{"system identifier", v.System, 32},
		{"volume set identifier", v.Set, 128},
		{"publisher", v.Publisher, 128},
		{"preparer", v.Preparer, 128},
		{"application", v.Application, 128},
	} {
		faults = append(faults, checkText(x.what, x.text, x.limit))
	}
	faults = append(faults, checkSize("volume", v.Size))
	if v.Partition != (Partition{}) {
		faults = append(faults, l.checkPartition())
	}
	if len(v.Boot) > 0 {
		faults = append(faults, l.checkBoot())
	}
	if y := l.time.UTC().Year(); y < 1 || y > 9999 {
		faults = append(faults, fmt.Errorf("time of the volume: year %d is not in 1..9999", y))
	}
	return errors.Join(faults...)
}

// checkText says why text cannot be recorded. ISO 9660 has fewer characters,
// but all readers take these, and volumes are known by names that need them.
func checkText(what, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%s %q: %d bytes, at most %d can be recorded", what, text, len(text), limit)
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%s %q: %q is not printable ASCII", what, text, r)
		}
	}
	if strings.HasSuffix(text, " ") {
		return fmt.Errorf("%s %q: readers drop the blank at the end", what, text)
	}
	return nil
}

func checkSize(what string, size int64) error {
	const highest = int64(1<<32 - 1)
	if size <= 0 || size%iso9660.BlockSize != 0 || size/iso9660.BlockSize > highest {
		return fmt.Errorf("size of the %s is %d, want a multiple of %d, up to %d blocks", what, size, iso9660.BlockSize, highest)
	}
	return nil
}

func (l *layout) checkPartition() error {
	p := l.volume.Partition
	if err := checkSize("partition", p.Size); err != nil {
		return err
	}
	if least := uint32(l.descriptorCount(0)); p.Block < least {
		return fmt.Errorf("partition begins at block %d, and its descriptors would lie on those of the image: want at least %d", p.Block, least)
	}
	if end := int64(p.Block) + p.Size/iso9660.BlockSize; end > l.volume.Size/iso9660.BlockSize {
		return fmt.Errorf("partition ends at block %d, and the image at %d", end, l.volume.Size/iso9660.BlockSize)
	}
	return nil
}

// checkExtents says which file has data where none can be: outside the image or
// the partition, or where path tables and directories are.
func (l *layout) checkExtents(own span) error {
	spans := l.spans()
	for _, t := range l.trees {
		if t.joliet {
			continue
		}
		room := spans[0]
		if t.partition {
			room = spans[1]
		}
		for i, d := range t.dirs {
			for _, c := range d.node.Children {
				if t.partition && c.outside() {
					continue
				}
				if err := checkPlaces(c.file().Extents, room, own); err != nil {
					return fmt.Errorf("%s: %w", t.path(i, c.Name), err)
				}
			}
		}
	}
	return nil
}

func checkPlaces(extents []iso9660.Extent, room, own span) error {
	for _, e := range extents {
		if e.Size == 0 {
			continue
		}
		s := spanOf(e)
		if err := room.check(s); err != nil {
			return err
		}
		if s.first < own.end && own.first < s.end {
			return fmt.Errorf("blocks %d to %d lie on path tables and directories, %d to %d", s.first, s.end, own.first, own.end)
		}
	}
	return nil
}
