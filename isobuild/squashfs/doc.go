// Package squashfs writes and reads SquashFS 4.0 images.
//
// [Write] packs a file tree into an image, with any number of blocks at once,
// and the same tree gives the same bytes. [Open] gives a file tree back.
//
// # Format
//
// Numbers are little-endian. What a block holds is stored as it is where
// packing does not make it smaller (Linux, Documentation/filesystems/squashfs.rst).
//
//	part             bytes        packed  holds
//	superblock       96           no      sizes and the places of all tables; written last
//	options          6..10        no      the level, where it is not the one of mksquashfs
//	data             0..block     yes     blocks of long files, and blocks of several short ones
//	inodes           8192 blocks  yes     attributes, and where the data are
//	directories      8192 blocks  yes     names, sorted by their bytes, and their inodes
//	fragment table   16 for one   yes     where the blocks of several files are
//	export table     8 for one    yes     where the inode of each number is
//	ID table         4 for one    yes     owners and groups, 32 bits each
//	xattr table      16 for one   yes     sets of extended attributes, each once
//	padding          0..4095      no      zeros up to a multiple of 4096
//
//	option        range          default       read by
//	compression   gzip, xz       zstd          Linux 2.6.29, 2.6.38
//	              zstd                         Linux 4.14
//	level         gzip 1..9      6
//	              zstd 1..22     7             1, 3, 6 and 10 differ, the others are as the one below
//	block size    4 KiB..1 MiB   1 MiB
//
// The default packs a root file system of Debian 6 % smaller than mksquashfs
// with gzip and the same block size does, in a twentieth of the processor time.
// Level 10 saves 5 % more and takes five times as long. Smaller blocks
// cost size, and spare a reader of short pieces some unpacking.
//
// A file shorter than a block shares one with others, in the order of
// [io/fs.WalkDir]. A longer one has blocks of its own, the last one shorter. Blocks of
// zeros take no space, and files with the same bytes are stored once. Only files
// of one size are compared, by SHA-256 while they are read; of a duplicate of more
// than 4 MiB the blocks are written, and written over by what follows.
//
// The superblock's time is the latest of any entry unless [WithTime] is given,
// and times before 1970 and after 2106 become the nearest that fits. Extended
// attributes outside of user., trusted. and security. are left out: SquashFS has
// no place for them, which concerns the access control lists of POSIX above all.
//
// The bytes of an image depend on the tree, the options and the versions of
// the modules that pack (klauspost/compress, ulikunitz/xz), and on nothing else.
//
// # Errors
//
// Messages name the path in the tree, and wrap what the tree or the writer
// returned, so that [io/fs.ErrPermission] and the like can be asked for. A
// cancelled Write returns the error of its context. After an error the image has no
// superblock, and no reader accepts it.
//
// # Concurrency
//
// Write runs a worker for each core, at most 16. Files are opened and read by
// one goroutine, one after the other; WriteAt is called by one at a time.
//
// # Limits
//
// Write holds names, attributes and tables in memory, about 300 bytes for an
// entry with a short name, and 4 bytes for each block of a file. For each worker it
// holds four blocks and what the compression needs: 1 MiB with gzip, up to 10 MiB
// with zstd below level 10, and 40 MiB from there on. Another 16 MiB are for what is
// being read.
//
//	names in a tree                       2097152
//	directories inside one another        2048
//	blocks of a file                      16777216: 16 TiB in blocks of 1 MiB
//	bytes of a name                       255
//	bytes of a link's target              4095
//	bytes of an extended attribute        65536, and 255 of its name
//	different owners and groups           65535 together
//	device numbers                        4095:1048575
//	inodes, and names, when packed        4 GiB each
//
// Beyond a limit there is an error that names the entry. Compressions other
// than gzip, xz and zstd are not written, and xz has no levels and is slow.
package squashfs
