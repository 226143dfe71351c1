package grub

import (
	"errors"
	"io/fs"
)

var errNotYet = errors.New("grub: not yet")

// ElTorito returns GRUB's image for booting from a CD without emulation.
func ElTorito(modules fs.FS, prefix string, names []string) ([]byte, error) { return nil, errNotYet }

// Place fills in where the image that ElTorito made lies.
func Place(eltorito []byte, block uint32) error { return errNotYet }

// HybridMBR returns the 440 bytes of boot code for an ISO on a disk.
func HybridMBR(modules fs.FS, eltoritoBlock uint32) ([]byte, error) { return nil, errNotYet }

// DiskCore returns the contents of a BIOS boot partition at sector.
func DiskCore(modules fs.FS, prefix string, names []string, sector uint64) ([]byte, error) {
	return nil, errNotYet
}

// DiskMBR returns the 440 bytes of boot code that load a DiskCore from sector.
func DiskMBR(modules fs.FS, sector uint64) ([]byte, error) { return nil, errNotYet }

// ISOModules returns the modules for a live ISO.
func ISOModules() []string { return nil }

// DiskModules returns the modules for a disk.
func DiskModules() []string { return nil }
