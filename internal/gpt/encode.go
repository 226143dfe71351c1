package gpt

import (
	"encoding/binary"
	"fmt"
	"math"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"
)

// Places in the master boot record.
const (
	mbrSlots     = 446
	mbrSlotSize  = 16
	mbrSignature = 510

	mbrActive = 0x80
	mbrGPT    = 0xEE
)

// Encode returns the first [HeadSize] and the last [TailSize] bytes of the
// disk. Boot code has the place and the signature of a boot record around it.
func (t *Table) Encode() (primary, backup []byte, err error) {
	if err := t.check(); err != nil {
		return nil, nil, err
	}
	table := &diskgpt.Table{LogicalSectorSize: SectorSize, PhysicalSectorSize: SectorSize, GUID: t.ID.String()}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if !p.used() {
			continue
		}
		table.Partitions = append(table.Partitions, &diskgpt.Partition{
			Index: i + 1, Start: uint64(p.Start / SectorSize), End: uint64(p.end()/SectorSize) - 1,
			Type: diskgpt.Type(p.Type.String()), GUID: p.ID.String(), Name: p.Name, Attributes: p.Attributes,
		})
	}
	disk := &ends{size: t.Size, head: make([]byte, HeadSize), tail: make([]byte, TailSize)}
	if err := table.Write(disk, t.Size); err != nil {
		return nil, nil, fmt.Errorf("gpt: %w", err)
	}
	t.bootRecord(disk.head[:SectorSize])
	return disk.head, disk.tail, nil
}

// bootRecord fills in the first sector.
func (t *Table) bootRecord(b []byte) {
	copy(b, t.BootCode)
	last := t.Size/SectorSize - 1
	slot := b[mbrSlots:]
	copy(slot, []byte{0, 0, 2, 0, mbrGPT})
	putCHS(slot[5:8], last)
	binary.LittleEndian.PutUint32(slot[8:], 1)
	binary.LittleEndian.PutUint32(slot[12:], uint32(min(last, math.MaxUint32)))
	if t.Active {
		slot = b[mbrSlots+mbrSlotSize:]
		copy(slot, []byte{mbrActive, 0, 1, 0, 0, 0, 1, 0})
		binary.LittleEndian.PutUint32(slot[12:], 1)
	}
	b[mbrSignature], b[mbrSignature+1] = 0x55, 0xAA
}

// putCHS writes a sector's number as cylinder, head and sector of a disk with
// 255 heads and 63 sectors a track, or all ones if there are too few cylinders
// (UEFI 2.10 §5.2.3).
func putCHS(b []byte, sector int64) {
	cylinder, head, track := sector/63/255, sector/63%255, sector%63+1
	if cylinder > 1023 {
		copy(b, []byte{0xFF, 0xFF, 0xFF})
		return
	}
	b[0], b[1], b[2] = byte(head), byte(track)|byte(cylinder>>8<<6), byte(cylinder)
}
