package artifacts

import (
	"fmt"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/boottree"
)

// A Boot says what boots a root file system.
type Boot struct {
	Kernel  string // the path of the kernel in the tree, without links on the way
	Initrd  string // the path of the initial ramdisk, likewise
	Version string // of both, such as "6.1.0-9-amd64"; "" if their names say none
}

// FindBoot returns the newest kernel of the root file system fsys that has an
// initial ramdisk of its version. It looks in /boot for vmlinuz, uImage, Image,
// zImage and image, initrd and initramfs, with versions behind; in
// /usr/lib/modules, as Fedora has them; where ostree puts them; and in the root.
// Versions are compared as package managers do: 6.10 is newer than 6.9 and than
// 6.10-rc1.
//
// Links are followed inside the tree, through [fs.ReadLinkFS], and those that
// lead nowhere there are left aside, as are rescue, kdump and fallback images,
// and empty files. Where no kernel has a ramdisk of its version, one without a
// version goes with the newest of the others. If nothing fits, the error matches
// [fs.ErrNotExist], and says where FindBoot looked and what was there.
func FindBoot(fsys fs.FS) (*Boot, error) {
	found, err := boottree.FindBoot(fsys)
	if err != nil {
		return nil, fmt.Errorf("artifacts: %w", err)
	}
	return (*Boot)(found), nil
}

// A Release is what a root file system says of itself.
type Release struct {
	Name   string            // for files made of it, such as "opensuse-tumbleweed-core-amd64-generic-v3.0.4"
	Arch   string            // by Go's names, such as "amd64"; "" if it does not say
	Title  string            // for people, such as "Debian GNU/Linux 12 (bookworm)"
	Values map[string]string // all that was said; /etc/kairos-release comes before /etc/os-release
}

// ReadRelease reads /etc/kairos-release and /etc/os-release of the root file
// system fsys, never those of the host. The name is made as Kairos does: flavor,
// its release, variant, architecture, model and version, joined by hyphens, and
// for the variant standard the version of its software. What the tree does not
// say is left out. Without /etc/kairos-release it is the flavor and the image's
// label, or else ID, VERSION_ID and architecture. It is safe as the name of a
// file. Without any release file the error matches [fs.ErrNotExist].
func ReadRelease(fsys fs.FS) (*Release, error) {
	found, err := boottree.ReadRelease(fsys)
	if err != nil {
		return nil, fmt.Errorf("artifacts: release: %w", err)
	}
	return (*Release)(found), nil
}
