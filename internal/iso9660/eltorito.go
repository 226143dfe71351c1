package iso9660

import (
	"encoding/binary"
	"fmt"
)

// Platforms of boot entries (El Torito 1.0 §2.1; UEFI 2.10 §13.3.2.1).
const (
	PlatformBIOS byte = 0
	PlatformPPC  byte = 1
	PlatformMac  byte = 2
	PlatformEFI  byte = 0xef
)

const (
	catalogEntry = 32 // bytes

	keyValidation   = 0x01
	keyMoreSections = 0x90
	keyLastSection  = 0x91
	keyBootable     = 0x88
	keyExtension    = 0x44
)

// A Catalog is an El Torito boot catalogue.
type Catalog struct {
	Block   uint32 // where it lies
	Entries []BootEntry
}

// A BootEntry is one boot image of a catalogue (El Torito 1.0 §2.2 to §2.4).
type BootEntry struct {
	Platform    byte   // [PlatformBIOS] and others
	Bootable    bool   // whether firmware may start it
	Media       byte   // 0: no emulation; 1 to 3: a floppy; 4: a hard disk
	LoadSegment uint16 // 0: 0x7c0
	Sectors     uint16 // to load, of 512 bytes
	Block       uint32 // where the boot image lies

	// Offset is where the entry is in the catalogue, in bytes. Only a reader
	// sets it.
	Offset int
}

// parseCatalog reads the catalogue that fills b. It stops at an entry that is
// empty.
func parseCatalog(b []byte) ([]BootEntry, error) {
	if b[0] != keyValidation || b[30] != 0x55 || b[31] != 0xaa {
		return nil, fmt.Errorf("validation entry starts with %#02x and ends with %#02x%02x, want 0x01 and 0x55aa", b[0], b[30], b[31])
	}
	var sum uint16
	for i := 0; i < catalogEntry; i += 2 {
		sum += binary.LittleEndian.Uint16(b[i:])
	}
	if sum != 0 {
		return nil, fmt.Errorf("validation entry has the checksum %#04x, want 0", sum)
	}
	platform := b[1]
	entries := []BootEntry{parseBoot(b, catalogEntry, platform)}
	for off := 2 * catalogEntry; off+catalogEntry <= len(b); {
		header := b[off : off+catalogEntry]
		if header[0] != keyMoreSections && header[0] != keyLastSection {
			break
		}
		platform = header[1]
		count := int(binary.LittleEndian.Uint16(header[2:]))
		off += catalogEntry
		for ; count > 0 && off+catalogEntry <= len(b); off += catalogEntry {
			if b[off] == keyExtension {
				continue
			}
			entries = append(entries, parseBoot(b, off, platform))
			count--
		}
		for off+catalogEntry <= len(b) && b[off] == keyExtension {
			off += catalogEntry
		}
		if header[0] == keyLastSection {
			break
		}
	}
	return entries, nil
}

// parseBoot reads the entry at off.
func parseBoot(b []byte, off int, platform byte) BootEntry {
	e := b[off : off+catalogEntry]
	return BootEntry{
		Platform:    platform,
		Bootable:    e[0] == keyBootable,
		Media:       e[1] & 0x0f,
		LoadSegment: binary.LittleEndian.Uint16(e[2:]),
		Sectors:     binary.LittleEndian.Uint16(e[6:]),
		Block:       binary.LittleEndian.Uint32(e[8:]),
		Offset:      off,
	}
}
