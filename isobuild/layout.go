package isobuild

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

const (
	blockSize = iso9660.BlockSize

	// partitionBlock is where the first partition starts. Its own descriptors
	// are 16 blocks behind, so that it mounts by itself.
	partitionBlock = 16
	// dataBlock is the first block that is not reserved for descriptors.
	dataBlock = partitionBlock + 32
)

// A layout collects the files of a new image, gives them places, and puts the
// image together: first come addTree, addFile, addBIOS and addESP, in any order;
// then place; then finish.
type layout struct {
	cfg    *config
	at     time.Time
	files  *overlay.Builder           // until place
	apart  map[string]*isomaster.Node // files that place does not look for, by path
	root   *isomaster.Node
	image  *mosaic.Image
	volume isomaster.Volume
	next   uint32 // the first block that is free
	bios   *biosBoot
	esp    *mosaic.Image
}

// newLayout returns an empty layout of a volume called cfg.volumeID.
func newLayout(cfg *config) (*layout, error) {
	at := cfg.when()
	l := &layout{
		cfg: cfg, at: at, files: overlay.New(), apart: make(map[string]*isomaster.Node),
		image: mosaic.New(), next: dataBlock,
		volume: isomaster.Volume{ID: cfg.volumeID, Application: "NETBOOTKIT", Time: at},
	}
	return l, l.files.AddDir(".", 0o755, at)
}

// when returns the time of a new image.
func (c *config) when() time.Time {
	if c.time.IsZero() {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c.time
}

// addTree lays a tree over the files that are there.
func (l *layout) addTree(tree fs.FS) error { return l.files.AddTree(tree) }

// addFile makes a file of root's with the first size bytes of r, in place of
// what was there.
func (l *layout) addFile(name string, r io.ReaderAt, size int64) error {
	return l.files.AddFile(l.header(name, size), r)
}

// addBytes makes a file of root's.
func (l *layout) addBytes(name string, b []byte) error {
	return l.addFile(name, bytes.NewReader(b), int64(len(b)))
}

// addCopy makes a file of root's with the content of one in another tree.
func (l *layout) addCopy(name string, tree fs.FS, from string) error {
	info, err := fs.Stat(tree, from)
	if err != nil {
		return err
	}
	return l.addFile(name, overlay.Open(tree, from), info.Size())
}

// addApart makes a file whose node is returned: its extents are the caller's
// affair.
func (l *layout) addApart(name string) (*isomaster.Node, error) {
	if err := l.addBytes(name, nil); err != nil {
		return nil, err
	}
	node := &isomaster.Node{Name: path.Base(name), Header: l.header(name, 0)}
	l.apart[name] = node
	return node, nil
}

// putApart places the content of a file that is kept apart.
func (l *layout) putApart(node *isomaster.Node, content []byte) error {
	var err error
	node.Extents, err = l.put(bytes.NewReader(content), int64(len(content)))
	return err
}

func (l *layout) header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: l.at}
}

// take returns the first of the blocks for size bytes, which are taken then.
func (l *layout) take(size int64) (uint32, error) {
	at, blocks := l.next, (size+blockSize-1)/blockSize
	if blocks > int64(^uint32(0)-at) {
		return 0, fmt.Errorf("image has more than %d blocks of %d bytes", ^uint32(0), blockSize)
	}
	l.next += uint32(blocks)
	return at, nil
}

// put places a piece of size bytes, and returns its extents.
func (l *layout) put(r io.ReaderAt, size int64) ([]iso9660.Extent, error) {
	if size == 0 {
		return nil, nil
	}
	block, err := l.take(size)
	if err != nil {
		return nil, err
	}
	l.image.Add(offset(block), r, size)
	return []iso9660.Extent{{Block: block, Size: size}}, nil
}

// offset returns where a block starts, in bytes.
func offset(block uint32) int64 { return int64(block) * blockSize }

// place gives all files their places, in the order of [fs.WalkDir], but for
// those that are kept apart.
func (l *layout) place(ctx context.Context) error {
	if l.bios != nil {
		if err := l.bios.place(l); err != nil {
			return err
		}
	}
	tree := l.files.Tree()
	l.files = nil // The nodes have all of it.
	for name := range l.apart {
		if info, err := tree.Lstat(name); err != nil || info.Sys().(*tar.Header).Name != name {
			return fmt.Errorf("%s: a symbolic link in the files of the image leads elsewhere", name)
		}
	}
	var err error
	l.root, err = nodesOf(tree.Nodes(), l.apart, func(name string, n *tartree.Node, node *isomaster.Node) (err error) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if node.Extents, err = l.put(tree.Content(n), n.Size); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return err
}
