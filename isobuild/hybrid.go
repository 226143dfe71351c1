package isobuild

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"time"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

const (
	catalogName  = "boot/boot.catalog"
	eltoritoName = "boot/eltorito.img"
	hybridName   = "boot/boot_hybrid.img"

	// menuFolder is where GRUB finds its menu, in every image.
	menuFolder = "/boot/grub2"

	// eltoritoSectors is how much of GRUB's image the BIOS loads, in units of
	// 512 bytes: GRUB loads the rest.
	eltoritoSectors = 4
	// espUnit is what the size of an EFI system partition is a multiple of, in
	// bytes. Rounding up leaves some room, which firmware that counts
	// generously wants.
	espUnit  = 4 << 20
	espLabel = "EFI_LIVE"
)

// biosBoot is what makes an image boot on a BIOS, as a CD and as a disk.
type biosBoot struct {
	modules  fs.FS
	eltorito []byte
	node     *isomaster.Node // of eltorito
	mbr      []byte
}

// addCatalog makes the file that shows the boot catalogue.
func (l *layout) addCatalog() error {
	if l.volume.CatalogBlock != 0 {
		return nil
	}
	node, err := l.addApart(catalogName)
	if err != nil {
		return err
	}
	block, err := l.take(blockSize)
	l.volume.CatalogBlock = block
	node.Extents = []iso9660.Extent{{Block: block, Size: blockSize}}
	return err
}

// addBIOS makes the image boot on a BIOS, by GRUB composed of its folder
// i386-pc, which reads /boot/grub2/grub.cfg. It has to come before addESP.
func (l *layout) addBIOS(modules fs.FS, names []string) error {
	b := &biosBoot{modules: modules}
	var err error
	if b.eltorito, err = grub.ElTorito(modules, menuFolder, names); err != nil {
		return err
	}
	if err := l.addCatalog(); err != nil {
		return err
	}
	if b.node, err = l.addApart(eltoritoName); err != nil {
		return err
	}
	if code, err := fs.ReadFile(modules, "boot_hybrid.img"); err != nil {
		return err
	} else if err := l.addBytes(hybridName, code); err != nil {
		return err
	}
	l.bios = b
	return nil
}

// place places GRUB's image, and tells it and the boot code where it lies.
func (b *biosBoot) place(l *layout) error {
	block := l.next
	if err := grub.Place(b.eltorito, block); err != nil {
		return err
	}
	var err error
	if b.mbr, err = grub.HybridMBR(b.modules, block); err != nil {
		return err
	}
	if err := l.putApart(b.node, b.eltorito); err != nil {
		return err
	}
	// The entry of the BIOS is the default one: old BIOSes look at no other.
	l.volume.Boot = append([]iso9660.BootEntry{{
		Platform: iso9660.PlatformBIOS, Bootable: true, Sectors: eltoritoSectors, Block: block,
	}}, l.volume.Boot...)
	return nil
}

// addESP makes the image boot on UEFI: tree is what the EFI system partition
// holds.
func (l *layout) addESP(ctx context.Context, tree fs.FS) error {
	v := fat.Volume{Label: espLabel, Time: l.at, Serial: uint32(l.at.Unix())}
	fits, err := fat.New(ctx, tree, v)
	if err != nil {
		return err
	}
	v.Size = (fits.Size()/espUnit + 1) * espUnit
	if l.esp, err = fat.New(ctx, tree, v); err != nil {
		return err
	}
	if err := l.addCatalog(); err != nil {
		return err
	}
	node, err := l.addApart(espName)
	if err != nil {
		return err
	}
	node.Outside = true
	entry := iso9660.BootEntry{Platform: iso9660.PlatformEFI, Bootable: true}
	// What does not fit into 16 bits is 0, which stands for all up to the end
	// (UEFI 2.10 §13.3.2.1).
	if n := v.Size / gpt.SectorSize; n <= 0xFFFF {
		entry.Sectors = uint16(n)
	}
	l.volume.Boot = append(l.volume.Boot, entry)
	return nil
}

// id returns an identifier of a disk or partition: the same for the same
// image, and hardly ever the same for two others.
func (l *layout) id(size int64, what string) gpt.GUID {
	sum := sha256.Sum256(fmt.Appendf(nil, "netbootkit image\n%s\n%s\n%d\n%s\n",
		l.volume.ID, l.at.UTC().Format(time.RFC3339Nano), size, what))
	var g gpt.GUID
	copy(g[:], sum[:])
	g[6], g[8] = g[6]&0x0F|0x80, g[8]&0x3F|0x80 // version 8, made by its user (RFC 9562 §5.8)
	return g
}
