package diskimage

import (
	"bytes"
	"io/fs"
	"path"
	"strings"

	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/grub"
)

// biosStart is where the BIOS boot partition of a preset starts, in bytes: its
// content has to know.
const biosStart = MiB

// biosBoot returns the BIOS boot partition with GRUB's core image, which looks
// for its configuration in prefix, and the boot code that loads it.
func biosBoot(bios fs.FS, prefix string) (Partition, []byte, error) {
	core, err := grub.DiskCore(bios, prefix, grub.DiskModules(), biosStart/sectorSize)
	if err != nil {
		return Partition{}, nil, err
	}
	code, err := grub.DiskMBR(bios, biosStart/sectorSize)
	return Partition{
		Label: "bios", Type: TypeBIOSBoot(), Attributes: Required | LegacyBIOS,
		Size: MiB, Start: biosStart, Content: Raw(bytes.NewReader(core)),
	}, code, err
}

// esp returns the tree of an EFI system partition, whose GRUB has the
// configuration. Shim is there by its own name as well.
func (s *source) esp(efi *bootloader.EFI, config string) (fs.FS, error) {
	tree, err := efi.Tree([]byte(config))
	if err != nil || efi.Shim == "" {
		return tree, err
	}
	name, _, _ := strings.Cut(strings.ToLower(path.Base(efi.Shim)), ".efi")
	name = "EFI/BOOT/" + name + ".efi"
	if _, err := fs.Stat(tree, name); err == nil {
		return tree, nil
	}
	shim, err := readSmall(efi.FS, efi.Shim)
	if err != nil {
		return nil, err
	}
	more, err := s.files(file{name, 0o644, shim})
	if err != nil {
		return nil, err
	}
	return stacked([]fs.FS{tree, more})
}
