package diskimage

import (
	"encoding/binary"
	"math"
)

// Places in the master boot record, all numbers little-endian.
//
//	offset  bytes  what
//	0       440    boot code
//	440     4      signature: the first 32 bits of the disk's identifier
//	446     16     a slot for each of four partitions
//	510     2      55 AA
//
//	slot    0      80 if it is active
//	        1      first sector as cylinder, head and sector
//	        4      type
//	        5      last sector, likewise
//	        8      first sector
//	        12     number of sectors
const (
	mbrSignature  = 440
	mbrSlots      = 446
	mbrSlotSize   = 16
	mbrEnd        = 510
	mbrActive     = 0x80
	maxSectorsMBR = math.MaxUint32
)

// bootRecord returns the first sector of a disk with a DOS partition table.
// Go-diskfs has a writer for it, which writes no signature and no cylinders.
func (l *Layout) bootRecord() []byte {
	b := make([]byte, sectorSize)
	copy(b, l.Boot)
	binary.LittleEndian.PutUint32(b[mbrSignature:], binary.BigEndian.Uint32(l.ID[:]))
	for i, p := range l.Partitions {
		slot := b[mbrSlots+i*mbrSlotSize:]
		first, sectors := p.Start/sectorSize, p.Size/sectorSize
		if p.Attributes&LegacyBIOS != 0 {
			slot[0] = mbrActive
		}
		if slot[4] = p.MBRType; slot[4] == 0 {
			slot[4] = dosType(p.Type)
		}
		putCHS(slot[1:4], first)
		putCHS(slot[5:8], first+sectors-1)
		binary.LittleEndian.PutUint32(slot[8:], uint32(first))
		binary.LittleEndian.PutUint32(slot[12:], uint32(sectors))
	}
	b[mbrEnd], b[mbrEnd+1] = 0x55, 0xAA
	return b
}

// dosType returns the type in a DOS table that a type stands for, or 0.
func dosType(g GUID) byte {
	switch g {
	case GUID{}, TypeLinux(), TypeRoot("amd64"), TypeRoot("arm64"), TypeRoot("riscv64"):
		return 0x83
	case TypeEFI():
		return 0xEF
	case TypeBasicData():
		return 0x0C // FAT32, by sector numbers
	default:
		return 0
	}
}

// putCHS writes a sector's number as cylinder, head and sector of a disk with
// 255 heads and 63 sectors a track, or the last such address.
func putCHS(b []byte, sector int64) {
	cylinder, head, track := sector/63/255, sector/63%255, sector%63+1
	if cylinder > 1023 {
		cylinder, head, track = 1023, 254, 63
	}
	b[0], b[1], b[2] = byte(head), byte(track)|byte(cylinder>>8<<6), byte(cylinder)
}
