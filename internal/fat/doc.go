// Package fat makes a FAT12, FAT16 or FAT32 volume of a file tree, as an image
// whose file contents are read from the tree when the image is read.
//
// This is a writer of its own because that of go-diskfs v1.9.4 is never quite
// clean under fsck.vfat (files of no bytes get a cluster, names that begin with
// a dot a bad short name, some FAT32 volumes a table that is too small) and
// writes the table anew for each entry: 2000 files take it 16 times (FAT16) and
// 250 times (FAT32) as long as mcopy.
//
// # Layout
//
// After the Microsoft FAT specification, version 1.03, which numbers no
// sections. Sectors have 512 bytes, numbers are little-endian.
//
//	part            sectors                 FAT12, FAT16  FAT32
//	boot sector     1                       0             0, copy at 6
//	FSInfo          1                       none          1, copy at 7
//	reserved        up to the first FAT     1 in all      32 to 95 in all
//	FAT, twice      as many as needed       12, 16 bits   32 bits for a cluster
//	root directory  32 bytes for an entry   512 or more   a chain of clusters
//	clusters        1 to 64 sectors each    from 2 on     from 2 on
//
// Directories come first, then the contents, both in the order of
// [io/fs.WalkDir] and each in one run of clusters. A file of no bytes has none.
// What follows the last run is a hole of the image, and so are those of files of
// 64 KiB or more that have a method NextData, as internal/mosaic's images have.
//
// The number of clusters alone says which kind a volume is, to every reader:
//
//	kind   clusters            here                unless Bits says, for
//	FAT12  up to 4084          up to 4068          less than 8 MiB
//	FAT16  4085 to 65524       4101 to 65508       less than 512 MiB
//	FAT32  65525 and more      65541 to 268435445  the rest
//
// The specification advises to stay 16 clusters away from the borders, since
// some readers have them wrong: GRUB 2.06 takes 4085 clusters for FAT12. A
// cluster has 2 KiB, as a block of an ISO image has, and 4 KiB on FAT32, and
// 8 to 32 KiB above 8 GiB there; it has fewer bytes where the kind or the tree
// needs more clusters, and more where there would be too many.
//
// What holds a tree does so in any larger size: where only a kind of smaller
// volumes does, or only their clusters do, the volume is smaller than its image.
//
// # Boot sector
//
//	offset    bytes  field                  value
//	0         3      jump                   over the fields to the boot code
//	3         8      system                 MSWIN4.1, as the specification advises
//	11        2      bytes in a sector      512
//	13        1      sectors in a cluster   1 to 64
//	14        2      reserved sectors       1; 32 to 95
//	16        1      FATs                   2
//	17        2      root entries           512 or more; 0
//	19        2      sectors                0 if they need 32 bits
//	21        1      media                  F8
//	22        2      sectors of a FAT       0 on FAT32
//	24        2, 2   sectors, heads         63, 255
//	28        4      sectors before it      [Volume.Hidden]
//	32        4      sectors                0 if they need 16 bits
//	36        28     FAT32 only: sectors of a FAT, flags, version, first cluster
//	                 of the root (2), sector of FSInfo (1) and of the copy (6)
//	36 or 64  26     drive 80, signature 29, serial, label, kind
//	62 or 90         boot code: says that the volume does not boot, and hands
//	                 over to the firmware's next device (interrupt 18)
//	510       2      55 AA
//
// # Names
//
// A name is stored as UTF-16, in entries of 13 units, before the short name
// that every file has. A name that is a short one in upper case has no other.
// A short name is made as the specification says; where something was lost or
// two are alike it ends in ~1, ~2 and so on. Characters that are not ASCII are
// an underscore in it, so that it does not depend on a code page.
//
// # Attributes
//
// The time of change is that of the tree in UTC, in steps of two seconds, from
// 1980 to 2107; it is the time of creation and the day of access as well. Owner,
// permissions, extended attributes and further names are lost: each name of a
// file is a file. A symbolic link is the file that it leads to.
//
// # Errors
//
// Errors name the file. It is one to have a file that FAT cannot hold: of more
// than 4294967295 bytes, a device, pipe or socket, a symbolic link that leads to
// a directory or to nothing; a name with a control character or one of "*/:<>?\|
// or one that ends in a dot or a space, that is not UTF-8, or has more than 255
// UTF-16 units; two names of one directory that differ only in case. A volume
// that is too small for the tree is an error that says what is missing, and so is
// a file whose size is no longer that of [New], when its content is read.
//
// # Concurrency
//
// An image may be read concurrently where the tree may be. Files of the tree
// are open only while they are read.
//
// # Limits
//
//	sectors in a volume          4294967295, 2 TiB
//	bytes of a directory         2097152, of the root of FAT12 and FAT16 2096640
//	bytes of a cluster           32768
//
// Memory grows with the number of entries, by about 400 bytes each. There are no
// sectors of other sizes, no code pages and no exFAT.
package fat
