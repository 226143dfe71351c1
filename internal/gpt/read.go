package gpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"
)

// What a header may say (UEFI 2.10 §5.3.2), as far as it is supported.
const (
	signature  = "EFI PART"
	maxEntries = 1024
	entrySize  = 128
	maxSector  = 1 << 54 // so that bytes fit an int64
)

// ErrNoTable says that a disk has no partition table of this kind.
var ErrNoTable = errors.New("gpt: no partition table")

// Read returns the table of the disk in r, which has size bytes. When the first
// header or its entries are damaged, the last sector's are used. Places are as
// they are recorded: nothing says that partitions do not overlap, or lie inside
// the disk. Entries that are not used stay as zero values between others.
func Read(r io.ReaderAt, size int64) (*Table, error) {
	disk, err := openEnds(r, size)
	if err != nil {
		return nil, err
	}
	read, err := diskgpt.Read(disk, SectorSize, SectorSize)
	if err != nil {
		return nil, fmt.Errorf("gpt: %w", err)
	}
	t := &Table{Size: size, BootCode: disk.head[:BootCodeSize]}
	t.Active = disk.head[mbrSlots+mbrSlotSize] == mbrActive
	if t.ID, err = ParseGUID(read.GUID); err != nil {
		return nil, err
	}
	for _, p := range read.Partitions {
		if err := t.add(p); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add takes over one entry that was read.
func (t *Table) add(p *diskgpt.Partition) error {
	if p.Start > p.End || p.End >= maxSector {
		return fmt.Errorf("gpt: partition %d: sectors %d to %d cannot be", p.Index, p.Start, p.End)
	}
	kind, err := ParseGUID(string(p.Type))
	if err != nil {
		return err
	}
	id, err := ParseGUID(p.GUID)
	if err != nil {
		return err
	}
	for len(t.Partitions) < p.Index {
		t.Partitions = append(t.Partitions, Partition{})
	}
	t.Partitions[p.Index-1] = Partition{
		Start: int64(p.Start) * SectorSize, Size: int64(p.End-p.Start+1) * SectorSize,
		Type: kind, ID: id, Name: strings.Clone(p.Name), Attributes: p.Attributes,
	}
	return nil
}

// openEnds reads the sectors that hold headers, and blanks those that
// go-diskfs must not see: it allocates and reads whatever a header asks for.
func openEnds(r io.ReaderAt, size int64) (*ends, error) {
	if size < minDiskSectors*SectorSize {
		return nil, fmt.Errorf("%w: disk of %d bytes, want at least %d", ErrNoTable, size, minDiskSectors*SectorSize)
	}
	size -= size % SectorSize
	disk := &ends{r: r, size: size, head: make([]byte, 2*SectorSize), tail: make([]byte, SectorSize)}
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), disk.head); err != nil {
		return nil, fmt.Errorf("gpt: first sectors: %w", err)
	}
	if _, err := io.ReadFull(io.NewSectionReader(r, size-SectorSize, SectorSize), disk.tail); err != nil {
		return nil, fmt.Errorf("gpt: last sector: %w", err)
	}
	first, last := disk.head[SectorSize:], disk.tail
	if string(first[:len(signature)]) != signature && string(last[:len(signature)]) != signature {
		return nil, ErrNoTable
	}
	for _, header := range [][]byte{first, last} {
		if !sane(header, size) {
			clear(header)
		}
	}
	return disk, nil
}

// sane says whether the entries that a header speaks of may be read.
func sane(header []byte, size int64) bool {
	sector, count := binary.LittleEndian.Uint64(header[72:]), binary.LittleEndian.Uint32(header[80:])
	return binary.LittleEndian.Uint32(header[84:]) == entrySize && count <= maxEntries &&
		sector < maxSector && int64(sector)*SectorSize <= size-int64(count)*entrySize
}
