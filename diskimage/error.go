package diskimage

import (
	"fmt"
	"io/fs"
	"strings"
)

// An Error says what could not be done with a disk.
type Error struct {
	Op   string // "build", "open", "efi", "bios", "plain", "raw", "fat", "ext2", "ext4", "vhd", "gce", "qcow2" or "vmdk"
	Path string // of a file in the tree; "" if it is about no file
	Err  error  // why; matches fs.ErrNotExist for what a tree lacks
}

// Error implements the error interface.
func (e *Error) Error() string {
	s := "diskimage: " + e.Op + ": "
	if e.Path != "" {
		s += e.Path + ": "
	}
	return s + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// wrap makes err one of the operation.
func (c *config) wrap(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // one that is inside another keeps its place
		if e.Op == "" {
			return &Error{Op: c.op.String(), Path: e.Path, Err: e.Err}
		}
		return e
	}
	return &Error{Op: c.op.String(), Err: err}
}

// A SizeError says that something is too small, and by how much.
type SizeError struct {
	What string // such as `partition 3 "recovery"`
	Size int64  // in bytes
	Need int64  // what it would have to be at least, in bytes
	Hint string // what helps, or ""
}

// Error implements the error interface.
func (e *SizeError) Error() string {
	s := fmt.Sprintf("%s has %s and needs %s, which is %s more", e.What, bytesText(e.Size), bytesText(e.Need), bytesText(e.Need-e.Size))
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// bytesText returns n in MiB where that is exact.
func bytesText(n int64) string {
	if n%MiB == 0 {
		return fmt.Sprintf("%d MiB", n/MiB)
	}
	return fmt.Sprintf("%d bytes", n)
}

// A LoaderError says that a boot loader is missing, and what helps. It comes
// before anything is written, and matches [fs.ErrNotExist].
type LoaderError struct {
	Firmware Firmware // what it would have started from: FirmwareBIOS or FirmwareUEFI
	Arch     string   // what it would have been for, by Go's names

	what     string
	packages string // of Debian
	places   int    // how many were searched but for the tree
}

// Error implements the error interface.
func (e *LoaderError) Error() string {
	return fmt.Sprintf("no boot loader for %v: searched in the tree and in %d places of WithLoaders for %s: add a tree that has it, such as Debian's %s",
		e.Firmware, e.places, e.what, e.packages)
}

// Is matches [fs.ErrNotExist].
func (e *LoaderError) Is(target error) bool { return target == fs.ErrNotExist }

// Firmware is a set of kinds of firmware.
type Firmware uint8

// The kinds of firmware.
const (
	FirmwareBIOS Firmware = 1 << iota // of a PC, which starts the master boot record
	FirmwareUEFI                      // which starts a program in the EFI system partition
)

// String returns the set in words.
func (f Firmware) String() string {
	var names []string
	if f&FirmwareBIOS != 0 {
		names = append(names, "BIOS")
	}
	if f&FirmwareUEFI != 0 {
		names = append(names, "UEFI")
	}
	return strings.Join(names, " and ")
}
