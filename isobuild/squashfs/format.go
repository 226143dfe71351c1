package squashfs

import "fmt"

// A Compression says how blocks are packed. Its values are those of the
// superblock.
type Compression uint16

// The compressions that Write knows.
const (
	Gzip Compression = 1 // zlib streams, in truth; every kernel reads it
	XZ   Compression = 4 // Linux 2.6.38; small, and slow to write
	Zstd Compression = 6 // Linux 4.14
)

// The compressions that Write does not know.
const (
	lzma Compression = 2 // never read by the kernel
	lzo  Compression = 3
	lz4  Compression = 5
)

// String implements [fmt.Stringer].
func (c Compression) String() string {
	switch c {
	case Gzip:
		return "gzip"
	case lzma:
		return "lzma"
	case lzo:
		return "lzo"
	case XZ:
		return "xz"
	case lz4:
		return "lz4"
	case Zstd:
		return "zstd"
	default:
		return fmt.Sprintf("compression %d", uint16(c))
	}
}

// A superblock is the first 96 bytes of an image, in little-endian order.
// Positions count from the start of the image.
type superblock struct {
	Magic         uint32
	Inodes        uint32
	Time          uint32 // when the image was made, in seconds since 1970
	BlockSize     uint32
	Fragments     uint32
	Compression   Compression
	BlockLog      uint16 // of BlockSize, to the base of 2
	Flags         uint16
	IDs           uint16
	Major, Minor  uint16
	Root          uint64 // reference of the root's inode
	Used          uint64 // bytes before the padding
	IDTable       uint64
	XattrTable    uint64 // noTable if there is none
	InodeTable    uint64
	DirTable      uint64
	FragmentTable uint64
	ExportTable   uint64 // noTable if there is none
}

// What is fixed.
const (
	magic          = 0x73717368 // "hsqs"
	majorVersion   = 4
	minorVersion   = 0
	superblockSize = 96

	metaSize      = 8192    // bytes of a metadata block when unpacked, but for the last
	metaStored    = 1 << 15 // in a metadata block's header: it is not packed
	blockStored   = 1 << 24 // in the size of a data block: it is not packed
	minBlockSize  = 4 << 10
	maxBlockSize  = 1 << 20
	noFragment    = 1<<32 - 1
	noXattr       = 1<<32 - 1
	noTable       = 1<<64 - 1
	padding       = 4096 // images end at a multiple of it, or the kernel reads beyond the device
	maxName       = 255  // bytes of a name
	maxDirHeader  = 256  // entries behind one header of a directory
	dirHeaderSize = 12
	dirEntrySize  = 8 // without the name
	dirExtra      = 3 // the size in a directory's inode counts "." and ".." as three bytes
	fragmentSize  = 16
	xattrIDSize   = 16
)

// Flags of the superblock.
const (
	flagNoFragments = 1 << 4
	flagDuplicates  = 1 << 6 // files with the same content share blocks
	flagExportable  = 1 << 7 // there is a table from inode numbers to inodes
	flagNoXattrs    = 1 << 9
	flagOptions     = 1 << 10 // what the compression was told follows the superblock
)

// Types of inodes. An extended type is the basic one and typeExtended.
const (
	typeDir      = 1
	typeFile     = 2
	typeSymlink  = 3
	typeBlock    = 4
	typeChar     = 5
	typeFIFO     = 6
	typeSocket   = 7
	typeExtended = 7
)

// Namespaces of extended attributes.
const (
	xattrUser     = 0
	xattrTrusted  = 1
	xattrSecurity = 2
	xattrOutside  = 1 << 8 // the value is elsewhere; what is here points there
)
