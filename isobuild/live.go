package isobuild

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/netbootkit/netbootkit/internal/boottree"
	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/overlay"
)

// Files of a live image.
const (
	kernelName = "boot/kernel"
	initrdName = "boot/initrd"
	menuName   = "boot/grub2/grub.cfg"
	configName = "config.yaml"
)

// A live is a live image all of which has its place, but for its root file
// system and what comes behind that.
type live struct {
	*layout
	root     fs.FS
	arch     string
	squashfs *isomaster.Node
}

// newLive plans the image of a root file system.
func newLive(ctx context.Context, cfg *config, root fs.FS) (*live, error) {
	if err := checkLabel(cfg.volumeID); err != nil {
		return nil, err
	}
	l, err := newLayout(cfg)
	if err != nil {
		return nil, err
	}
	v := &live{layout: l, root: root}
	boot, err := boottree.FindBoot(root)
	if err != nil {
		return nil, err
	}
	if v.arch, err = v.findArch(boot.Kernel); err != nil {
		return nil, err
	}
	for _, tree := range cfg.files {
		if err := v.addTree(tree); err != nil {
			return nil, err
		}
	}
	if err := v.addCopy(kernelName, root, boot.Kernel); err != nil {
		return nil, err
	}
	if err := v.addCopy(initrdName, root, boot.Initrd); err != nil {
		return nil, err
	}
	if err := v.addLoaders(ctx); err != nil {
		return nil, err
	}
	if err := v.addTexts(); err != nil {
		return nil, err
	}
	if v.squashfs, err = v.addApart(squashfsName); err != nil {
		return nil, err
	}
	return v, v.place(ctx)
}

// findArch returns what the root file system is for.
func (v *live) findArch(kernel string) (string, error) {
	if v.cfg.arch != "" {
		return v.cfg.arch, nil
	}
	arch, err := boottree.KernelArch(v.root, kernel)
	if arch != "" || err != nil {
		return arch, err
	}
	if release, err := boottree.ReadRelease(v.root); err == nil && release.Arch != "" {
		return release.Arch, nil
	}
	return "", fmt.Errorf("%s: does not say which architecture it is for, and neither does /etc/os-release: WithArch can", kernel)
}

// addLoaders adds what boots the image.
func (v *live) addLoaders(ctx context.Context) error {
	firmware, found, err := v.cfg.findLoaders(v.root, v.arch)
	if err != nil {
		return err
	}
	if firmware&BIOS != 0 {
		if err := v.addBIOS(found.BIOS, grub.ISOModules()); err != nil {
			return err
		}
	}
	if firmware&UEFI == 0 {
		return nil
	}
	esp, err := found.EFI.Tree(nil)
	if err != nil {
		return err
	}
	if err := v.addESP(ctx, esp); err != nil {
		return err
	}
	return v.addStubs(esp)
}

// addStubs shows the texts of the EFI system partition in the image as well:
// GRUB looks for them at the device it was loaded from, and firmware can have
// loaded it from either.
func (v *live) addStubs(esp fs.FS) error {
	return fs.WalkDir(esp, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || v.files.Has(name) {
			return err
		}
		if ext := path.Ext(name); ext == ".cfg" || ext == ".nsh" {
			return v.addCopy(name, esp, name)
		}
		return nil
	})
}

// addTexts adds the menu and the cloud config, unless the caller's files
// have their own.
func (v *live) addTexts() error {
	if !v.files.Has(menuName) {
		if err := v.addBytes(menuName, v.menu().config()); err != nil {
			return err
		}
	}
	if v.cfg.cloudConfig == nil || v.files.Has(configName) {
		return nil
	}
	return v.addBytes(configName, v.cfg.cloudConfig)
}

// menu returns the menu of the system that the root file system is.
func (v *live) menu() *menu {
	m := &menu{
		title: "Kairos", kairos: true, volumeID: v.cfg.volumeID, arch: v.arch,
		consoles: v.cfg.consoles, extra: v.cfg.words,
	}
	if release, err := boottree.ReadRelease(v.root); err == nil && !isKairos(v.root, release) {
		m.kairos = false
		if m.title = release.Title; m.title == "" {
			m.title = "Live system"
		}
	}
	return m
}

// isKairos says whether a root file system is a Kairos: it has kairos-release,
// or, up to version 3.0, such values in os-release.
func isKairos(root fs.FS, release *boottree.Release) bool {
	if _, err := fs.Stat(root, "etc/kairos-release"); err == nil {
		return true
	}
	_, ok := release.Values["KAIROS_NAME"]
	return ok
}

// rootWith returns the root file system with all that has to be laid over it,
// or as it is if that is nothing.
func (c *config) rootWith(root fs.FS) (fs.FS, error) {
	var missing []string
	for _, name := range mountPoints() {
		if info, err := fs.Stat(root, name); err != nil || !info.IsDir() {
			missing = append(missing, name)
		}
	}
	if len(c.rootFiles)+len(missing) == 0 {
		return root, nil
	}
	b := overlay.New()
	for _, tree := range append([]fs.FS{root}, c.rootFiles...) {
		if err := b.AddTree(tree); err != nil {
			return nil, err
		}
	}
	for _, name := range missing {
		mode := int64(0o755)
		if name == "tmp" {
			mode = 0o1777
		}
		if err := b.AddDir(name, mode, c.when()); err != nil {
			return nil, err
		}
	}
	return b.Tree(), nil
}

// mountPoints are the directories without which a live system does not start:
// the root file system is read-only, so that nothing can make them later.
func mountPoints() []string {
	return []string{"run", "dev", "boot", "usr/local", "oem", "proc", "sys", "tmp"}
}
