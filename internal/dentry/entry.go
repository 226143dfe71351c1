package dentry

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// Types of a file, as the mode has them.
const (
	TypeFIFO    = 0x1000
	TypeChar    = 0x2000
	TypeDir     = 0x4000
	TypeBlock   = 0x6000
	TypeFile    = 0x8000
	TypeSymlink = 0xA000
	TypeSocket  = 0xC000

	typeMask = 0xF000
)

// A Node is what a file system keeps of an entry: a pointer to a struct that
// embeds [Entry].
type Node[N Node[N]] interface {
	comparable
	entry() *Entry[N]
}

// An Entry is what every file system keeps of an entry of the tree.
type Entry[N Node[N]] struct {
	Name   string
	Target string // of a symbolic link
	Parent N      // nil for the root
	Same   N      // this is a further name of that node
	Kids   []N    // of a directory
	Size   int64  // of a regular file or a target, in bytes
	Links  uint32
	UID    uint32
	GID    uint32
	Device uint32
	Mode   uint16 // permissions, setuid, setgid, sticky and the type; 0 for a further name
}

func (e *Entry[N]) entry() *Entry[N] { return e }

// Type returns one of the types, or 0 for a further name.
func (e *Entry[N]) Type() uint16 { return e.Mode & typeMask }

// IsDir says whether e is a directory.
func (e *Entry[N]) IsDir() bool { return e.Type() == TypeDir }

// Path returns the path of e in the tree.
func (e *Entry[N]) Path() string {
	var none N
	if e.Parent == none {
		return "."
	}
	var names []string
	for ; e.Parent != none; e = e.Parent.entry() {
		names = append(names, e.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// Inode returns the node that holds what n is a name of: n, or its first name.
func Inode[N Node[N]](n N) N {
	var none N
	if same := n.entry().Same; same != none {
		return same
	}
	return n
}

// set takes what info and header say. A further name has its first name in
// Target.
func (e *Entry[N]) set(info fs.FileInfo, header *tar.Header) (err error) {
	e.Name, e.Links = info.Name(), 1
	if header.Typeflag == tar.TypeLink && !info.IsDir() {
		e.Target = header.Linkname
		return nil
	}
	if e.Mode, err = mode(info.Mode()); err != nil {
		return err
	}
	switch e.Type() {
	case TypeFile:
		if e.Size = info.Size(); e.Size < 0 {
			return fmt.Errorf("size is %d", e.Size)
		}
	case TypeBlock, TypeChar:
		if e.Device, err = device(header.Devmajor, header.Devminor); err != nil {
			return err
		}
	}
	if e.UID, err = id("owner", header.Uid); err != nil {
		return err
	}
	e.GID, err = id("group", header.Gid)
	return err
}

// mode returns m as Unix has it.
func mode(m fs.FileMode) (uint16, error) {
	bits := uint16(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	switch m.Type() {
	case 0:
		return bits | TypeFile, nil
	case fs.ModeDir:
		return bits | TypeDir, nil
	case fs.ModeSymlink:
		return bits | TypeSymlink, nil
	case fs.ModeDevice:
		return bits | TypeBlock, nil
	case fs.ModeDevice | fs.ModeCharDevice:
		return bits | TypeChar, nil
	case fs.ModeNamedPipe:
		return bits | TypeFIFO, nil
	case fs.ModeSocket:
		return bits | TypeSocket, nil
	default:
		return 0, fmt.Errorf("a file of type %v cannot be kept", m.Type())
	}
}

// device returns a device's number as Linux packs it.
func device(major, minor int64) (uint32, error) {
	const maxMajor, maxMinor = 1<<12 - 1, 1<<20 - 1
	if major < 0 || major > maxMajor || minor < 0 || minor > maxMinor {
		return 0, fmt.Errorf("device %d:%d not in 0:0..%d:%d", major, minor, maxMajor, maxMinor)
	}
	return uint32(minor&0xff | major<<8 | minor&^0xff<<12), nil
}

// id returns the number of an owner or a group.
func id(what string, n int) (uint32, error) {
	if n != int(uint32(n)) { // An int of 32 bits is negative from 1<<31 on, as in archive/tar.
		return 0, fmt.Errorf("%s: ID %d not in 0..%d", what, n, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}
