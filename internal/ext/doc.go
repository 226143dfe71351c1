// Package ext makes an ext2 or ext4 file system of a file tree, as an image
// whose file contents are read from the tree when the image is read.
//
// This is a writer of its own because that of go-diskfs v1.9.4 has no devices,
// hard links and extended attributes, corrupts files after a removal, and takes
// six times as long as mke2fs; and that of hcsshim makes file systems that are
// full and read-only.
//
// # Layout
//
// After the Linux kernel's Documentation/filesystems/ext4. Blocks have 4096
// bytes, groups 32768 blocks, inodes 256 bytes; numbers are little-endian, apart
// from those of the journal.
//
//	part                 blocks             where
//	superblock           1                  groups 0, 1 and powers of 3, 5, 7;
//	                                        in group 0 at byte 1024
//	descriptions         64 or 128 a block  behind each superblock
//	kept for more        1023 at most       behind these; see Growth
//	bitmap of blocks     1 for a group      version 2: in the group
//	bitmap of inodes     1 for a group      version 4: all of 16 groups in the
//	table of inodes      16 inodes a block  first of them
//	block of inode 7     1                  from here on in order, where there is
//	directories          all                room, without gaps
//	attributes           as many as needed
//	links                of over 59 bytes
//	journal              as mke2fs has it   version 4, from 8 MiB on; see Journal
//	files                the rest           one after another, as in the tree
//
// What is not used is not written: it is a hole of the image, and must read as
// zeros. In version 4, groups say so of bitmaps that are not written.
//
//	                     version 2          version 4
//	content              lists of blocks    extents of up to 32768 blocks
//	description          32 bytes           64 bytes
//	times                seconds, to 2038   nanoseconds, 1901 to 2446
//	attributes           in blocks          in the inode first: 88 bytes
//	checksums            none               CRC-32C, from the UUID on
//	journal              none               unless there shall be none
//	compatible           ext_attr, resize_inode, dir_index; 4: has_journal
//	incompatible         filetype; 4: extent, 64bit, flex_bg
//	for writers          sparse_super, large_file; 4: huge_file, dir_nlink,
//	                     extra_isize, metadata_csum
//
// These are what mke2fs 1.47.0 makes, and what GRUB 2.06 reads; it cannot read
// metadata_csum_seed. Linux' driver for ext4 reads times and checksums of version
// 2 as those of version 4 where they are there; ours have the times.
//
// # Inodes
//
//	number  what
//	2       the root
//	7       blocks that are kept for more descriptions
//	8       the journal
//	11      lost+found: that of the tree, or an empty one of four blocks
//	12...   the rest, in the order of [io/fs.WalkDir]
//
// There is one inode for 16384 bytes, as mke2fs has it, or, where that is not
// enough, for each file and an eighth more. All times of an inode are that of
// change in the tree; those outside of the range become the nearest one.
//
// Attributes of the namespaces user, trusted and security are kept, and access
// control lists, as PAX records or the kernel have them; others are left out.
// Inodes with equal ones share blocks.
//
// # Directories
//
// A directory of one block has the order of names. A larger one is indexed by
// hashes (half MD4 over unsigned bytes), with one or two levels above its blocks.
//
// # Growth
//
// Blocks are kept for as many descriptions as 1024 times the volume needs, as
// mke2fs has it, but at most 16 TiB: resize2fs grows it so far while it is
// mounted, and systemd-growfs.
//
// # Journal
//
// A journal gets larger at 8 MiB, at 128 MiB, at 1 GiB and so on. Where a tree
// fits only below such a size, a volume a little above it has the journal, or
// none, of the smaller one: what holds a tree does so in any larger size.
//
// # Holes
//
// A file of 64 KiB or more is sparse when its open file has a method
// NextData(off int64) (start, end int64, ok bool), as internal/mosaic's images
// have. Others are all data, and so is the rest of one whose answer leads nowhere:
// contents are not read to look for zeros.
//
// # Errors
//
// Errors name the file. It is one to have a file that ext cannot hold: a name of
// over 255 bytes, a target of over 4095, attributes that need more than a block,
// more than 65000 names, a number that is out of range; or a lost+found that is
// no directory. A volume that is too small for the tree is an error that says
// what is missing, and so is a file whose size is no longer that of [New], when
// its content is read.
//
// # Concurrency
//
// An image may be read concurrently where the tree may be. Files of the tree
// are open only while they are read.
//
// # Limits
//
//	bytes of a volume        17592186040320 (16 TiB less 4 KiB)
//	bytes of a file          16 TiB less 4 KiB; version 2: 2044 GiB
//	entries of a tree        2097152
//	depth of a tree          2048
//	blocks of a directory    258570 with entries; version 2: 259588
//	extended attributes      88 bytes and a block (version 2: a block) for an inode
//	directories in one       any number; version 2: 64998
//
// Memory grows with the number of entries, by about 400 bytes each, and with the
// number of pieces of sparse files, by 100 bytes each; it does not with the size
// of the volume, but by 64 bytes for 128 MiB. There are no blocks of other sizes,
// no quota, encryption or case folding, and no checksums of the journal: Linux
// adds them when it mounts the volume.
package ext
