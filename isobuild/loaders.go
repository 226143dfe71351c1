package isobuild

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/bootloader"
)

// wanted returns the firmware that an image of an architecture must boot on.
func (c *config) wanted(arch string) (Firmware, error) {
	switch {
	case c.firmware == 0 && arch == "amd64":
		return BIOS | UEFI, nil
	case c.firmware == 0:
		return UEFI, nil
	case c.firmware&BIOS != 0 && arch != "amd64":
		return 0, fmt.Errorf("a machine of architecture %s has no BIOS", arch)
	}
	return c.firmware, nil
}

// findLoaders searches the root file system, if there is one, and then the
// trees of [WithLoaders] for what boots an image. Each part is the first found.
func (c *config) findLoaders(root fs.FS, arch string) (Firmware, *bootloader.Loaders, error) {
	firmware, err := c.wanted(arch)
	if err != nil {
		return 0, nil, err
	}
	trees := c.loaders
	if root != nil {
		trees = append([]fs.FS{root}, trees...)
	}
	found := new(bootloader.Loaders)
	for _, tree := range trees {
		l, err := bootloader.Find(tree, arch)
		if err != nil {
			return 0, nil, err
		}
		if found.EFI == nil {
			found.EFI = l.EFI
		}
		if found.BIOS == nil {
			found.BIOS, found.BIOSFrom = l.BIOS, l.BIOSFrom
		}
	}
	var errs []error
	if firmware&BIOS != 0 && found.BIOS == nil {
		errs = append(errs, &loaderError{BIOS, "GRUB's folder i386-pc", "grub-pc-bin", root != nil, len(c.loaders)})
	}
	if firmware&UEFI != 0 && found.EFI == nil {
		errs = append(errs, &loaderError{UEFI, "GRUB for UEFI on " + arch, "grub-efi-" + arch + "-signed and shim-signed", root != nil, len(c.loaders)})
	}
	return firmware, found, errors.Join(errs...)
}

// A loaderError says that a boot loader is missing, and what helps.
type loaderError struct {
	firmware Firmware
	what     string
	packages string // of Debian
	root     bool   // whether the root file system was searched
	trees    int    // how many others were
}

// Error implements the error interface.
func (e *loaderError) Error() string {
	where := fmt.Sprintf("in %d trees of WithLoaders", e.trees)
	if e.root {
		where = "in the root file system and " + where
	}
	return fmt.Sprintf("no boot loader for %v: searched %s for %s: add a tree that has it, such as Debian's %s, or ask for other firmware with WithFirmware",
		e.firmware, where, e.what, e.packages)
}

// Is matches [fs.ErrNotExist].
func (e *loaderError) Is(target error) bool { return target == fs.ErrNotExist }
