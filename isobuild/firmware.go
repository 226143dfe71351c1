package isobuild

import "strings"

// Firmware is a set of kinds of firmware.
type Firmware uint8

// The kinds of firmware.
const (
	BIOS Firmware = 1 << iota // of a PC, with El Torito or a master boot record
	UEFI                      // with El Torito or an EFI system partition
)

// String returns the set in words.
func (f Firmware) String() string {
	var names []string
	if f&BIOS != 0 {
		names = append(names, "BIOS")
	}
	if f&UEFI != 0 {
		names = append(names, "UEFI")
	}
	return strings.Join(names, " and ")
}
