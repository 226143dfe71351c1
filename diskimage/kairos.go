package diskimage

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// What Kairos finds its disk by.
const (
	labelGRUB       = "COS_GRUB"
	labelOEM        = "COS_OEM"
	labelRecovery   = "COS_RECOVERY"
	labelSystem     = "COS_SYSTEM"
	labelState      = "COS_STATE"
	labelPersistent = "COS_PERSISTENT"

	kairosDisk   = "KAIROS_DISK"
	biosRecovery = 3 // the number of the recovery partition
	recoveryName = "cOS/recovery.img"
	menuName     = "etc/cos/grub.cfg"
)

// Sizes of a Kairos's disk, in MiB.
const (
	grubSize        = 64
	oemSize         = 64
	treeSpare       = 100 // what the tree needs besides its files
	recoverySpare   = 200 // what stays free in recovery.img
	partitionSpare  = 150 // what stays free in its partition, besides one more recovery.img
	stateSpare      = 100
	leastPersistent = 64
)

// EFI returns the disk of a Kairos for UEFI, as the package comment describes
// it, of its root file system. It looks through the tree to know how large
// the disk has to be; contents are not read before the disk is.
func EFI(ctx context.Context, tree fs.FS, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opEFI, opts)
	if err != nil {
		return nil, err
	}
	l, err := kairos(ctx, tree, cfg)
	return l, cfg.wrap(err)
}

// BIOS returns the disk of a Kairos for the BIOS of a PC; otherwise it is like
// [EFI]. The boot code refers to where the first partition is, and to the number of
// the recovery partition, so [Build] fails unless both stay as they are.
func BIOS(ctx context.Context, tree fs.FS, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opBIOS, opts)
	if err != nil {
		return nil, err
	}
	l, err := kairos(ctx, tree, cfg)
	return l, cfg.wrap(err)
}

// A kairosSource is the disk of a Kairos in the making.
type kairosSource struct {
	*source
	layout   *Layout
	sizes    kairosSizes
	recovery []file // for the recovery partition
}

func kairos(ctx context.Context, tree fs.FS, cfg *config) (*Layout, error) {
	s, err := newSource(cfg, tree)
	if err != nil {
		return nil, err
	}
	k := &kairosSource{source: s, layout: &Layout{Size: cfg.size * MiB}}
	if k.layout.ID, err = cfg.kairosID(kairosDisk); err != nil {
		return nil, err
	}
	menu, err := readSmall(s.tree, menuName)
	if err != nil {
		return nil, &Error{Path: menuName, Err: fmt.Errorf("a Kairos has it, to boot its disks with: %w", err)}
	}
	k.recovery = []file{{menuName, 0o644, menu}}
	if err := k.addBoot(); err != nil {
		return nil, err
	}
	root, err := s.withFiles([]string{"run", "dev", "boot", "usr/local", "oem", "proc", "sys", "tmp"})
	if err != nil {
		return nil, err
	}
	if k.sizes, err = k.measure(ctx, root); err != nil {
		return nil, err
	}
	if err := k.addOEM(); err != nil {
		return nil, err
	}
	if err := k.addRecovery(ctx, root); err != nil {
		return nil, err
	}
	if err := k.checkGrown(); err != nil {
		return nil, err
	}
	cfg.log.LogAttrs(ctx, slog.LevelInfo, "kairos disk laid out", slog.String("arch", s.arch),
		slog.Int64("recovery_mib", k.sizes.image), slog.Int64("state_mib", k.sizes.state))
	return k.layout, nil
}

// kairosID returns the identifier that every disk of a Kairos has for a name,
// or one that is drawn.
func (c *config) kairosID(name string) (GUID, error) { return c.identifier(urlSpace(), name) }

// addPartition adds a partition, whose identifier is made of the label of its
// file system.
func (k *kairosSource) addPartition(label string, p Partition) error {
	var err error
	p.ID, err = k.cfg.kairosID(label)
	k.layout.Partitions = append(k.layout.Partitions, p)
	return err
}

// addBoot adds what the firmware starts from.
func (k *kairosSource) addBoot() error {
	if k.cfg.op == opBIOS {
		return k.addBIOS()
	}
	found, err := k.loaders(FirmwareUEFI)
	if err != nil {
		return err
	}
	tree, err := k.esp(found.EFI, kairosStub)
	if err != nil {
		return err
	}
	content := FAT(labelGRUB, tree, WithTime(k.cfg.time))
	return k.addPartition(labelGRUB, Partition{Label: "efi", Type: TypeEFI(), Attributes: Required, Size: grubSize * MiB, Content: content})
}

