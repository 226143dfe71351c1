package squashfs

import (
	"archive/tar"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// inodeHead is how many bytes all inodes have in common.
const inodeHead = 16

// An inode is what the inode table says of a file, whatever its names.
type inode struct {
	kind     uint16 // basic type
	mode     uint16
	uid, gid uint16 // indices
	mtime    uint32
	links    uint32
	xattr    uint32 // index, or noXattr

	// Of a directory: where its listing is, and how long.
	listing inodeRef
	length  int64

	// Of a regular file.
	size     int64
	start    int64 // of the first block
	fragment uint32
	offset   int64 // in the fragment

	target string // of a symbolic link
	device uint32
}

// inodeSize returns, for each type, how many bytes follow the head, without
// what has no fixed size.
func inodeSize(kind uint16) int {
	switch kind {
	case typeDir, typeFile:
		return 16
	case typeSymlink, typeBlock, typeChar:
		return 8
	case typeFIFO, typeSocket:
		return 4
	case typeExtended + typeDir:
		return 24
	case typeExtended + typeFile:
		return 40
	case typeExtended + typeSymlink:
		return 8
	case typeExtended + typeBlock, typeExtended + typeChar:
		return 12
	case typeExtended + typeFIFO, typeExtended + typeSocket:
		return 8
	default:
		return -1
	}
}

// readInode reads the inode at ref. C then stands behind it: for a regular
// file, at its list of blocks.
func (c *cursor) readInode(ref inodeRef) (*inode, error) {
	if err := c.seekRef(c.store.im.inodes, ref); err != nil {
		return nil, err
	}
	var buf [inodeHead + 40]byte
	if err := c.read(buf[:inodeHead]); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	kind := le.Uint16(buf[0:])
	n := &inode{
		kind: kind, mode: le.Uint16(buf[2:]), uid: le.Uint16(buf[4:]), gid: le.Uint16(buf[6:]),
		mtime: le.Uint32(buf[8:]), links: 1, xattr: noXattr,
	}
	length := inodeSize(kind)
	if length < 0 {
		return nil, fmt.Errorf("unknown inode type %d", kind)
	}
	b := buf[inodeHead : inodeHead+length]
	if err := c.read(b); err != nil {
		return nil, err
	}
	if kind > typeExtended {
		n.kind -= typeExtended
		n.extended(b)
	} else {
		n.basic(b)
	}
	return n, c.finishInode(n, le.Uint32(b[min(4, len(b)-4):]), kind)
}

// basic reads what follows the head of a basic inode.
func (n *inode) basic(b []byte) {
	le := binary.LittleEndian
	switch n.kind {
	case typeDir:
		n.listing = inodeRef(le.Uint32(b))<<16 | inodeRef(le.Uint16(b[10:]))
		n.links, n.length = le.Uint32(b[4:]), int64(le.Uint16(b[8:]))
	case typeFile:
		n.start, n.fragment = int64(le.Uint32(b)), le.Uint32(b[4:])
		n.offset, n.size = int64(le.Uint32(b[8:])), int64(le.Uint32(b[12:]))
	case typeBlock, typeChar:
		n.links, n.device = le.Uint32(b), le.Uint32(b[4:])
	default:
		n.links = le.Uint32(b)
	}
}

// extended reads what follows the head of an extended inode.
func (n *inode) extended(b []byte) {
	le := binary.LittleEndian
	switch n.kind {
	case typeDir:
		n.listing = inodeRef(le.Uint32(b[8:]))<<16 | inodeRef(le.Uint16(b[18:]))
		n.links, n.length, n.xattr = le.Uint32(b), int64(le.Uint32(b[4:])), le.Uint32(b[20:])
	case typeFile:
		n.start, n.size = int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
		n.links, n.fragment = le.Uint32(b[24:]), le.Uint32(b[28:])
		n.offset, n.xattr = int64(le.Uint32(b[32:])), le.Uint32(b[36:])
	case typeBlock, typeChar:
		n.links, n.device, n.xattr = le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:])
	case typeFIFO, typeSocket:
		n.links, n.xattr = le.Uint32(b), le.Uint32(b[4:])
	default:
		n.links = le.Uint32(b) // The attributes of a symbolic link follow its target.
	}
}

// finishInode reads the target of a symbolic link, which has length bytes, and
// checks what is known of the others.
func (c *cursor) finishInode(n *inode, length uint32, kind uint16) error {
	switch n.kind {
	case typeFile:
		if size := uint64(n.size); size/uint64(c.store.im.blockSize) >= maxBlocks {
			return fmt.Errorf("file of %d bytes has more than %d blocks", size, maxBlocks)
		}
		if n.start < 0 || n.start > c.store.im.size {
			return fmt.Errorf("file data at byte %d of %d", uint64(n.start), c.store.im.size)
		}
	case typeSymlink:
		if length == 0 || length > dentry.MaxTarget {
			return fmt.Errorf("symbolic link's target has %d bytes, not 1 to %d", length, dentry.MaxTarget)
		}
		target := make([]byte, length+4)
		b := target[:length]
		if kind > typeExtended {
			b = target
		}
		if err := c.read(b); err != nil {
			return err
		}
		if kind > typeExtended {
			n.xattr = binary.LittleEndian.Uint32(target[length:])
		}
		n.target = string(target[:length])
	}
	return nil
}

// header returns n as a tar header without a name or attributes. Owners are
// looked up in ids.
func (n *inode) header(ids []uint32) (*tar.Header, error) {
	if int(max(n.uid, n.gid)) >= len(ids) {
		return nil, fmt.Errorf("owner %d of %d", max(n.uid, n.gid), len(ids))
	}
	return &tar.Header{
		Typeflag: n.typeflag(), Linkname: n.target, Size: n.size,
		Mode: int64(n.mode & 0o7777), Uid: int(ids[n.uid]), Gid: int(ids[n.gid]), ModTime: time.Unix(int64(n.mtime), 0),
		Devmajor: int64(n.device & 0xfff00 >> 8), Devminor: int64(n.device&0xff | n.device>>12&0xfff00),
	}, nil
}

// typeflag returns the type as a tar has it, 0 if it has none.
func (n *inode) typeflag() byte {
	switch n.kind {
	case typeDir:
		return tar.TypeDir
	case typeFile:
		return tar.TypeReg
	case typeSymlink:
		return tar.TypeSymlink
	case typeBlock:
		return tar.TypeBlock
	case typeChar:
		return tar.TypeChar
	case typeFIFO:
		return tar.TypeFifo
	default:
		return 0
	}
}
