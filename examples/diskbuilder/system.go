package main

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/boottree"
)

// A system is what a disk boots: trees that are laid over each other, the top one
// first.
type system []fs.FS

// newSystem returns the system of a source and what is laid over it.
func newSystem(tree fs.FS, overlays []fs.FS) system {
	s := append(system{tree}, overlays...)
	slices.Reverse(s)
	return s
}

// isKairos reports whether it can be a Kairos's recovery system.
func (s system) isKairos() bool {
	return slices.ContainsFunc(s, func(tree fs.FS) bool {
		_, err := fs.Stat(tree, "etc/cos/grub.cfg")
		return err == nil
	})
}

// release returns what it says of itself.
func (s system) release() *artifacts.Release {
	for _, tree := range s {
		if release, err := artifacts.ReadRelease(tree); err == nil {
			return release
		}
	}
	return new(artifacts.Release)
}

// name returns the name of a disk, without what says its format.
func (s system) name() string {
	name := s.release().Name
	if name != "" && s.isKairos() {
		return "kairos-" + name
	}
	return cmp.Or(name, "disk")
}

// arch returns what its kernel is for, by Go's names.
func (s system) arch() string {
	for _, tree := range s {
		if boot, err := boottree.FindBoot(tree); err == nil {
			if arch, err := boottree.KernelArch(tree, boot.Kernel); err == nil && arch != "" {
				return arch
			}
		}
	}
	return cmp.Or(s.release().Arch, "amd64")
}
