package squashfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// An image is the part of r that the superblock describes, with what the
// superblock says.
type image struct {
	r           io.ReaderAt
	size        int64 // bytes in use: nothing is read beyond
	compression Compression
	blockSize   int64
	inodes      int64 // where the inode table starts
	dirs        int64 // where the directory table starts
	root        inodeRef
	ids         indexed // owners and groups
	fragments   indexed
	xattrs      int64 // where the table of attribute lists is, or noTable
}

// readSuperblock reads and checks the superblock of what is in r.
func readSuperblock(r io.ReaderAt, size int64) (*image, error) {
	var b [superblockSize]byte
	if size < superblockSize {
		return nil, fmt.Errorf("%d bytes are too few for a superblock, which has %d: %w", size, superblockSize, io.ErrUnexpectedEOF)
	}
	if err := readFull(r, b[:], 0); err != nil {
		return nil, fmt.Errorf("superblock: %w", err)
	}
	var sb superblock
	if _, err := binary.Decode(b[:], binary.LittleEndian, &sb); err != nil {
		return nil, err
	}
	im := &image{
		r:           r,
		size:        int64(sb.Used),
		compression: sb.Compression,
		blockSize:   int64(sb.BlockSize),
		inodes:      int64(sb.InodeTable),
		dirs:        int64(sb.DirTable),
		root:        inodeRef(sb.Root),
		ids:         indexed{what: "owner", start: int64(sb.IDTable), count: int64(sb.IDs), entry: 4},
		fragments:   indexed{what: "fragment", start: int64(sb.FragmentTable), count: int64(sb.Fragments), entry: fragmentSize},
		xattrs:      int64(sb.XattrTable),
	}
	if err := sb.checkFormat(); err != nil {
		return nil, err
	}
	return im, im.check(size, sb.BlockLog)
}

// checkFormat returns an error that says what it is instead if it is not
// SquashFS 4.0.
func (sb *superblock) checkFormat() error {
	switch {
	case sb.Magic == bits.ReverseBytes32(magic):
		return errors.New("big-endian SquashFS, older than 4.0")
	case sb.Magic != magic:
		return fmt.Errorf("magic number %#08x is not that of SquashFS, %#08x", sb.Magic, uint32(magic))
	case sb.Major != majorVersion || sb.Minor != minorVersion:
		return fmt.Errorf("version %d.%d is not %d.%d", sb.Major, sb.Minor, majorVersion, minorVersion)
	default:
		return nil
	}
}

// check returns an error if what the superblock says cannot be.
func (im *image) check(size int64, blockLog uint16) error {
	switch {
	case im.blockSize < minBlockSize || im.blockSize > maxBlockSize || bits.OnesCount64(uint64(im.blockSize)) != 1:
		return fmt.Errorf("block size %d is not a power of two in %d..%d", im.blockSize, minBlockSize, maxBlockSize)
	case 1<<min(blockLog, 62) != im.blockSize:
		return fmt.Errorf("block size %d is not 1<<%d, as the superblock says too", im.blockSize, blockLog)
	case im.size < superblockSize || im.size > size:
		return fmt.Errorf("%d bytes in use, of %d: %w", im.size, size, io.ErrUnexpectedEOF)
	case im.inodes < superblockSize || im.inodes >= im.size:
		return fmt.Errorf("inode table at byte %d of %d", im.inodes, im.size)
	case im.dirs < im.inodes || im.dirs >= im.size:
		return fmt.Errorf("directory table at byte %d of %d, inode table at byte %d", im.dirs, im.size, im.inodes)
	case im.ids.count == 0:
		return errors.New("no owners")
	case im.fragments.count > maxFragments:
		return fmt.Errorf("%d fragments, more than %d", im.fragments.count, maxFragments)
	}
	return nil
}

// readAt fills p from byte off of the part of the image that is in use.
func (im *image) readAt(p []byte, off int64) error {
	if off < 0 || off > im.size-int64(len(p)) {
		return fmt.Errorf("%d bytes at byte %d of %d: %w", len(p), off, im.size, io.ErrUnexpectedEOF)
	}
	return readFull(im.r, p, off)
}

// readFull fills p from byte off of r.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil, errors.Is(err, io.EOF):
		return fmt.Errorf("%d bytes at byte %d: %w", len(p), off, io.ErrUnexpectedEOF)
	default:
		return err
	}
}
