// Package boottree finds in a root file system what boots it, and what it
// says of itself.
//
// # Kernels and ramdisks
//
// These places are searched, in this order; names are matched by their start:
//
//	/boot                         vmlinuz, uImage, Image, zImage, image; initrd, initramfs
//	/usr/lib/modules/VERSION      vmlinuz; initrd, initramfs.img (Fedora, ostree, openSUSE)
//	/lib/modules/VERSION          the same, where /usr is not merged
//	/usr/lib/ostree-boot, /boot/ostree/NAME   as in /boot (ostree)
//	/                             vmlinuz, initrd.img (links of Debian and Ubuntu)
//
// What follows the start of a name, without a leading `-` or `.` and without
// endings such as .img and .gz, is the version: of vmlinuz-6.1.0-9-amd64 it is
// 6.1.0-9-amd64. A link has the version of what it leads to; links to nowhere,
// into a loop or out of the tree are left aside, since the host has no part in
// it. Rescue, kdump and fallback images, backups and signatures do not count.
//
// Of the versions that have both, a kernel and a ramdisk, the newest wins; to
// have no version counts as the oldest. Without such a pair, a ramdisk that has no
// version goes with the newest kernel, or a kernel that has none with the newest
// ramdisk. Others do not go together: a ramdisk holds the modules of its kernel.
//
// # Versions
//
// Versions are compared as package managers do: digits as numbers, `~` and
// release candidates before the release, all else by characters. What stands
// for no release, such as lts, comes before any number.
//
// # Release
//
// Values come from /etc/kairos-release, /etc/os-release and
// /usr/lib/os-release of the tree (os-release(5)), never of the host.
//
// # Errors
//
// A tree without kernel or ramdisk gives a [*NotFoundError], which matches
// [io/fs.ErrNotExist] and lists where it looked and what was there.
package boottree
