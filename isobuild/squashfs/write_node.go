package squashfs

import (
	"math"
	"time"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// What an entry of the tree may have, besides the limits of all.
const (
	maxIDs       = 1<<16 - 1 // owners and groups together
	maxXattrName = 255
	maxXattr     = 64 << 10 // bytes of a value (xattr(7))
)

// A node is an entry of the tree.
type node struct {
	dentry.Entry[*node]

	file   *content // of a regular file
	list   *listing // of a directory
	ref    uint64   // where the inode is in the inode table
	number uint32
	mtime  uint32
	xattrs uint32
	kind   uint16 // the basic type of inode; 0 for a further name
}

// kindOf returns the basic type of inode for the type of an entry.
func kindOf(t uint16) uint16 {
	switch t {
	case dentry.TypeFile:
		return typeFile
	case dentry.TypeDir:
		return typeDir
	case dentry.TypeSymlink:
		return typeSymlink
	case dentry.TypeBlock:
		return typeBlock
	case dentry.TypeChar:
		return typeChar
	case dentry.TypeFIFO:
		return typeFIFO
	case dentry.TypeSocket:
		return typeSocket
	default:
		return 0
	}
}

// seconds returns t as an image has it: times before 1970 and after 2106
// become the nearest one.
func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}

// at returns err with the path where it happened, unless err tells it.
func at(name string, err error) error { return dentry.At("squashfs", name, err) }
