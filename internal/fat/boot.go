package fat

import (
	"encoding/binary"
	"fmt"
)

const (
	fsInfoSector = 1
	backupSector = 6 // of the copies of boot sector and FSInfo
	rootCluster  = 2 // of FAT32
	maxShort     = 65535

	media   = 0xF8 // a disk that is not removable
	loadsAt = 0x7C00
)

// bootCode prints the text behind it, at the address in bytes 6 and 7, and
// tells the firmware that this device does not boot.
//
//	cld
//	xor  ax, ax
//	mov  ds, ax
//	mov  si, text
//	next: lodsb
//	test al, al
//	jz   done
//	mov  ah, 0x0E   ; teletype
//	mov  bx, 7      ; page 0, grey
//	int  0x10
//	jmp  next
//	done: int 0x18
//	halt: hlt
//	jmp  halt
const (
	bootCode = "\xFC\x31\xC0\x8E\xD8\xBE\x00\x00\xAC\x84\xC0\x74\x09\xB4\x0E\xBB\x07\x00\xCD\x10\xEB\xF2\xCD\x18\xF4\xEB\xFD"
	bootText = "This volume holds no boot program.\r\n\x00"
)

// bootSector returns the first sector of the volume.
func (g *geometry) bootSector(v *Volume) []byte {
	b := make([]byte, sectorSize)
	copy(b[3:], "MSWIN4.1")
	binary.LittleEndian.PutUint16(b[11:], sectorSize)
	b[13] = byte(g.perCluster)
	binary.LittleEndian.PutUint16(b[14:], uint16(g.reserved))
	b[16] = 2
	binary.LittleEndian.PutUint16(b[17:], uint16(g.root*sectorSize/entrySize))
	if g.sectors <= maxShort && g.bits != 32 {
		binary.LittleEndian.PutUint16(b[19:], uint16(g.sectors))
	} else {
		binary.LittleEndian.PutUint32(b[32:], uint32(g.sectors))
	}
	b[21] = media
	binary.LittleEndian.PutUint16(b[24:], 63)
	binary.LittleEndian.PutUint16(b[26:], 255)
	binary.LittleEndian.PutUint32(b[28:], v.Hidden)
	more := 36
	if g.bits == 32 {
		more = 64
		binary.LittleEndian.PutUint32(b[36:], uint32(g.fat))
		binary.LittleEndian.PutUint32(b[44:], rootCluster)
		binary.LittleEndian.PutUint16(b[48:], fsInfoSector)
		binary.LittleEndian.PutUint16(b[50:], backupSector)
	} else {
		binary.LittleEndian.PutUint16(b[22:], uint16(g.fat))
	}
	b[more], b[more+2] = 0x80, 0x29
	binary.LittleEndian.PutUint32(b[more+3:], v.Serial)
	label := labelField(v.Label)
	copy(b[more+7:], label[:])
	copy(b[more+18:], fmt.Sprintf("FAT%-5d", g.bits))
	putBootCode(b, more+26)
	return b
}

// putBootCode puts the boot code at offset at, and what leads there.
func putBootCode(b []byte, at int) {
	b[0], b[1], b[2] = 0xEB, byte(at-2), 0x90 // A jump from offset 2, and nothing.
	copy(b[at:], bootCode+bootText)
	binary.LittleEndian.PutUint16(b[at+6:], uint16(loadsAt+at+len(bootCode)))
	b[510], b[511] = 0x55, 0xAA
}

// labelField returns label as boot sector and root directory have it.
func labelField(label string) (field [shortSize]byte) {
	if label == "" {
		label = "NO NAME"
	}
	copy(field[:], fmt.Sprintf("%-11s", label))
	return field
}

// fsInfo returns the sector of FAT32 which says what is free.
func (g *geometry) fsInfo() []byte {
	b := make([]byte, sectorSize)
	binary.LittleEndian.PutUint32(b, 0x41615252)
	binary.LittleEndian.PutUint32(b[484:], 0x61417272)
	binary.LittleEndian.PutUint32(b[488:], uint32(g.clusters-g.used))
	next := rootCluster + g.used
	if g.used == g.clusters {
		next = 0xFFFFFFFF // Unknown: there is none.
	}
	binary.LittleEndian.PutUint32(b[492:], uint32(next))
	b[510], b[511] = 0x55, 0xAA
	return b
}
