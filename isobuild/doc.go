// Package isobuild builds ISO images that boot on every PC, as a CD and as a
// USB stick, and puts files into existing ones. It needs no root, no loop device
// and no external program, and runs wherever Go does.
//
//	Build     a live image of a root file system, packed on the way
//	Stream    the same of one that is packed already, to a plain io.Writer
//	Remaster  an existing image with other files
//	IPXE      a small image that boots into iPXE
//	Open      the files of an image, and what boots in it
//
// # Files of a live image
//
//	path                        content
//	/rootfs.squashfs            the whole root file system, with its /boot
//	/boot/kernel, /boot/initrd  its newest kernel that has an initial ramdisk
//	/boot/grub2/grub.cfg        the menu
//	/EFI/BOOT/grub.cfg          leads GRUB for UEFI to the menu; also in the other
//	                            places where builds of GRUB look
//	/boot/uefi.img              the EFI system partition
//	/boot/eltorito.img          GRUB for BIOS
//	/boot/boot_hybrid.img       what its boot code was made of
//	/boot/boot.catalog          the boot catalogue
//	/config.yaml                the cloud config, if there is one
//
// Over it go the files of [WithFiles], but not over the first two rows and the
// four before the last. A menu and a cloud config among them win.
// In a live system that dracut's dmsquash-live brought up, all of it is below
// /run/initramfs/live. Directories that a live system mounts something on are
// made in its root where they are missing: /run, /dev, /boot, /usr/local, /oem,
// /proc, /sys and /tmp.
//
// # Layout of a new image
//
// Blocks have 2048 bytes.
//
//	block     what                                                  source
//	0         boot code, protective partition; GPT in sectors 1-33  UEFI 2.10 §5
//	16        descriptors of the whole image                        ECMA-119 §8
//	32        descriptors of the first partition
//	48        boot catalogue, GRUB for BIOS                         El Torito 1.0 §2
//	          files, in the order of their paths
//	          rootfs.squashfs
//	          path tables and directories: Rock Ridge and Joliet,   RRIP 1.12
//	          for the image and for the partition
//	          EFI system partition (FAT)
//	          GPT once more, in the last 33 sectors
//
// The first partition goes from block 16 to the directories, and mounts by
// itself: its descriptors and directories count blocks from there. The EFI system
// partition is the second; it is stored once, though the boot catalogue, the
// partition table and /boot/uefi.img all lead to it. No partition lies outside
// the image, and the second table is at the very end of the file. Since the
// squashfs comes before all that needs its size, [Build] writes it straight into
// its place.
//
// # Menu
//
// The menu waits ten seconds, then starts the first entry. The kernel gets, in
// this order:
//
//	cdroot root=live:CDLABEL=… rd.live.dir=/ rd.live.squashimg=rootfs.squashfs
//	net.ifnames=1 console=… rd.cos.disable vga=795 nomodeset (amd64 only)
//	…what the entry adds… selinux=0 rd.live.overlay.overlayfs …WithCmdline…
//
// which is what Kairos's own images pass. Entries for a Kairos are those that
// its images have; another system is started as it is, copied to memory, or with
// the messages of the initial ramdisk. Words that only Kairos knows do nothing
// elsewhere.
//
// # Boot loaders
//
// Shim and GRUB for UEFI, and the parts of GRUB for BIOS, are searched in the
// root file system and then in the places of [WithLoaders]; a pair of shim and
// GRUB is always from one of them. They are stored as they are, so Secure Boot
// works where they are signed. An image has to boot on all that [WithFirmware]
// names, or there is no image.
//
// # iPXE images
//
// [IPXE] lays out an image in the same way, without a squashfs:
//
//	path                  content
//	/boot/ipxe.lkrn       the program for BIOS
//	/boot/script.ipxe     the script, which it gets as its initial ramdisk
//	/boot/grub2/grub.cfg  makes GRUB start it
//	/boot/uefi.img        the EFI system partition, with the programs for UEFI
//	                      as /EFI/BOOT/BOOTX64.EFI, BOOTAA64.EFI and so on
//
// The programs for UEFI have the script embedded in them; one that does not
// hold it is refused. [IPXEWaitScript] waits for a boot server.
//
// # Reading
//
// [Open] reads what ISO 9660 has besides its plain names: Rock Ridge with moved
// directories and continuation areas, Joliet, files of more than 4 GiB. [Image.Boot]
// knows these arrangements, and takes the first one that is there:
//
//	layout              kernel and ramdisk               root file system
//	Kairos              boot/kernel, boot/initrd         rootfs.squashfs
//	KIWI                boot/*/loader/linux, initrd      LiveOS/squashfs.img
//	openSUSE installer  boot/*/loader/linux, initrd      boot/*/root
//	Fedora              images/pxeboot/vmlinuz, initrd*  LiveOS/squashfs.img or
//	                                                     images/install.img
//	Debian live         live/vmlinuz*, initrd*           live/*.squashfs
//	Ubuntu casper       casper/vmlinuz*, initrd*         casper/*.squashfs
//
// # Remastering
//
// [Remaster] leaves the blocks of an image where they are, since boot loaders
// have lists of them, and writes these anew:
//
//	what                      becomes
//	descriptors               as they were, but for sizes and places
//	directories, path tables  new ones behind all files: Rock Ridge, and Joliet
//	                          if there was; for the image, and for a first
//	                          partition that mounted by itself
//	first partition           grows, in the MBR and in the GPT
//	appended partitions       move behind that, with their boot entries
//	GPT                       same entries, backup at the very end
//	blocks of what is gone    zeros, unless a file that stays has them too
//
// It takes what xorriso and genisoimage make with the arguments of Kairos, KIWI,
// Debian, Ubuntu and Fedora, for ISOLINUX and for GRUB, and what [Build] makes.
// Checksums inside an image, such as a list of MD5 sums, are files like others. A
// note of a checksum in the primary descriptor is removed, and so are those that
// xorriso puts between files. The Apple partition map, and an HFS+ volume that
// shares the files, stay as they are: they show the old files, and zeros where
// those are gone.
//
// # Errors
//
// Errors are of type [*Error]. What can be known before work starts is an error
// before a byte is written: options that contradict each other, a root file
// system without a kernel, or without a boot loader (a [*LoaderError]), names that
// an image cannot hold. A name may have 253 bytes outside of the squashfs, and 255
// in it.
//
// # Concurrency
//
// Functions may be called concurrently with the same trees. Progress is told by
// one goroutine at a time. A call ends soon after its context does; what was
// written until then is no image.
//
// The same input gives the same bytes, on any number of cores, for one version
// of this package and its compressors. Nothing of the time of day goes into an
// image, but what [WithTime] gives.
//
// # Limits
//
//	volume identifier          1 to 32 of A-Z a-z 0-9 # + - . : = @ _ for a live
//	                           image, and where a menu has it: systems find
//	                           their medium by it
//	menus that get a new one   1 MiB each, 16 MiB together
//	size of an image           8 TiB
//	cloud config               16 MiB
//	iPXE script, program       1 MiB, 64 MiB
//	command line               no single quotes and no backslashes: GRUB
//	                           cannot pass them
//	memory                     500 bytes for each file outside of the squashfs, and
//	                           as much for the collector: 150 MiB for 100000
//	architectures              amd64, arm64, riscv64; BIOS on amd64 only
//
// [Remaster] refuses UDF volumes, compressed files, boot images to be replaced or
// removed, and more than 1 MiB behind the volume that belongs to no partition. It
// drops extended attributes, and what xorriso notes about an image in them.
// Names for Joliet are made of those that are read, with the 64 characters that
// Joliet allows: longer ones, as -joliet-long makes them, are cut.
//
// Sockets are left out of images. Extended attributes are kept in the squashfs
// only.
package isobuild
