package bootloader

import (
	"errors"
	"io/fs"
)

var errNotYet = errors.New("bootloader: not yet")

// Loaders are what was found.
type Loaders struct {
	EFI      *EFI   // nil if there is none
	BIOS     fs.FS  // GRUB's i386-pc folder; nil if there is none
	BIOSFrom string // where that is, for messages
}

// EFI is a boot loader for UEFI.
type EFI struct {
	Arch       string // as GOARCH
	Shim       string // paths in FS; "" if there is none
	Grub       string
	MokManager string // "" if there is none
	GrubName   string // what GRUB is called in the ESP: grubx64.efi
	BootName   string // what firmware starts: bootx64.efi
	Signed     bool   // GRUB's file carries a signature
	FS         fs.FS
}

// Find returns the boot loaders in tree.
func Find(tree fs.FS, arch string) (*Loaders, error) { return nil, errNotYet }

// Tree returns the contents of an ESP. A nil config is the stub that Config returns.
func (e *EFI) Tree(config []byte) (fs.FS, error) { return nil, errNotYet }

// Config returns the stub that goes on with /boot/grub2/grub.cfg of the file
// system that has /boot/kernel.
func Config() []byte { return nil }
