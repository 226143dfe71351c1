package artifacts

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

var (
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.ReadLinkFS = (*Tree)(nil)
)

// A Tree is a file tree with all that a root file system needs, read from a
// tar or a directory without unpacking. It keeps to the rules that the package
// comment of netbootkit gives for file trees: [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header], and further names of a file have the type TypeLink there.
//
// Open, Stat and ReadDir follow symbolic links, always inside the tree:
// absolute targets start at its root, and `..` stops there. More than 40 for one
// name are an error, as on Linux. Opening a device or a pipe gives an empty file
// and touches no device. Names are valid in the sense of [fs.ValidPath], except
// that bytes which are not UTF-8 are kept as they are.
//
// A Tree holds names and attributes in memory, about 170 bytes for an entry
// with a short name, and no contents. At most 2097152 entries are accepted, 256 MiB
// of names, targets and attributes, 4096 bytes for a path or a target, and 255 for
// each element of a path. A Tree may be used concurrently.
type Tree struct {
	files  *treefs.FS
	closer io.Closer
}

// OpenTar returns the tree of the uncompressed tar in r, which has size bytes.
// It reads the headers once; contents are read from r when asked for, so r must
// stay as it is. V7, USTAR, PAX and GNU archives are understood, with sparse
// files of all four formats. Of entries with one name the last wins; directories
// that no entry describes have mode 0755 and belong to root; hard links are
// further names of one file. Entries of unknown type are an error, as are hard
// links to what is not there, and archives beyond the limits of a [Tree].
//
// Files of the tree implement [io.ReaderAt] and [io.Seeker], and have methods
// Size and NextData, which knows the holes of sparse files.
func OpenTar(r io.ReaderAt, size int64) (*Tree, error) {
	tree, err := tartree.Scan(r, size)
	if err != nil {
		return nil, fmt.Errorf("artifacts: tar: %w", err)
	}
	closer, _ := r.(io.Closer)
	return &Tree{treefs.New(tree, treefs.Tar(r)), closer}, nil
}

// Close closes what the tree was opened with, if that is an [io.Closer]. Who
// wants to go on with that does not close the tree: it holds nothing else.
func (t *Tree) Close() error {
	if t.closer == nil {
		return nil
	}
	return t.closer.Close()
}

// Open implements [fs.FS].
func (t *Tree) Open(name string) (fs.File, error) { return t.files.Open(name) }

// ReadDir implements [fs.ReadDirFS].
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) { return t.files.ReadDir(name) }

// Stat implements [fs.StatFS].
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.files.Stat(name) }

// Lstat implements [fs.ReadLinkFS].
func (t *Tree) Lstat(name string) (fs.FileInfo, error) { return t.files.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS]. The target is as in the archive.
func (t *Tree) ReadLink(name string) (string, error) { return t.files.ReadLink(name) }
