// Package diskimage makes raw disks that boot, of file trees, and converts them
// to what clouds and hypervisors import. It needs no root, no loop device and no
// external program, and runs wherever Go does.
//
//	EFI, BIOS   the disk of a Kairos, as a Layout
//	Plain       the disk of any other Linux, as a Layout
//	Build       writes the disk of a Layout to an io.WriterAt
//	Open        the same disk, or its partitions, as a File that nobody has written
//	WriteVHD    a File as a fixed VHD, for Azure
//	WriteGCE    a File as disk.raw in a tar.gz, for Google Compute Engine
//	WriteQCOW2  a File as QCOW2, for QEMU and OpenStack
//	WriteVMDK   a File as a streamOptimized VMDK, for VMware and AWS
//
// A [Layout] is data: what a preset returns can be edited before it is built, and
// a layout can be made from nothing. What a partition holds is a [Content]: [FAT],
// [Ext4], [Ext2], [Raw], or one of the caller's.
//
// # Layout of a disk
//
// Sectors have 512 bytes, partitions start at multiples of 1 MiB.
//
//	sector     GPT (UEFI 2.10 §5.3)           DOS table
//	0          boot code, protective MBR      boot code, signature, 4 partitions
//	1-33       header, 128 entries
//	2048       partitions                     partitions, up to the end
//	last 33    entries, header, once more
//
// What a layout leaves out is filled in as follows:
//
//	field            is                                 where
//	Layout.Size      end of the last partition + 1 MiB  without the MiB in a DOS table
//	Layout.ID        made of all that partitions say    or drawn: WithRand
//	Partition.Start  the next MiB behind those before
//	Partition.Size   least that holds the content       rounded up to MiB; 1 MiB if empty
//	Partition.Type   Linux file system
//	Partition.ID     made of Layout.ID and the number   or drawn: WithRand
//
// In a DOS table the signature of the disk is the first eight digits of its
// identifier, so Linux knows its partitions as PARTUUID=<digits>-01 and so on.
// The package writes that table itself: go-diskfs v1.9.4 has no signature and no
// CHS addresses. Its GPT is used.
//
// # Disk of a Kairos
//
// Identifiers are the same for all of them, as AuroraBoot has them: UUIDs of
// version 5 of the label in the name space of URLs, that of the disk of
// KAIROS_DISK.
//
//	name      type             file system        MiB        content
//	efi       EFI system       FAT COS_GRUB       64         shim, GRUB, and what leads to
//	                                                         /etc/cos/grub.cfg of COS_RECOVERY
//	bios      BIOS boot        none               1          GRUB, instead of efi
//	oem       Linux            ext2 COS_OEM       64         90_custom.yaml (WithCloudConfig),
//	                                                         01_reset.yaml, grubenv
//	recovery  Linux            ext2 COS_RECOVERY  2*R + 150  cOS/recovery.img, etc/cos/grub.cfg;
//	                                                         grub2 with modules for a BIOS
//
// Recovery.img is an ext2 COS_SYSTEM of the tree, of R MiB: its files and 300 MiB,
// or 200 MiB more than it needs if that is more, or what WithRecoverySize says. A
// file with several names counts once, and its holes do not. Efi has the attribute
// Required, bios that and LegacyBIOS.
//
// The first boot starts the entry recovery of the tree's own /etc/cos/grub.cfg,
// as grubenv asks. Then 01_reset.yaml adds COS_STATE, of 3*(2*R+150)+100 MiB or what
// WithStateSize says, and COS_PERSISTENT with the rest of the disk, and resets the
// system into them; COS_STATE gets active.img and passive.img, so two file systems
// with the tree must fit. A disk whose size is what fits must be made larger before
// it boots, and one of WithSize that has no room for both partitions is an error.
//
// No user is made for a disk without a cloud config; [DefaultCloudConfig] is the
// one with a known password that AuroraBoot takes.
//
// # Plain disk
//
//	name  type                 file system  MiB   content
//	bios  BIOS boot            none         1     GRUB, if there is to be a BIOS
//	efi   EFI system           FAT EFI      64    shim, GRUB, and what leads to grub.cfg of
//	                                              the root, if there is to be UEFI
//	root  root of the          ext4 root    rest  the tree; 512 MiB stay free if the size
//	      architecture                            of the disk is what fits
//
// GRUB starts the tree's newest kernel that has an initial ramdisk, with
//
//	root=PARTUUID=… ro console=tty0 console=ttyS0,115200 …WithCmdline…
//
// so the ramdisk must have what reads the disk, and ext4. Identifiers are made of
// what the tree is, the names and sizes of its files, and the cloud config.
//
// These files are laid over the tree, with directories that a system mounts
// something on where they are missing: /run, /dev, /boot, /proc, /sys and /tmp.
//
//	/boot/grub/grub.cfg                   the menu; in /boot/grub2 if that is there. Tools of
//	                                      the distribution may write it anew
//	/boot/grub/i386-pc                    GRUB's modules for a BIOS
//	/etc/fstab                            the root, if the tree's has nothing but comments;
//	                                      with x-systemd.growfs where there is systemd
//	/etc/repart.d/50-root.conf            lets systemd-repart grow the root's partition, if
//	                                      there is systemd, and the tree says nothing to it
//	/var/lib/cloud/seed/nocloud/          user-data and meta-data for cloud-init's NoCloud,
//	                                      if there is a cloud config
//
// So the root grows to its disk at boot with systemd-repart, or with cloud-init's
// growpart, if the tree has one of them. A machine-id stays as it is: a tree from
// which many machines are made should have an empty one.
//
// # Boot loaders
//
// Shim and GRUB for UEFI, and the parts of GRUB for BIOS, are searched in the tree
// and then in the places of [WithLoaders]; a pair of shim and GRUB is always from
// one of them. They are stored as they are, so Secure Boot works where they are
// signed. A disk has to boot on all the firmware that was asked for, or there is
// no layout.
//
// # Formats
//
// A [File] that is converted is read in order, its holes never, and a few MiB of
// it are held. What is no hole but 64 KiB of zeros is left out like one.
//
//	          size of the disk          what is left out         source
//	VHD       whole MiB, to 2040 GiB    holes, in a new file     VHD Image Format Specification 1.0
//	GCE       whole GiB                 holes                    GNU tar, old sparse format; RFC 1952
//	QCOW2     whole sectors, to 2 PiB   clusters of 64 KiB       QEMU docs/interop/qcow2
//	VMDK      whole 64 KiB, to 2 TiB    grains of 64 KiB         VMware Virtual Disk Format 5.0
//
// Where a disk gets larger by that, its GPT is moved to the new end, so a backup is
// where firmware looks. GCE and VMDK are compressed on all cores. QCOW2 is not: its
// readers allow a window of 4 KiB, which Go's compressors do not keep to. A file
// that is no [Sparse] is read twice for GCE, whose header says where data is.
// Identifiers in VHD and VMDK are made of the disk's and its size.
//
// # Errors
//
// Errors are of type [*Error]. All faults of a layout that can be seen at once
// are told at once, before a byte is written. What is too small is a [*SizeError],
// which says by how much, and a boot loader that is missing a [*LoaderError]. A
// tree without kernel, or a Kairos without etc/cos/grub.cfg, matches
// [io/fs.ErrNotExist].
//
// # Concurrency
//
// Functions may be called concurrently with the same trees. A [Disk] may be read
// concurrently where its trees and files may be. Progress is told by one goroutine
// at a time. A call ends soon after its context does; what was written until then
// is no disk.
//
// The same input gives the same bytes, on any number of cores, for one version of
// this package and its compressors. Nothing of the time of day goes into a disk,
// but what [WithTime] gives.
//
// # Limits
//
//	size of a disk         1 EiB; 2 TiB with a DOS table
//	partitions             128; 4 in a DOS table, which has no logical ones
//	name of a partition    36 UTF-16 units
//	boot code              440 bytes
//	cloud config           16 MiB
//	command line           no quotes and no backslashes
//	architectures          amd64, arm64, riscv64; BIOS on amd64 only
//
// Memory grows with the number of entries of the trees, not with the disk: files
// are read when the disk is, and holes never. There are no sectors of 4096 bytes,
// no swap and no encryption; boards that want boot code of their own between the
// tables and the first partition are not served.
//
// GRUB 2.06 for UEFI, as Debian 12 signs it, measures what it reads and for that
// reads a loopback file as a whole: a machine whose memory does not hold Kairos's
// recovery.img beside the rest stops with "out of memory", unless the tree's
// etc/cos/grub.cfg unloads GRUB's module tpm before.
package diskimage
