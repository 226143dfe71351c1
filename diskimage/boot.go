package diskimage

import (
	"bytes"
	"fmt"
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
		Size: MiB, Start: biosStart, Content: bound{Content: Raw(bytes.NewReader(core)), start: biosStart},
	}, code, err
}

// A bound content has to stay where the boot code looks for it: GRUB's core image
// at its start, GRUB's files in the partition of a number.
type bound struct {
	Content

	start  int64 // in bytes; 0 is any
	number int   // 0 is any
}

// checkBound fails when the boot code would not find what is in partition i.
func (l *Layout) checkBound(i int) error {
	p := &l.Partitions[i]
	c, ok := p.Content.(bound)
	if ok && len(l.Boot) > 0 {
		if c.start > 0 && c.start != p.Start {
			return fmt.Errorf("the boot code looks for it at %d: start it there, or take Boot out of the layout", c.start)
		}
		if c.number > 0 && (c.number != i+1 || l.MBR) {
			return fmt.Errorf("the boot code looks for it in partition %d of a GPT: put others behind it, or take Boot out of the layout", c.number)
		}
	}
	return nil
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
