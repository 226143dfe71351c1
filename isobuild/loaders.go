package isobuild

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/overlay"
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
// places of [WithLoaders] for what boots an image. Each part is the first found.
func (c *config) findLoaders(root fs.FS, arch string) (Firmware, *bootloader.Loaders, error) {
	firmware, err := c.wanted(arch)
	if err != nil {
		return 0, nil, err
	}
	places := c.loaders
	if root != nil {
		places = append([][]fs.FS{{root}}, places...)
	}
	found := new(bootloader.Loaders)
	for _, trees := range places {
		place, err := united(trees)
		if err != nil {
			return 0, nil, err
		}
		l, err := bootloader.Find(place, arch)
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
	missing := func(f Firmware, what, packages string) {
		errs = append(errs, &LoaderError{Firmware: f, Arch: arch, what: what, packages: packages, root: root != nil, places: len(c.loaders)})
	}
	if firmware&BIOS != 0 && found.BIOS == nil {
		missing(BIOS, "GRUB's folder i386-pc", "grub-pc-bin")
	}
	if firmware&UEFI != 0 && found.EFI == nil {
		missing(UEFI, "GRUB for UEFI on "+arch, "grub-efi-"+arch+"-signed and shim-signed")
	}
	return firmware, found, errors.Join(errs...)
}

// united returns trees as one, the first on top.
func united(trees []fs.FS) (fs.FS, error) {
	if len(trees) == 1 {
		return trees[0], nil
	}
	b := overlay.New()
	for _, tree := range slices.Backward(trees) {
		if err := b.AddTree(tree); err != nil {
			return nil, err
		}
	}
	return b.Tree(), nil
}

// A LoaderError says that a boot loader is missing, and what helps. It comes
// before anything is written, and matches [fs.ErrNotExist].
type LoaderError struct {
	Firmware Firmware // what it would have started from: BIOS or UEFI
	Arch     string   // what it would have been for, by Go's names

	what     string
	packages string // of Debian
	root     bool   // whether the root file system was searched
	places   int    // how many others were
}

// Error implements the error interface.
func (e *LoaderError) Error() string {
	where := fmt.Sprintf("in %d places of WithLoaders", e.places)
	if e.root {
		where = "in the root file system and " + where
	}
	return fmt.Sprintf("no boot loader for %v: searched %s for %s: add a tree that has it, such as Debian's %s, or ask for other firmware with WithFirmware",
		e.Firmware, where, e.what, e.packages)
}

// Is matches [fs.ErrNotExist].
func (e *LoaderError) Is(target error) bool { return target == fs.ErrNotExist }
