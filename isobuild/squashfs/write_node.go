package squashfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"
)

// What an entry of the tree may have.
const (
	maxDepth     = 2048
	maxTarget    = 4095 // bytes of a link's target (symlink(2))
	maxMajor     = 1<<12 - 1
	maxMinor     = 1<<20 - 1
	maxIDs       = 1<<16 - 1 // owners and groups together
	maxXattrName = 255
	maxXattr     = 64 << 10 // bytes of a value (xattr(7))
)

// A node is an entry of the tree.
type node struct {
	name   string
	parent *node
	same   *node    // this is a further name of that node
	kids   []*node  // of a directory, sorted
	file   *content // of a regular file
	target string   // of a symbolic link; of a further name until it was found
	size   int64    // of a regular file
	ref    uint64   // where the inode is in the inode table
	list   *listing // of a directory
	number uint32
	links  uint32
	mtime  uint32
	device uint32
	xattrs uint32
	mode   uint16 // permissions, setuid, setgid and sticky
	kind   uint16 // the basic type of inode; 0 for a further name
	uid    uint16 // index of the table of IDs
	gid    uint16
}

// inode returns the node that holds what n is a name of.
func (n *node) inode() *node {
	if n.same != nil {
		return n.same
	}
	return n
}

// isDir says whether n is a directory.
func (n *node) isDir() bool { return n.kind == typeDir }

// path returns the path of n in the tree.
func (n *node) path() string {
	if n.parent == nil {
		return "."
	}
	var names []string
	for ; n.parent != nil; n = n.parent {
		names = append(names, n.name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// checkName says what is wrong with the name of an entry.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("%.300q is no name", name)
	case len(name) > maxName:
		return fmt.Errorf("name has %d bytes, at most %d are possible", len(name), maxName)
	default:
		return nil
	}
}

// newNode returns the node for what info says, still without content. A
// further name of a file has its first name in target, and the kind 0.
func (t *tables) newNode(info fs.FileInfo) (*node, error) {
	n := &node{name: info.Name(), links: 1, xattrs: noXattr, mode: permissions(info.Mode()), mtime: seconds(info.ModTime())}
	header, ok := info.Sys().(*tar.Header)
	if !ok {
		header = &tar.Header{}
	}
	if header.Typeflag == tar.TypeLink && !info.IsDir() {
		n.target = header.Linkname
		return n, nil
	}
	var err error
	if n.kind, err = kindOf(info.Mode()); err != nil {
		return nil, err
	}
	switch n.kind {
	case typeFile:
		if n.size = info.Size(); n.size < 0 {
			return nil, fmt.Errorf("size is %d", n.size)
		}
	case typeBlock, typeChar:
		if n.device, err = device(header.Devmajor, header.Devminor); err != nil {
			return nil, err
		}
	}
	if n.uid, err = t.id(header.Uid); err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	if n.gid, err = t.id(header.Gid); err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	n.xattrs, err = t.xattrs.add(header.PAXRecords)
	return n, err
}

// permissions returns the lower twelve bits of a mode as Unix has them.
func permissions(m fs.FileMode) uint16 {
	p := uint16(m.Perm())
	if m&fs.ModeSetuid != 0 {
		p |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		p |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		p |= 0o1000
	}
	return p
}

// kindOf returns the basic type of inode for a mode.
func kindOf(m fs.FileMode) (uint16, error) {
	switch m.Type() {
	case 0:
		return typeFile, nil
	case fs.ModeDir:
		return typeDir, nil
	case fs.ModeSymlink:
		return typeSymlink, nil
	case fs.ModeDevice:
		return typeBlock, nil
	case fs.ModeDevice | fs.ModeCharDevice:
		return typeChar, nil
	case fs.ModeNamedPipe:
		return typeFIFO, nil
	case fs.ModeSocket:
		return typeSocket, nil
	default:
		return 0, fmt.Errorf("a file of type %v cannot be kept", m.Type())
	}
}

// seconds returns t as an image has it: times before 1970 and after 2106
// become the nearest one.
func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}

// device returns a device's number as the kernel packs it.
func device(major, minor int64) (uint32, error) {
	if major < 0 || major > maxMajor || minor < 0 || minor > maxMinor {
		return 0, fmt.Errorf("device %d:%d not in 0:0..%d:%d", major, minor, maxMajor, maxMinor)
	}
	return uint32(minor&0xff | major<<8 | minor&^0xff<<12), nil
}

// checkTarget says what is wrong with the target of a symbolic link.
func checkTarget(target string) error {
	if target == "" || len(target) > maxTarget {
		return fmt.Errorf("target has %d bytes, 1 to %d are possible", len(target), maxTarget)
	}
	return nil
}

// at returns err with the path where it happened, unless err tells it.
func at(name string, err error) error {
	var known *fs.PathError
	if errors.As(err, &known) && known.Path == name {
		return fmt.Errorf("squashfs: %w", err)
	}
	return fmt.Errorf("squashfs: %.300s: %w", name, err)
}
