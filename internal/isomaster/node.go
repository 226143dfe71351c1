package isomaster

import (
	"archive/tar"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// Types of files in PX (POSIX: the file type bits of st_mode).
const (
	typeMask      = 0o170000
	typeSocket    = 0o140000
	typeLink      = 0o120000
	typeRegular   = 0o100000
	typeBlock     = 0o060000
	typeDirectory = 0o040000
	typeChar      = 0o020000
	typeFifo      = 0o010000
)

const (
	// maxName is the longest name that Linux reads from NM entries, in bytes.
	maxName = 253
	// maxTarget is the longest link target that Linux reads, in bytes: a page
	// less the zero at its end.
	maxTarget = 4095
	// maxSections is how many extents Linux follows for one file.
	maxSections = 100
	// maxSection is the size of the sections that large files are split into:
	// the largest multiple of a block that the size field holds.
	maxSection = 1<<32 - iso9660.BlockSize
)

// file is what n names: n itself, or the node that it is a hard link to.
func (n *Node) file() *Node {
	if n.Same != nil {
		return n.Same
	}
	return n
}

// outside says whether n is left out of the tree of the partition.
func (n *Node) outside() bool {
	return n.Outside || n.Same != nil && n.Same.Outside
}

// mode is type and mode of n, which is no link, as PX has them. The type is 0 if
// n cannot be recorded.
func (n *Node) mode() uint32 {
	if n.Header == nil {
		if n.Children != nil || n.Name == "" {
			return typeDirectory | 0o755
		}
		return typeRegular | 0o644
	}
	mode := uint32(n.Header.Mode) & 0o7777
	switch n.Header.Typeflag {
	case tar.TypeReg, 0, tar.TypeCont, tar.TypeGNUSparse:
		if n.Header.Mode&typeMask == typeSocket {
			return typeSocket | mode
		}
		return typeRegular | mode
	case tar.TypeDir:
		return typeDirectory | mode
	case tar.TypeSymlink:
		return typeLink | mode
	case tar.TypeChar:
		return typeChar | mode
	case tar.TypeBlock:
		return typeBlock | mode
	case tar.TypeFifo:
		return typeFifo | mode
	}
	return 0
}

func (n *Node) isDirectory() bool { return n.mode()&typeMask == typeDirectory }

// inJoliet says whether Joliet can carry n, which is no link.
func (n *Node) inJoliet() bool {
	t := n.mode() & typeMask
	return t == typeDirectory || t == typeRegular
}

// owner is the user and the group that n, which is no link, belongs to.
func (n *Node) owner() (user, group uint32) {
	if n.Header == nil {
		return 0, 0
	}
	return uint32(n.Header.Uid), uint32(n.Header.Gid)
}

// time is that of n, which is no link, or else standard.
func (n *Node) time(standard time.Time) time.Time {
	if n.Header == nil || n.Header.ModTime.IsZero() {
		return standard
	}
	return n.Header.ModTime
}

// sections are the extents of n split into parts that a record can hold. An
// empty file has one of no size.
func (n *Node) sections() []iso9660.Extent {
	var s []iso9660.Extent
	for _, e := range n.Extents {
		for e.Size > maxSection {
			s = append(s, iso9660.Extent{Block: e.Block, Size: maxSection})
			e.Block += maxSection / iso9660.BlockSize
			e.Size -= maxSection
		}
		if e.Size > 0 {
			s = append(s, e)
		}
	}
	if len(s) == 0 {
		s = append(s, iso9660.Extent{})
	}
	return s
}

// check says why the records of n cannot be made, wherever its data is.
func (n *Node) check() error {
	switch {
	case n.Name == "." || n.Name == ".." || n.Name == "":
		return errors.New("no name of a file")
	case strings.ContainsAny(n.Name, "/\x00"):
		return errors.New("name with a slash or a zero byte")
	case len(n.Name) > maxName:
		return fmt.Errorf("name of %d bytes, and Linux reads at most %d from Rock Ridge", len(n.Name), maxName)
	case n.Same == nil:
		return n.checkFile()
	case n.Same.Same != nil:
		return errors.New("hard link to a hard link")
	case n.Same.isDirectory():
		return errors.New("hard link to a directory")
	}
	return nil
}

func (n *Node) checkFile() error {
	kind := n.mode() & typeMask
	switch {
	case kind == 0:
		return fmt.Errorf("type %q of the header cannot be recorded", n.Header.Typeflag)
	case kind != typeDirectory && len(n.Children) > 0:
		return errors.New("has children and is no directory")
	case kind != typeRegular && len(n.Extents) > 0:
		return errors.New("has extents and is no regular file")
	}
	if h := n.Header; h != nil {
		if err := checkHeader(h, kind); err != nil {
			return err
		}
	}
	for i, e := range n.Extents {
		if e.Size < 0 || i < len(n.Extents)-1 && e.Size%iso9660.BlockSize != 0 {
			return fmt.Errorf("extent %d of %d has %d bytes, want a multiple of %d", i+1, len(n.Extents), e.Size, iso9660.BlockSize)
		}
	}
	if s := len(n.sections()); s > maxSections {
		return fmt.Errorf("%d sections, and Linux reads at most %d", s, maxSections)
	}
	return nil
}

func checkHeader(h *tar.Header, kind uint32) error {
	const highest = int64(1<<32 - 1)
	if h.Uid != int(uint32(h.Uid)) || h.Gid != int(uint32(h.Gid)) { // An int of 32 bits is negative from 1<<31 on, as in archive/tar.
		return fmt.Errorf("owner %d:%d is not in 0..%d", h.Uid, h.Gid, highest)
	}
	switch kind {
	case typeLink:
		if h.Linkname == "" {
			return errors.New("symbolic link without a target")
		}
		if len(h.Linkname) > maxTarget {
			return fmt.Errorf("link target of %d bytes, and Linux reads at most %d", len(h.Linkname), maxTarget)
		}
		if strings.Contains(h.Linkname, "\x00") {
			return errors.New("link target with a zero byte")
		}
	case typeBlock, typeChar:
		if h.Devmajor < 0 || h.Devmajor > highest || h.Devminor < 0 || h.Devminor > highest {
			return fmt.Errorf("device number %d:%d is not in 0..%d", h.Devmajor, h.Devminor, highest)
		}
		if h.Devmajor == 0 && h.Devminor > 0xff {
			return fmt.Errorf("device number %d:%d, which Linux reads as another one", h.Devmajor, h.Devminor)
		}
	}
	return nil
}
