package tartree

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// xattrPrefix is what a PAX record of an extended attribute starts with.
const xattrPrefix = "SCHILY.xattr."

// maxDevice is the largest device number that a tar header holds.
const maxDevice = 1<<21 - 1

// A Node is a file, directory, symbolic link, device or pipe, whatever its
// names. It takes 96 bytes.
type Node struct {
	Type         byte   // tar.TypeReg, TypeDir, TypeSymlink, TypeChar, TypeBlock or TypeFifo
	names        uint8  // in the frozen tree: none yet, one, or 2 for more
	Perm         uint16 // permissions with setuid, setgid and sticky, as in tar and chmod(2)
	UID, GID     uint32
	Major, Minor uint32            // of devices
	nanos        int32             // here for its size
	Target       string            // of a symbolic link
	Size         int64             // of a regular file, in bytes
	Offset       int64             // of a regular file's content, where the builder put it
	Sparse       *Sparse           // where the content is stored in pieces
	Xattrs       map[string]string // extended attributes by name

	seconds int64
	first   *entryName
	dir     *directory // of a directory
}

// An entryName is the place of one name.
type entryName struct {
	dir  *Node
	name string
}

// NewNode returns the node that h describes, other than its content. It
// fails for types that are no file of a tree: hard links, headers and unknown
// ones.
func NewNode(h *tar.Header) (*Node, error) {
	n := &Node{
		Type:    h.Typeflag,
		Perm:    uint16(h.Mode & 0o7777),
		seconds: h.ModTime.Unix(), nanos: int32(h.ModTime.Nanosecond()),
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		n.Type, n.Size = tar.TypeReg, h.Size
	case tar.TypeSymlink:
		n.Target = strings.Clone(h.Linkname)
		if n.Target == "" || len(n.Target) > maxPath {
			return nil, fmt.Errorf("symbolic link's target has %d bytes, not 1 to %d", len(n.Target), maxPath)
		}
	case tar.TypeChar, tar.TypeBlock:
		if min(h.Devmajor, h.Devminor) < 0 || max(h.Devmajor, h.Devminor) > maxDevice {
			return nil, fmt.Errorf("device number %d,%d is out of range", h.Devmajor, h.Devminor)
		}
		n.Major, n.Minor = uint32(h.Devmajor), uint32(h.Devminor)
	case tar.TypeDir, tar.TypeFifo:
	default:
		return nil, fmt.Errorf("unknown type %q", h.Typeflag)
	}
	if h.Uid != int(uint32(h.Uid)) || h.Gid != int(uint32(h.Gid)) { // An int of 32 bits is negative from 1<<31 on, as in archive/tar.
		return nil, fmt.Errorf("owner %d:%d is out of range", h.Uid, h.Gid)
	}
	n.UID, n.GID = uint32(h.Uid), uint32(h.Gid)
	for key, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok {
			n.setXattr(strings.Clone(name), strings.Clone(value))
		}
	}
	return n, nil
}

func (n *Node) setXattr(name, value string) {
	if n.Xattrs == nil {
		n.Xattrs = make(map[string]string, 1)
	}
	n.Xattrs[name] = value
}

// weight is how many bytes of memory n takes beside its fixed part.
func (n *Node) weight() int64 {
	sum := len(n.Target)
	for name, value := range n.Xattrs {
		sum += len(name) + len(value) + 64 // for the map
	}
	return int64(sum) + n.Sparse.weight()
}

// adopt gives n what other says of a directory, but keeps its entries.
func (n *Node) adopt(other *Node) {
	n.Perm, n.UID, n.GID, n.Xattrs = other.Perm, other.UID, other.GID, other.Xattrs
	n.seconds, n.nanos = other.seconds, other.nanos
}

// ModTime returns when the content last changed.
func (n *Node) ModTime() time.Time { return time.Unix(n.seconds, int64(n.nanos)).UTC() }

// IsDir says whether n is a directory.
func (n *Node) IsDir() bool { return n.Type == tar.TypeDir }

// Mode returns type and permissions as package fs has them.
func (n *Node) Mode() fs.FileMode {
	h := tar.Header{Typeflag: n.Type, Mode: int64(n.Perm)}
	return h.FileInfo().Mode()
}

// Entries returns the entries of a directory of a frozen tree, sorted by
// name. The slice is shared: it must not be changed.
func (n *Node) Entries() []Entry {
	if n.dir == nil {
		return nil
	}
	return n.dir.sorted
}

// FirstPath returns the first path of n in the order of [fs.WalkDir], for a
// node with several names in a frozen tree, and for a directory its path;
// otherwise it returns "".
func (n *Node) FirstPath() string {
	switch {
	case n.dir != nil:
		return n.dir.path()
	case n.first != nil:
		return join(n.first.dir.dir.path(), n.first.name)
	default:
		return ""
	}
}

// Header returns n as a tar header called name: TypeLink if that is not
// n's first path. It is a fresh one.
func (n *Node) Header(name string) *tar.Header {
	h := &tar.Header{
		Typeflag: n.Type, Name: name, Linkname: n.Target, Size: n.Size,
		Mode: int64(n.Perm), Uid: int(n.UID), Gid: int(n.GID), ModTime: n.ModTime(),
		Devmajor: int64(n.Major), Devminor: int64(n.Minor), Format: tar.FormatPAX,
	}
	for _, key := range slices.Sorted(maps.Keys(n.Xattrs)) {
		if h.PAXRecords == nil {
			h.PAXRecords = make(map[string]string, len(n.Xattrs))
		}
		h.PAXRecords[xattrPrefix+key] = n.Xattrs[key]
	}
	switch first := n.FirstPath(); {
	case n.IsDir() && name == ".":
		h.Name = "./"
	case n.IsDir():
		h.Name += "/"
	case first != "" && first != name:
		h.Typeflag, h.Linkname = tar.TypeLink, first
	}
	return h
}
