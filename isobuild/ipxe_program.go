package isobuild

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxIPXEProgram is how large a boot program may be, in bytes. The largest that
// is known, with all drivers and certificates, has 2 MB.
const maxIPXEProgram = 64 << 20

// An efiProgram is how a kind of machine knows its boot program.
type efiProgram struct {
	name    string // in /EFI/BOOT (UEFI 2.10 §3.5.1.1)
	machine uint16 // in the PE header
}

// efiPrograms returns them by architecture, in Go's names.
func efiPrograms() map[string]efiProgram {
	return map[string]efiProgram{
		"386":     {"BOOTIA32.EFI", 0x014C},
		"amd64":   {"BOOTX64.EFI", 0x8664},
		"arm":     {"BOOTARM.EFI", 0x01C2},
		"arm64":   {"BOOTAA64.EFI", 0xAA64},
		"riscv64": {"BOOTRISCV64.EFI", 0x5064},
		"loong64": {"BOOTLOONGARCH64.EFI", 0x6264},
	}
}

// checkEFI refuses a program that is not for arch, and one that does not hold
// script: it would boot, and do something else.
func checkEFI(arch string, program File, script []byte) error {
	kind, ok := efiPrograms()[arch]
	if !ok {
		return fmt.Errorf("architecture %q is not one of %q", arch, slices.Sorted(maps.Keys(efiPrograms())))
	}
	if program == nil {
		return fmt.Errorf("UEFI program for %s is nil", arch)
	}
	data, err := readProgram(program)
	if err != nil {
		return fmt.Errorf("UEFI program for %s: %w", arch, err)
	}
	const newHeader = 0x3C // where the offset of the PE header is
	at := int64(-1)
	if len(data) >= newHeader+4 && string(data[:2]) == "MZ" {
		at = int64(binary.LittleEndian.Uint32(data[newHeader:]))
	}
	switch {
	case at < 0 || at+6 > int64(len(data)) || string(data[at:at+4]) != "PE\x00\x00":
		return fmt.Errorf("UEFI program for %s: is no PE file", arch)
	case binary.LittleEndian.Uint16(data[at+4:]) != kind.machine:
		return fmt.Errorf("UEFI program for %s: is for the machine %#04x, not %#04x",
			arch, binary.LittleEndian.Uint16(data[at+4:]), kind.machine)
	case !bytes.Contains(data, script):
		return fmt.Errorf("UEFI program for %s: does not hold the script, which has to be embedded in it", arch)
	}
	return nil
}

// checkLkrn refuses what GRUB could not start: a Linux kernel has its magic
// number at 0x202 (Linux, x86/boot).
func checkLkrn(program File) error {
	data, err := readProgram(program)
	if err != nil {
		return fmt.Errorf("BIOS program: %w", err)
	}
	const magic = 0x202
	if len(data) < magic+4 || string(data[magic:magic+4]) != "HdrS" {
		return errors.New("BIOS program: does not have the form of a Linux kernel, as an ipxe.lkrn has")
	}
	return nil
}

// readProgram returns the bytes of a boot program.
func readProgram(program File) ([]byte, error) {
	size := program.Size()
	if size < 0 || size > maxIPXEProgram {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", size, maxIPXEProgram)
	}
	data := make([]byte, size)
	if n, err := program.ReadAt(data, 0); n < len(data) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return data, nil
}