func (k *kairosSource) addBIOS() error {
	const folder = "grub2"
	found, err := k.loaders(FirmwareBIOS)
	if err != nil {
		return err
	}
	p, code, err := biosBoot(found.BIOS, fmt.Sprintf("(,gpt%d)/%s", biosRecovery, folder))
	if err != nil {
		return err
	}
	more, err := modules(found.BIOS, folder)
	if err != nil {
		return err
	}
	k.layout.Boot = code
	k.recovery = append(append(k.recovery, more...), file{folder + "/grub.cfg", 0o644, []byte(kairosStub)})
	return k.addPartition(labelGRUB, p)
}

// kairosSizes are sizes in MiB.
type kairosSizes struct {
	image     int64 // of recovery.img
	partition int64 // of what it is in
	state     int64 // of COS_STATE
}

// measure decides on sizes.
func (k *kairosSource) measure(ctx context.Context, root fs.FS) (kairosSizes, error) {
	files, err := treefs.DataSize(ctx, k.tree)
	if err != nil {
		return kairosSizes{}, err
	}
	need, err := ext.MinSize(ctx, root, k.system(0))
	if err != nil {
		return kairosSizes{}, err
	}
	need = alignUp(need, MiB)
	s := kairosSizes{image: k.cfg.recovery, state: k.cfg.state}
	if s.image == 0 {
		s.image = max(alignUp(files, MiB), need-treeSpare*MiB)/MiB + treeSpare + recoverySpare
	}
	if s.image*MiB < need {
		return s, &SizeError{What: recoveryName, Size: s.image * MiB, Need: need, Hint: "WithRecoverySize sets its size"}
	}
	s.partition = 2*s.image + partitionSpare
	if s.state == 0 {
		s.state = 3*s.partition + stateSpare
	}
	if least := 2 * need; s.state*MiB < least {
		return s, &SizeError{What: labelState, Size: s.state * MiB, Need: least, Hint: "WithStateSize sets its size, and the system is there twice"}
	}
	return s, nil
}

// system returns the file system of recovery.img.
func (k *kairosSource) system(mib int64) ext.Volume {
	id := named(urlSpace(), "ext2 "+labelSystem)
	return ext.Volume{Label: labelSystem, UUID: id, Time: k.cfg.time, Size: mib * MiB, Version: 2}
}

// addOEM adds the partition with what the first boot reads.
func (k *kairosSource) addOEM() error {
	files := []file{
		{"01_reset.yaml", 0o644, resetConfig(k.sizes.state)},
		{"grubenv", 0o644, grubEnvironment("next_entry=recovery")},
	}
	if len(k.cfg.cloudConfig) > 0 {
		files = append(files, file{"90_custom.yaml", 0o600, k.cfg.cloudConfig})
	}
	tree, err := k.files(files...)
	if err != nil {
		return err
	}
	return k.addPartition(labelOEM, Partition{Label: "oem", Size: oemSize * MiB, Content: Ext2(labelOEM, tree, WithTime(k.cfg.time))})
}

// addRecovery adds the partition with the system itself: a file system in a
// file of a file system.
func (k *kairosSource) addRecovery(ctx context.Context, root fs.FS) error {
	image, err := ext.New(ctx, root, k.system(k.sizes.image))
	if err != nil {
		return err
	}
	b := overlay.New()
	if err := b.AddDir(".", 0o755, k.cfg.time); err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: recoveryName, Mode: 0o644, Size: image.Size(), ModTime: k.cfg.time}
	if err := b.AddFile(h, image); err != nil {
		return err
	}
	tree, err := k.add(b, k.recovery)
	if err != nil {
		return err
	}
	content := Ext2(labelRecovery, tree, WithTime(k.cfg.time))
	if k.cfg.op == opBIOS {
		content = bound{Content: content, number: biosRecovery}
	}
	return k.addPartition(labelRecovery, Partition{Label: "recovery", Size: k.sizes.partition * MiB, Content: content})
}

// checkGrown fails when the first boot would find no room for the partitions
// that it adds.
func (k *kairosSource) checkGrown() error {
	if k.layout.Size == 0 {
		return nil
	}
	need := int64(2 * MiB) // for the tables
	for _, p := range k.layout.Partitions {
		need += p.Size
	}
	if need += (k.sizes.state + leastPersistent) * MiB; k.layout.Size < need {
		return &SizeError{What: "the disk", Size: k.layout.Size, Need: need, Hint: fmt.Sprintf(
			"the first boot adds %s of %d MiB, which WithStateSize changes, and %s", labelState, k.sizes.state, labelPersistent)}
	}
	return nil
}
