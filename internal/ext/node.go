package ext

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

// A node is an entry of the tree.
type node struct {
	name    string
	target  string // of a symbolic link; of a further name until it was found
	parent  *node
	same    *node    // this is a further name of that node
	kids    []*node  // of a directory, sorted
	index   *index   // of a directory with an index
	runs    []run    // where the content is, or, before it was placed, which of it is data
	maps    []mapped // blocks that say where the content is
	body    string   // extended attributes in the inode
	outside *xattrs  // extended attributes in a block
	size    int64
	seconds int64
	nanos   uint32
	number  uint32 // of the inode
	links   uint32
	uid     uint32
	gid     uint32
	device  uint32
	mode    uint16 // with the type; the type of a further name is 0
	sparse  bool   // runs says which of the content is data
}

// A run is a part of a file that lies in one piece. Units are blocks.
type run struct{ logical, start, blocks uint32 }

// inode returns the node that holds what n is a name of.
func (n *node) inode() *node {
	if n.same != nil {
		return n.same
	}
	return n
}

func (n *node) kind() uint16 { return n.mode & typeMask }
func (n *node) isDir() bool  { return n.kind() == typeDir }

// isFast says whether n is a link whose target lies in the inode.
func (n *node) isFast() bool { return n.kind() == typeSymlink && len(n.target) <= fastTarget }

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
// further name of a file has its first name in target.
func (w *walk) newNode(info fs.FileInfo) (*node, error) {
	n := &node{name: info.Name(), links: 1}
	header, ok := info.Sys().(*tar.Header)
	if !ok {
		header = &tar.Header{}
	}
	if header.Typeflag == tar.TypeLink && !info.IsDir() {
		n.target = header.Linkname
		return n, nil
	}
	kind, err := kindOf(info.Mode())
	if err != nil {
		return nil, err
	}
	n.mode = kind | permissions(info.Mode())
	n.setTime(info.ModTime())
	switch kind {
	case typeFile:
		if n.size = info.Size(); n.size < 0 || n.size > w.maxFile {
			return nil, fmt.Errorf("size is %d, not 0 to %d", n.size, w.maxFile)
		}
	case typeBlock, typeChar:
		if n.device, err = device(header.Devmajor, header.Devminor); err != nil {
			return nil, err
		}
	}
	if n.uid, err = id("owner", header.Uid); err != nil {
		return nil, err
	}
	if n.gid, err = id("group", header.Gid); err != nil {
		return nil, err
	}
	n.body, n.outside, err = w.xattrs.add(header.PAXRecords)
	return n, err
}

// setTime keeps t, or the nearest time that an inode can have.
func (n *node) setTime(t time.Time) {
	n.seconds, n.nanos = t.Unix(), uint32(t.Nanosecond())
	if n.seconds < minTime || n.seconds > maxTime {
		n.seconds, n.nanos = min(max(n.seconds, minTime), maxTime), 0
	}
}

// permissions returns the lower twelve bits of a mode as Unix has them.
func permissions(m fs.FileMode) uint16 {
	p := uint16(m.Perm())
	for bit, flag := range map[uint16]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&flag != 0 {
			p |= bit
		}
	}
	return p
}

// kindOf returns the type of a file.
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

// id returns the number of an owner or a group.
func id(what string, n int) (uint32, error) {
	if int64(n) < 0 || int64(n) > math.MaxUint32 {
		return 0, fmt.Errorf("%s is %d, not 0 to %d", what, n, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}

// device returns a device's number as Linux packs it.
func device(major, minor int64) (uint32, error) {
	if major < 0 || major > maxMajor || minor < 0 || minor > maxMinor {
		return 0, fmt.Errorf("device %d:%d not in 0:0..%d:%d", major, minor, maxMajor, maxMinor)
	}
	return uint32(minor&0xff | major<<8 | minor&^0xff<<12), nil
}

// at returns err with the path where it happened, unless err tells it.
func at(name string, err error) error {
	var known *fs.PathError
	if errors.As(err, &known) && known.Path == name {
		return fmt.Errorf("ext: %w", err)
	}
	return fmt.Errorf("ext: %.300s: %w", name, err)
}
