package diskimage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/boottree"
	"github.com/netbootkit/netbootkit/internal/overlay"
)

// A source is the tree that a disk is made of, and what it says of itself.
type source struct {
	cfg   *config
	tree  fs.FS // as it was given
	boot  *boottree.Boot
	title string // for people
	arch  string
}

// newSource looks into a tree.
func newSource(cfg *config, tree fs.FS) (*source, error) {
	if tree == nil {
		return nil, errors.New("file tree is nil")
	}
	s := &source{cfg: cfg, tree: tree, title: "Linux", arch: cfg.arch}
	if len(cfg.rootFiles) > 0 {
		var err error
		if s.tree, err = stacked(append([]fs.FS{tree}, cfg.rootFiles...)); err != nil {
			return nil, err
		}
	}
	var err error
	if s.boot, err = boottree.FindBoot(s.tree); err != nil {
		return nil, err
	}
	release, err := boottree.ReadRelease(s.tree)
	if err != nil {
		release = new(boottree.Release) // It is asked for what the tree need not say.
	}
	if release.Title != "" {
		s.title = release.Title
	}
	if s.arch == "" {
		if s.arch, err = boottree.KernelArch(s.tree, s.boot.Kernel); err != nil {
			return nil, err
		}
	}
	if s.arch == "" {
		s.arch = release.Arch
	}
	if s.arch == "" {
		return nil, &Error{Path: s.boot.Kernel, Err: errors.New("does not say which architecture it is for, and neither does etc/os-release: WithArch can")}
	}
	return s, nil
}

// stacked returns trees as one, the last on top.
func stacked(trees []fs.FS) (fs.FS, error) {
	if len(trees) == 1 {
		return trees[0], nil
	}
	b := overlay.New()
	for _, tree := range trees {
		if err := b.AddTree(tree); err != nil {
			return nil, err
		}
	}
	return b.Tree(), nil
}

// withFiles returns the tree with the folders that a system needs before anything
// can make them, and with files of ours.
func (s *source) withFiles(folders []string, files ...file) (fs.FS, error) {
	b := overlay.New()
	if err := b.AddTree(s.tree); err != nil {
		return nil, err
	}
	for _, name := range folders {
		mode := int64(0o755)
		if name == "tmp" {
			mode = 0o1777
		}
		if err := b.AddDir(name, mode, s.cfg.time); err != nil {
			return nil, err
		}
	}
	return s.add(b, files)
}

// A file is one that we add to a tree; it belongs to root.
type file struct {
	name string
	mode int64
	data []byte
}

// files returns a tree of nothing but files of ours.
func (s *source) files(files ...file) (fs.FS, error) {
	b := overlay.New()
	if err := b.AddDir(".", 0o755, s.cfg.time); err != nil {
		return nil, err
	}
	return s.add(b, files)
}

func (s *source) add(b *overlay.Builder, files []file) (fs.FS, error) {
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: s.cfg.time}
		if err := b.AddFile(h, bytes.NewReader(f.data)); err != nil {
			return nil, err
		}
	}
	return b.Tree(), nil
}

// listing returns a digest of the names and sizes of all regular files.
func (s *source) listing(ctx context.Context) ([]byte, error) {
	sum := sha256.New()
	err := fs.WalkDir(s.tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintf(sum, "%q %d\n", name, info.Size())
		}
		return err
	})
	return sum.Sum(nil), err
}

// loaders searches the tree, and then the places of [WithLoaders], for what
// boots the firmware. Each part is the first found.
func (s *source) loaders(firmware Firmware) (*bootloader.Loaders, error) {
	found := new(bootloader.Loaders)
	for _, trees := range append([][]fs.FS{{s.tree}}, s.cfg.loaders...) {
		trees = slices.Clone(trees)
		slices.Reverse(trees) // The first one is on top.
		place, err := stacked(trees)
		if err != nil {
			return nil, err
		}
		l, err := bootloader.Find(place, s.arch)
		if err != nil {
			return nil, err
		}
		if found.EFI == nil {
			found.EFI = l.EFI
		}
		if found.BIOS == nil {
			found.BIOS = l.BIOS
		}
	}
	var errs []error
	missing := func(f Firmware, what, packages string) {
		errs = append(errs, &LoaderError{Firmware: f, Arch: s.arch, what: what, packages: packages, places: len(s.cfg.loaders)})
	}
	if firmware&FirmwareBIOS != 0 && s.arch != "amd64" {
		return nil, fmt.Errorf("a machine of architecture %s has no BIOS", s.arch)
	}
	if firmware&FirmwareBIOS != 0 && found.BIOS == nil {
		missing(FirmwareBIOS, "GRUB's folder i386-pc", "grub-pc-bin")
	}
	if firmware&FirmwareUEFI != 0 && found.EFI == nil {
		missing(FirmwareUEFI, "GRUB for UEFI on "+s.arch, "grub-efi-"+s.arch+"-signed and shim-signed")
	}
	return found, errors.Join(errs...)
}

// modules returns GRUB's modules for a BIOS as files below a folder, from which
// its configuration can load more than its core image has.
func modules(bios fs.FS, folder string) ([]file, error) {
	entries, err := fs.ReadDir(bios, ".")
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".mod") || strings.HasSuffix(name, ".lst") {
			data, err := readSmall(bios, name)
			if err != nil {
				return nil, err
			}
			files = append(files, file{folder + "/i386-pc/" + name, 0o644, data})
		}
	}
	return files, nil
}

// maxSmall is the size of the largest file that is held in memory, in bytes.
const maxSmall = 32 << 20

// readSmall returns the content of a file.
func readSmall(tree fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(tree, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSmall {
		return nil, &Error{Path: name, Err: fmt.Errorf("has %d bytes, at most %d are taken", info.Size(), maxSmall)}
	}
	return fs.ReadFile(tree, name)
}
