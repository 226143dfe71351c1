package diskimage

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
)

// Sizes of a plain disk.
const (
	espSize    = 64 * MiB
	plainSpare = 512 * MiB
)

// labelRoot is the label of a plain disk's root, and of its partition.
const labelRoot = "root"

// Plain returns a disk that boots a root file system with its own kernel and
// initial ramdisk, on the firmware: FirmwareBIOS, FirmwareUEFI or both; 0 is
// both for amd64, and UEFI for others. The package comment describes the disk.
// Where there is a BIOS, [Build] fails unless the first partition stays where it is,
// and the root keeps its number.
//
// Plain looks through the tree to know how large the disk has to be; contents
// are not read before the disk is.
func Plain(ctx context.Context, tree fs.FS, firmware Firmware, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opPlain, opts)
	if err != nil {
		return nil, err
	}
	l, err := plain(ctx, tree, firmware, cfg)
	return l, cfg.wrap(err)
}

func plain(ctx context.Context, tree fs.FS, firmware Firmware, cfg *config) (*Layout, error) {
	s, err := newSource(cfg, tree)
	if err != nil {
		return nil, err
	}
	if firmware&^(FirmwareBIOS|FirmwareUEFI) != 0 {
		return nil, fmt.Errorf("unknown firmware %#x", uint8(firmware))
	}
	if firmware == 0 {
		firmware = FirmwareUEFI
		if s.arch == "amd64" {
			firmware |= FirmwareBIOS
		}
	}
	p, err := newPlain(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := p.addBoot(firmware); err != nil {
		return nil, err
	}
	if err := p.addRoot(); err != nil {
		return nil, err
	}
	cfg.log.LogAttrs(ctx, slog.LevelInfo, "plain disk laid out", slog.String("arch", s.arch), slog.Any("firmware", firmware))
	return p.layout, nil
}

// A plainSource is a plain disk in the making.
type plainSource struct {
	*source
	layout *Layout
	rootID GUID   // of the root partition
	fsID   GUID   // of its file system
	folder string // of GRUB in the root
	extra  []file // for the root
}

// newPlain decides on identifiers.
func newPlain(ctx context.Context, s *source) (*plainSource, error) {
	p := &plainSource{source: s, layout: &Layout{Size: s.cfg.size * MiB}, folder: "boot/grub"}
	files, err := s.listing(ctx)
	if err != nil {
		return nil, err
	}
	// A machine with two disks takes its root from the right one only if their
	// identifiers differ. So they are made of all that makes a disk another, but for
	// the contents of files, which would have to be read; see WithRand.
	seed := fmt.Sprintf("plain %s %s %s %s %x %q", s.arch, s.title, s.boot.Kernel, s.boot.Version, files, s.cfg.cloudConfig)
	if p.layout.ID, err = s.cfg.identifier(urlSpace(), seed); err != nil {
		return nil, err
	}
	if p.rootID, err = s.cfg.identifier(p.layout.ID, labelRoot); err != nil {
		return nil, err
	}
	if p.fsID, err = s.cfg.identifier(p.layout.ID, "file system"); err != nil {
		return nil, err
	}
	// Fedora and openSUSE call it so.
	if info, err := fs.Stat(s.tree, "boot/grub2"); err == nil && info.IsDir() {
		p.folder = "boot/grub2"
	}
	return p, nil
}

// addBoot adds what the firmware starts from.
func (p *plainSource) addBoot(firmware Firmware) error {
	found, err := p.loaders(firmware)
	if err != nil {
		return err
	}
	number := 2 // of the root
	if firmware == FirmwareBIOS|FirmwareUEFI {
		number = 3
	}
	if firmware&FirmwareBIOS != 0 {
		boot, code, err := biosBoot(found.BIOS, fmt.Sprintf("(,gpt%d)/%s", number, p.folder))
		if err != nil {
			return err
		}
		if p.extra, err = modules(found.BIOS, p.folder); err != nil {
			return err
		}
		p.layout.Boot = code
		p.layout.Partitions = append(p.layout.Partitions, boot)
	}
	if firmware&FirmwareUEFI != 0 {
		tree, err := p.esp(found.EFI, p.stub())
		if err != nil {
			return err
		}
		p.layout.Partitions = append(p.layout.Partitions, Partition{
			Label: "efi", Type: TypeEFI(), Attributes: Required, Size: espSize, Content: FAT("EFI", tree, WithTime(p.cfg.time)),
		})
	}
	return nil
}

// addRoot adds the root file system, which takes what is left of the disk.
func (p *plainSource) addRoot() error {
	tree, err := p.withFiles([]string{"run", "dev", "boot", "proc", "sys", "tmp"}, p.allFiles()...)
	if err != nil {
		return err
	}
	spare := p.cfg.spare
	if spare == unset {
		spare = 0
		if p.layout.Size == 0 {
			spare = plainSpare
		}
	}
	content := Ext4(labelRoot, tree, WithTime(p.cfg.time), WithUUID(p.fsID), WithSpare(spare))
	if len(p.layout.Boot) > 0 {
		content = bound{Content: content, number: len(p.layout.Partitions) + 1}
	}
	p.layout.Partitions = append(p.layout.Partitions, Partition{
		Label: labelRoot, Type: TypeRoot(p.arch), ID: p.rootID, Attributes: GrowFileSystem, Size: Rest, Content: content,
	})
	return nil
}
