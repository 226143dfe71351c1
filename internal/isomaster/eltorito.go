package isomaster

import (
	"encoding/binary"
	"fmt"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

const (
	// catalogRecord is the size of everything in a boot catalogue, in bytes.
	catalogRecord = 32
	// maxBoot is how many entries fit into a block: the first one comes with
	// the validation entry, each further one with a header of its section.
	maxBoot = iso9660.BlockSize / catalogRecord / 2
	// sectorSize is the unit of sector counts, in bytes (El Torito 1.0 §2.2).
	sectorSize = 512
)

// Sectors returns the sector count of a boot entry for an image of size bytes.
// The field has 16 bits; where they are too few, it is 0, by which UEFI
// understands that the image reaches to the end of the volume
// (UEFI 2.10 §13.3.2.1).
func Sectors(size int64) uint16 {
	n := (size + sectorSize - 1) / sectorSize
	if n > 1<<16-1 {
		return 0
	}
	return uint16(n)
}

func (l *layout) checkBoot() error {
	v := l.volume
	if len(v.Boot) > maxBoot {
		return fmt.Errorf("%d boot entries, and the catalogue has room for %d", len(v.Boot), maxBoot)
	}
	places := append([]uint32{v.CatalogBlock}, make([]uint32, 0, len(v.Boot))...)
	for _, e := range v.Boot {
		places = append(places, e.Block)
	}
	for i, p := range places {
		if err := l.spans()[0].check(span{uint64(p), uint64(p) + 1}); err != nil {
			if i == 0 {
				return fmt.Errorf("boot catalogue: %w", err)
			}
			return fmt.Errorf("boot entry %d of %d: %w", i, len(v.Boot), err)
		}
	}
	return nil
}

// catalog is the boot catalogue for entries, of which there is at least one
// (El Torito 1.0 §2). Each entry but the first has a section to itself: some
// firmware does not look further than the first one of a section.
func catalog(entries []iso9660.BootEntry) []byte {
	const header, lastHeader = 0x90, 0x91
	b := make([]byte, iso9660.BlockSize)
	validate(b, entries[0].Platform)
	putBoot(b[catalogRecord:], entries[0])
	for i, e := range entries[1:] {
		section := b[2*(i+1)*catalogRecord:]
		section[0] = header
		if i == len(entries)-2 {
			section[0] = lastHeader
		}
		section[1] = e.Platform
		binary.LittleEndian.PutUint16(section[2:], 1)
		putBoot(section[catalogRecord:], e)
	}
	return b
}

// validate fills in the validation entry, whose 16-bit words have the sum 0
// (El Torito 1.0 §2.1).
func validate(b []byte, platform byte) {
	b[0], b[1], b[30], b[31] = 1, platform, 0x55, 0xaa
	sum := uint16(0)
	for i := 0; i < catalogRecord; i += 2 {
		sum += binary.LittleEndian.Uint16(b[i:])
	}
	binary.LittleEndian.PutUint16(b[28:], -sum)
}

// putBoot fills in a default or a section entry (El Torito 1.0 §2.2, §2.4).
func putBoot(b []byte, e iso9660.BootEntry) {
	const bootable = 0x88
	if e.Bootable {
		b[0] = bootable
	}
	b[1] = e.Media
	binary.LittleEndian.PutUint16(b[2:], e.LoadSegment)
	binary.LittleEndian.PutUint16(b[6:], e.Sectors)
	binary.LittleEndian.PutUint32(b[8:], e.Block)
}
