package gpt

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
)

const (
	// SectorSize is the unit of all places, in bytes.
	SectorSize = 512
	// BootCodeSize is how much of the first sector is boot code, in bytes.
	BootCodeSize = 440
	// HeadSize is how much a table takes at the start of a disk, in bytes, with
	// the master boot record.
	HeadSize = firstUsable * SectorSize
	// TailSize is how much a table takes at the end of a disk, in bytes.
	TailSize = 33 * SectorSize

	firstUsable    = 34
	maxPartitions  = 128
	maxNameUnits   = 36
	minDiskSectors = firstUsable + 33
)

// Attributes of partitions (UEFI 2.10 §5.3.3). Bit 60 is defined for basic
// data.
const (
	Required uint64 = 1 << 0
	ReadOnly uint64 = 1 << 60
)

// A Partition is one entry of a table. The zero value is an entry that is not
// used.
type Partition struct {
	Start, Size int64 // in bytes, multiples of 512
	Type, ID    GUID
	Name        string
	Attributes  uint64
}

// used says whether p is a partition at all.
func (p *Partition) used() bool { return p.Type != GUID{} }

// end returns where p ends, in bytes.
func (p *Partition) end() int64 { return p.Start + p.Size }

// A Table is a partition table with the boot code in front of it.
type Table struct {
	Size       int64 // of the disk in bytes, a multiple of 512
	ID         GUID
	Partitions []Partition // number 1 first
	BootCode   []byte      // at most 440 bytes
	Active     bool        // see the package comment
}

// check finds what must not be written.
func (t *Table) check() error {
	if t.Size%SectorSize != 0 || t.Size < minDiskSectors*SectorSize {
		return fmt.Errorf("gpt: disk of %d bytes: want a multiple of %d, at least %d", t.Size, SectorSize, minDiskSectors*SectorSize)
	}
	if len(t.BootCode) > BootCodeSize {
		return fmt.Errorf("gpt: boot code of %d bytes, at most %d fit", len(t.BootCode), BootCodeSize)
	}
	if len(t.Partitions) > maxPartitions {
		return fmt.Errorf("gpt: %d partitions, at most %d fit", len(t.Partitions), maxPartitions)
	}
	var errs []error
	owners := map[GUID]string{t.ID: "the disk", {}: "nothing, being zero"}
	if (t.ID == GUID{}) {
		errs = append(errs, errors.New("gpt: disk has no identifier"))
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if !p.used() {
			continue
		}
		errs = append(errs, t.checkPartition(i+1, p))
		if owner, ok := owners[p.ID]; ok {
			errs = append(errs, fmt.Errorf("gpt: partition %d: identifier %v is that of %s", i+1, p.ID, owner))
		}
		owners[p.ID] = fmt.Sprintf("partition %d", i+1)
	}
	return errors.Join(append(errs, t.checkOverlap())...)
}

func (t *Table) checkPartition(number int, p *Partition) error {
	first, end := int64(firstUsable*SectorSize), t.Size-TailSize
	switch {
	case p.Start%SectorSize != 0 || p.Size%SectorSize != 0 || p.Size <= 0:
		return fmt.Errorf("gpt: partition %d: %d bytes at %d: want multiples of %d, at least one", number, p.Size, p.Start, SectorSize)
	case p.Start < first || p.Size > end || p.Start > end-p.Size:
		return fmt.Errorf("gpt: partition %d: %d bytes at %d: want it between %d and %d", number, p.Size, p.Start, first, end)
	case len(utf16.Encode([]rune(p.Name))) > maxNameUnits:
		return fmt.Errorf("gpt: partition %d: name %q is longer than %d UTF-16 units", number, p.Name, maxNameUnits)
	}
	return nil
}

// checkOverlap finds two partitions that share a sector, which the firmware
// would refuse (UEFI 2.10 §5.3.3).
func (t *Table) checkOverlap() error {
	var order []int
	for i := range t.Partitions {
		if t.Partitions[i].used() {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(min(max(t.Partitions[a].Start-t.Partitions[b].Start, -1), 1))
	})
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		if t.Partitions[a].end() > t.Partitions[b].Start {
			return fmt.Errorf("gpt: partitions %d and %d overlap: the first ends at %d, the second starts at %d",
				a+1, b+1, t.Partitions[a].end(), t.Partitions[b].Start)
		}
	}
	return nil
}
