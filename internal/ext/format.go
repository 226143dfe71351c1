package ext

// Sizes, in bytes if nothing else is said.
const (
	blockSize     = 4096
	blockBits     = 12
	sectorsPer    = blockSize / 512
	groupBlocks   = 8 * blockSize // blocks in a group: one block of bits
	inodeSize     = 256
	inodesPer     = blockSize / inodeSize
	superOffset   = 1024
	superSize     = 1024
	maxBlocks     = 1<<32 - 1
	pointersPer   = blockSize / 4 // block numbers in a block
	directBlocks  = 12            // of which an inode has the numbers, version 2
	bytesPerInode = 16384         // of the volume, for as many inodes as mke2fs makes
	flexGroups    = 16            // groups whose bitmaps and tables lie together, version 4
)

// Inodes that are not for files.
const (
	rootInode    = 2
	resizeInode  = 7
	journalInode = 8
	firstInode   = 11 // the first that is; it is lost+found's
)

// Features that old software may ignore, that it may not, and that it may not
// when it writes.
const (
	compatJournal  = 0x4
	compatXattr    = 0x8
	compatResize   = 0x10
	compatDirIndex = 0x20

	incompatFileType = 0x2
	incompatExtents  = 0x40
	incompat64Bit    = 0x80
	incompatFlexBG   = 0x200

	roSparseSuper = 0x1
	roLargeFile   = 0x2
	roHugeFile    = 0x8
	roDirLinks    = 0x20
	roExtraInode  = 0x40
	roChecksums   = 0x400
)

// Flags of an inode.
const (
	flagIndex   = 0x1000  // a directory with an index
	flagExtents = 0x80000 // i_block holds extents
)

// Flags of a group.
const (
	groupInodesUnused = 0x1 // the bitmap of inodes is not written
	groupBlocksUnused = 0x2 // nor that of blocks
	groupTableZeroed  = 0x4 // what the table of inodes does not hold is zeros
)

// What an entry of the tree may have, besides the limits of all.
const (
	fastTarget  = 59         // of one that lies in the inode
	maxLinks    = 65000      // names of a file, and version 2's subdirectories
	maxFile2    = 2044 << 30 // bytes, version 2: with its maps less than 2^32 sectors
	maxFile4    = 1<<44 - blockSize
	minTime     = -1 << 31
	maxTime     = 1<<34 - 1<<31 - 1
	maxExtent   = 32768     // blocks
	minSparse   = 64 << 10  // bytes of a file that is asked for its holes
	lostBlocks  = 4         // of an empty lost+found, as mke2fs makes it
	maxXattrRef = 1024      // inodes that share a block of extended attributes
	maxXattr    = blockSize // bytes of a value that can fit at all
)

// roundUp returns how many parts of size n fill.
func roundUp[T uint32 | uint64 | int64 | int](n, size T) T { return (n + size - 1) / size }
