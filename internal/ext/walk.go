package ext

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// lostFound is the directory that e2fsck puts what it finds into.
const lostFound = "lost+found"

// A walk reads the names and attributes of a whole tree.
type walk struct {
	tree    fs.FS
	hash    hasher
	sums    bool // blocks have checksums
	maxFile int64
	time    time.Time // of what is not in the tree
	lost    *node     // lost+found
	xattrs  xattrTable
	nodes   []*node // one for each inode, in the order of fs.WalkDir; the root is first
}

// run reads the tree. Afterwards all is known but where things lie.
func (w *walk) run(ctx context.Context) error {
	reader := dentry.Reader[*node]{Package: "ext", New: func() *node { return new(node) }, Add: w.add, Done: w.finish}
	_, err := reader.Read(ctx, w.tree)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	for _, n := range w.nodes {
		if !n.IsDir() && n.Links > maxLinks {
			return at(n.Path(), fmt.Errorf("has more than %d names", maxLinks))
		}
	}
	return nil
}

// add keeps what else there is of an entry.
func (w *walk) add(n *node, name string, info fs.FileInfo, header *tar.Header) (err error) {
	if name == lostFound {
		if w.lost = n; !n.IsDir() {
			return errors.New("is not a directory")
		}
	}
	switch n.Type() {
	case 0:
		return nil
	case dentry.TypeFile:
		if n.Size > w.maxFile {
			return fmt.Errorf("size is %d, not 0 to %d", n.Size, w.maxFile)
		}
		err = w.findHoles(n, name)
	case dentry.TypeSymlink:
		if strings.Contains(n.Target, "\x00") {
			err = errors.New("target holds a zero byte")
		}
	}
	if err != nil {
		return err
	}
	n.setTime(info.ModTime())
	w.nodes = append(w.nodes, n)
	n.body, n.outside, err = w.xattrs.add(header.PAXRecords)
	return err
}

// finish finds out how large a directory is. The root gets what a file system
// needs.
func (w *walk) finish(dir *node) error {
	if dir.Parent == nil && w.lost == nil {
		w.addLostFound(dir)
	}
	if !w.sums && dir.Links > maxLinks {
		return at(dir.Path(), fmt.Errorf("has more than %d directories", maxLinks-2))
	}
	if dir == w.lost && len(dir.Kids) == 0 {
		dir.Size = lostBlocks * blockSize
		return nil
	}
	return w.measure(dir)
}

// addLostFound adds the directory to the root.
func (w *walk) addLostFound(root *node) {
	w.lost = newNode(dentry.TypeDir|0o700, w.time)
	w.lost.Name, w.lost.Parent, w.lost.Links, w.lost.Size = lostFound, root, 2, lostBlocks*blockSize
	w.nodes = append(w.nodes, w.lost)
	i, _ := slices.BinarySearchFunc(root.Kids, lostFound, func(n *node, name string) int { return cmp.Compare(n.Name, name) })
	root.Kids = slices.Insert(root.Kids, i, w.lost)
	root.Links++
}
