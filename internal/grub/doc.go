// Package grub composes the images that boot a PC with a BIOS into GRUB, from
// the parts in GRUB's folder i386-pc, as grub-mkimage and grub-bios-setup do.
// [Quote] and [Serial] are for the scripts that GRUB runs then.
//
// # Parts
//
//	file                 bytes  what
//	boot.img             512    boot code of a disk: loads one sector and jumps to it
//	boot_hybrid.img      512    the same for an ISO on a disk, with the sector at another place
//	cdboot.img           2048   boot code of a CD: loads the rest of its own file
//	diskboot.img         512    loads the core from where its block list says
//	lzma_decompress.img  ~2800  start of the core: goes to protected mode, unpacks the rest
//	kernel.img                  GRUB itself: ELF32, linked to run at 0x9000
//	*.mod                       modules: relocatable ELF32, stored as they are
//	moddep.lst                  lines of "module: dependencies"
//
// # Layout of the core
//
// All numbers are little-endian. The core is lzma_decompress.img followed by an
// LZMA1 stream: lc=3, lp=0, pb=2, without a header and without an end marker.
// Two fields of lzma_decompress.img say how long that is:
//
//	offset  type  value
//	0x08    u32   bytes of the LZMA stream
//	0x0c    u32   bytes that it unpacks to
//	0x10    u32   bytes of Reed-Solomon redundancy that follow; 0: none
//	0x14    u16   where the part begins that such redundancy protects
//
// GRUB unpacks to 0x100000 with the output as dictionary, so any size of
// dictionary will do, and copies its kernel to 0x9000. What is packed:
//
//	bytes         what
//	k             kernel.img as it lies in memory from 0x9000 on, without .bss
//	12            u32 0x676d696d; u32 12; u32 bytes from here to the end
//	8+n ...       per object: u32 type, u32 bytes with this header; n is a multiple of 4
//
// Objects are the modules (type 0), each after those it depends on, in the
// order of grub-mkimage: names as asked for, depth first, dependencies from the
// last that moddep.lst lists to the first. The last object is the prefix (type 3), a string that
// ends in a zero byte: the folder of grub.cfg. A prefix without a device, such
// as /boot/grub2, is on the device that GRUB was loaded from.
//
// # Layout of the images
//
//	[ElTorito]   cdboot.img, diskboot.img, core
//	[DiskCore]   diskboot.img, core, zeros up to a sector
//	[HybridMBR]  boot_hybrid.img[:440]
//	[DiskMBR]    boot.img[:440]
//
//	in                offset  type  value
//	diskboot.img      0x1f4   u64   first sector of the core
//	                  0x1fc   u16   sectors of the core
//	                  0x1fe   u16   segment to load it to: 0x820
//	cdboot.img        8       u32   block of the primary volume descriptor: 16
//	                  12      u32   block of the image itself
//	                  16      u32   bytes of the image
//	                  20      u32   sum of its 32-bit words from byte 64 on
//	boot_hybrid.img   0x1b0   u64   sector of diskboot.img: 4*block + 4
//	boot.img          0x5c    u64   sector of diskboot.img
//	                  0x66    2 bytes: a jump, or two NOPs (0x90)
//
// Sectors have 512 bytes, blocks of an ISO 2048. The four words of cdboot.img
// are the boot information table of mkisofs. From a CD, cdboot.img loads all
// that follows it, at 0x8000, and jumps over diskboot.img. From the same ISO on
// a disk, boot_hybrid.img loads diskboot.img, which loads the core by its block
// list, which is what xorriso calls GRUB2 boot information: 4*block + 5 at byte
// 2548 of the image. [Place] fills in both, and the sum last, as xorriso does,
// because the block list is part of what is summed up.
//
// The NOPs in boot.img make it trust no BIOS that calls a disk a floppy:
// without them the drive number that such a BIOS passes is used, with them
// it is 0x80 where it cannot be right. Grub-bios-setup puts them there for
// every hard disk.
//
// Grub-bios-setup adds Reed-Solomon redundancy where it embeds a core, to
// survive programs that write into such gaps. A core without it boots the same:
// lzma_decompress.img does nothing where the field at 0x10 is zero. There is
// none in images for CDs, and we add none on disks, because a BIOS boot
// partition belongs to nobody else.
//
// Source: the files themselves and what grub-mkimage 2.06 makes of them, of
// which all but the LZMA stream is the same byte for byte, and what that
// unpacks to; util/mkimage.c and util/setup.c of GRUB 2.06.
//
// # Errors
//
// Errors name the file of GRUB's folder. Missing files match
// [io/fs.ErrNotExist].
//
// # Concurrency
//
// All functions may be called concurrently. The same input gives the same
// bytes, for one version of the compressor.
//
// # Limits
//
//	bytes of one file in GRUB's folder      1 MiB
//	bytes of kernel and modules             8 MiB
//	bytes of the core                       454656: 0x9000 + core <= 0x78000
//	bytes of the kernel with its .bss       389120: 0x9000 + kernel <= 0x68000
//	bytes of lzma_decompress.img            3584: it lies between 0x8200 and 0x9000
//	bytes of a prefix                       255
//
// The limits of core, kernel and decompressor are grub-mkimage's. The stream is
// about 12 % longer than grub-mkimage's, which searches longer for matches.
// Embedded configurations, memory disks and keys cannot be added.
package grub
