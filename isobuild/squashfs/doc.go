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
// # Reading
//
// [Open] reads what mksquashfs and others write, in any of these packings:
//
//	packing  unpacked by               remarks
//	gzip     klauspost/compress/zlib   RFC 1950
//	zstd     klauspost/compress/zstd   RFC 8878
//	xz       this package              the library takes twice the time, and as much memory as an image tells it
//	         ...                       filters for x86, ARM, ARM Thumb, ARM64, PowerPC and SPARC
//	lz4      this package
//	lzo      nothing                   an error that names it, as for lzma
//
// Open reads superblock, tables and all directories at once; that is where hard
// links come from, as the first name of a file is known only when all are. A root
// file system with 17000 entries takes a tenth of a second. Of a regular file its
// list of blocks is read when it is opened, and a block when it is asked for:
// one that a caller has room for is unpacked there, others by way of a cache
// ([WithCacheSize]), and an open file keeps the one that it was read from last. So
// whoever reads from start to end unpacks no block twice.
//
// The tree keeps to the contract for file trees in the package comment of
// netbootkit. Sockets, which it does not know, are left out. Times have seconds from
// 1970 to 2106.
//
// # Errors
//
// Messages name the path in the tree, and wrap what the tree or the writer
// returned, so that [io/fs.ErrPermission] and the like can be asked for. A
// cancelled Write returns the error of its context. After an error the image has no
// superblock, and no reader accepts it.
//
// Open says which entry is wrong, and where; an image that ends too early
// matches [io.ErrUnexpectedEOF]. What the methods of an [FS] return is an
// [*io/fs.PathError]. An error of the reader is in it, and is not remembered: the
// next call tries again.
//
// # Concurrency
//
// Write runs a worker for each core, at most 12. Files are opened and read by
// one goroutine, one after the other; WriteAt is called by one at a time.
//
// An [FS] and its files may be used concurrently, except that a position in a
// file is moved by one at a time. Whoever asks for a block that another is unpacking
// waits for it. There are no goroutines, so one reader keeps one core busy.
//
// # Limits
//
// Write holds names, attributes and tables in memory, about 300 bytes for an
// entry with a short name, and 4 bytes for each block of a file. For each worker it
// holds three blocks and what the compression needs: 1 MiB with gzip, up to 7 MiB
// with zstd below level 10, and 40 MiB from there on. Another 16 MiB are for what is
// being read.
//
// Open holds about 200 bytes for an entry with a short name, and an open file 4
// bytes for each of its blocks. An image that is beyond these limits, or that
// contradicts itself, is an error, and costs no more memory than they allow:
//
//	names in an image                     2097152
//	names, targets and attributes         256 MiB in memory, names with their folders
//	listings of directories               256 MiB
//	bytes of a path                       4096
//	bytes of a name                       255
//	bytes of a link's target              4095
//	bytes of an extended attribute        65536, and 255 of its name
//	extended attributes of one file       1 MiB with their names
//	sets of extended attributes           2097152
//	blocks of a file                      16777216
//	blocks of short files and tails       16777216
//
// A directory that is in two places, or in itself, is an error, as are two
// entries of one name in a directory. Blocks that unpack to more or less than they
// should are errors when they are read. The table of inode numbers is not used.
//
// Write's own limits are:
//
//	names in a tree                       2097152
//	directories inside one another        2048
//	blocks of a file                      16777216: 16 TiB in blocks of 1 MiB
//	bytes of a name                       255
//	bytes of a link's target              4095
//	bytes of an extended attribute        65536, and 255 of its name
//	extended attributes of one file       1 MiB with their names
//	different owners and groups           65535 together
//	device numbers                        4095:1048575
//	inodes, and names, when packed        4 GiB each
//
// Beyond a limit there is an error that names the entry. Compressions other
// than gzip, xz and zstd are not written, and xz has no levels and is slow.
package squashfs
