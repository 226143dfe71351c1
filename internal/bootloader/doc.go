// Package bootloader finds shim and GRUB in a file tree, which may be a root file
// system, an unpacked package, or a folder that a user put together, and lays
// out the EFI system partition that boots them.
//
// # Search
//
// The first file that exists is taken, in this order; links are followed inside
// the tree. <arch> is x86_64, aarch64 or riscv64, but arm64 in GRUB's folders;
// <cpu> is x64, aa64 or riscv64, and <vendor> each of fedora, rocky, redhat, almalinux, centos, debian
// and ubuntu.
//
//	shim (not on riscv64)                        of
//	usr/share/efi/<arch>/shim.efi                openSUSE
//	usr/lib/shim/shim<cpu>.efi.dualsigned        Ubuntu
//	usr/lib/shim/shim<cpu>.efi.signed.latest     Ubuntu
//	usr/lib/shim/shim<cpu>.efi.signed            Debian
//	boot/efi/EFI/<vendor>/shim.efi               Fedora and its relatives
//	boot/efi/EFI/<vendor>/shim<cpu>.efi
//	usr/lib/bootupd/updates/EFI/<vendor>/shim<cpu>.efi
//
//	GRUB                                         of
//	usr/lib/grub/<arch>-efi-signed/gcd<cpu>.efi.signed     Debian, Ubuntu, for CDs
//	usr/share/efi/<arch>/grub.efi                          openSUSE
//	usr/lib/grub/<arch>-efi-signed/grub<cpu>.efi.signed    Debian, Ubuntu
//	boot/efi/EFI/<vendor>/grub<cpu>.efi                    Fedora and its relatives
//	usr/lib/bootupd/updates/EFI/<vendor>/grub<cpu>.efi
//	usr/lib/grub/<arch>-efi/grub<cpu>.efi
//	usr/lib/grub/<arch>-efi/monolithic/gcd<cpu>.efi        Debian, unsigned
//	usr/lib/grub/<arch>-efi/monolithic/grub<cpu>.efi
//	boot/efi/EFI/BOOT/grub<cpu>.efi
//	boot/efi/EFI/BOOT/BOOT<CPU>.EFI              only on riscv64
//
//	GRUB for a BIOS: the folder with kernel.img and boot.img
//	usr/lib/grub/i386-pc         Debian, Alpine, Arch
//	usr/lib/grub2/i386-pc        openSUSE, Fedora
//	usr/share/grub2/i386-pc      openSUSE
//	usr/share/grub/i386-pc
//	usr/lib64/grub/i386-pc, usr/lib64/grub2/i386-pc
//
// Then the same files right in the tree, in EFI/BOOT, and in <arch>-efi-signed
// and <arch>-efi/monolithic, in upper or lower case, where boot<cpu>.efi is
// shim if grub<cpu>.efi is beside it, and otherwise GRUB; and the folder i386-pc,
// or the tree itself if it is that folder. MokManager, mm<cpu>.efi, is taken from
// beside shim.
//
// # The EFI system partition
//
//	EFI/BOOT/boot<cpu>.efi      shim, or GRUB where there is no shim
//	EFI/BOOT/grub<cpu>.efi      GRUB, by the name that shim has in it
//	EFI/BOOT/mm<cpu>.efi        MokManager
//	EFI/BOOT/grub.cfg           the configuration, also as boot/grub/grub.cfg,
//	                            EFI/debian/grub.cfg, EFI/ubuntu/grub.cfg, and in
//	                            the folder that GRUB has in it as its prefix
//	startup.nsh                 only on riscv64
//
// Signed programs cannot be told where their configuration is: Debian's GRUB
// looks in /EFI/debian, that for CDs in /boot/grub, Ubuntu's in /EFI/ubuntu,
// Fedora's in /EFI/fedora. The prefix is read from the section "mods" of the
// program (package grub has its layout). On firmware that boots a CD the folders
// are looked for on the CD itself, so an ISO has to have the same files.
//
// # Errors
//
// What is missing is nil, not an error. A program that is none, or one for
// another architecture, is an error that names it, and so is a file that cannot
// be looked at, if nothing else is found in its place.
//
// # Concurrency
//
// All functions may be called concurrently.
//
// # Limits
//
//	bytes of a program    32 MiB
//
// Whether shim trusts the key that signed GRUB is not checked.
package bootloader
