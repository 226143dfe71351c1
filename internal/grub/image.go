package grub

import (
	"encoding/binary"
	"fmt"
	"io/fs"
)

const (
	sectorSize = 512
	blockSize  = 2048
	codeSize   = 440 // of boot code before the disk signature in an MBR
)

// Offsets of what is filled in; see the package comment.
const (
	listStart     = 0x1f4
	listSectors   = 0x1fc
	listSegment   = 0x1fe
	infoTable     = 8
	infoTableEnd  = 64
	hybridSector  = 0x1b0
	bootSector    = 0x5c
	bootDriveJump = 0x66
)

// coreSegment is where diskboot.img and cdboot.img put the core.
const coreSegment = 0x820

// volumeBlock is where every ISO 9660 volume has its primary descriptor.
const volumeBlock = 16

// ElTorito returns the image from which a BIOS boots GRUB from a CD, without
// emulation, and from the same ISO on a disk. Modules is GRUB's folder i386-pc,
// prefix the folder of grub.cfg, and names are the modules to take, to which
// those that they need are added. The image has to be told by [Place] where it
// will lie.
func ElTorito(modules fs.FS, prefix string, names []string) ([]byte, error) {
	cdboot, err := readPart(modules, "cdboot.img", blockSize)
	if err != nil {
		return nil, err
	}
	disk, err := diskImage(modules, prefix, names)
	if err != nil {
		return nil, err
	}
	return append(cdboot, disk...), nil
}

// Place fills in that an image made by [ElTorito] lies at a block of an ISO,
// which has 2048 bytes.
func Place(eltorito []byte, block uint32) error {
	list := blockSize + listStart
	if len(eltorito) < blockSize+sectorSize ||
		binary.LittleEndian.Uint16(eltorito[blockSize+listSegment:]) != coreSegment {
		return fmt.Errorf("grub: no El Torito image: %d bytes without diskboot.img's block list at byte %d", len(eltorito), list)
	}
	binary.LittleEndian.PutUint64(eltorito[list:], uint64(block)*(blockSize/sectorSize)+(blockSize+sectorSize)/sectorSize)
	table := eltorito[infoTable:]
	binary.LittleEndian.PutUint32(table, volumeBlock)
	binary.LittleEndian.PutUint32(table[4:], block)
	binary.LittleEndian.PutUint32(table[8:], uint32(len(eltorito)))
	binary.LittleEndian.PutUint32(table[12:], checksum(eltorito[infoTableEnd:]))
	return nil
}

// checksum returns the sum of the 32-bit words of b, after which zeros follow.
func checksum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.LittleEndian.Uint32(b)
	}
	var last [4]byte
	copy(last[:], b)
	return sum + binary.LittleEndian.Uint32(last[:])
}

// HybridMBR returns the 440 bytes of boot code for an ISO on a disk, whose El
// Torito image lies at a block of 2048 bytes.
func HybridMBR(modules fs.FS, eltoritoBlock uint32) ([]byte, error) {
	code, err := readPart(modules, "boot_hybrid.img", sectorSize)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(code[hybridSector:], (uint64(eltoritoBlock)+1)*(blockSize/sectorSize))
	return code[:codeSize], nil
}

// DiskCore returns what a BIOS boot partition that starts at a sector of 512
// bytes must contain. The other parameters are those of [ElTorito]. A prefix
// may name a partition of the disk that GRUB is loaded from: (,gpt3)/grub2.
func DiskCore(modules fs.FS, prefix string, names []string, sector uint64) ([]byte, error) {
	disk, err := diskImage(modules, prefix, names)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(disk[listStart:], sector+1)
	return append(disk, make([]byte, -len(disk)&(sectorSize-1))...), nil
}

// DiskMBR returns the 440 bytes of boot code for a disk whose BIOS boot
// partition starts at a sector of 512 bytes.
func DiskMBR(modules fs.FS, sector uint64) ([]byte, error) {
	code, err := readPart(modules, "boot.img", sectorSize)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(code[bootSector:], sector)
	code[bootDriveJump], code[bootDriveJump+1] = 0x90, 0x90
	return code[:codeSize], nil
}

// diskImage returns diskboot.img, which knows how long the core is, and the core.
func diskImage(modules fs.FS, prefix string, names []string) ([]byte, error) {
	boot, err := readPart(modules, "diskboot.img", sectorSize)
	if err != nil {
		return nil, err
	}
	if segment := binary.LittleEndian.Uint16(boot[listSegment:]); segment != coreSegment {
		return nil, fmt.Errorf("grub: diskboot.img: loads to segment %#x, not to %#x", segment, coreSegment)
	}
	core, err := composeCore(modules, prefix, names)
	if err != nil {
		return nil, err
	}
	sectors := (len(core) + sectorSize - 1) / sectorSize // maxCore keeps it in 16 bits.
	binary.LittleEndian.PutUint16(boot[listSectors:], uint16(sectors))
	return append(boot, core...), nil
}
