package ext

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// lostFound is the directory that e2fsck puts what it finds into.
const lostFound = "lost+found"

// A walk reads the names and attributes of a whole tree.
type walk struct {
	ctx     context.Context //nolint:containedctx // It lives as long as one call of New.
	tree    fs.FS
	hash    hasher
	sums    bool // blocks have checksums
	maxFile int64
	time    time.Time // of what is not in the tree
	lost    *node     // lost+found
	xattrs  xattrTable

	nodes   []*node // one for each inode, in the order of fs.WalkDir; the root is first
	further []*node // further names of files
	entries int
}

// run reads the tree. Afterwards all is known but where things lie.
func (w *walk) run() error {
	info, err := fs.Lstat(w.tree, ".")
	if err != nil {
		return at(".", err)
	}
	if !info.IsDir() {
		return at(".", errors.New("the root is not a directory"))
	}
	root, err := w.enter(nil, ".", info, 0)
	if err != nil {
		return err
	}
	for _, n := range w.further {
		if n.same, err = first(root, n.target); err != nil {
			return at(n.path(), err)
		}
		n.target = ""
		if n.same.links++; n.same.links > maxLinks {
			return at(n.same.path(), fmt.Errorf("has more than %d names", maxLinks))
		}
	}
	return nil
}

// enter adds a directory and all below.
func (w *walk) enter(parent *node, name string, info fs.FileInfo, depth int) (*node, error) {
	dir, err := w.add(parent, name, info)
	if err != nil {
		return nil, at(name, err)
	}
	if name == lostFound {
		w.lost = dir
	}
	if depth > maxDepth {
		return nil, at(name, fmt.Errorf("more than %d directories deep", maxDepth))
	}
	entries, err := fs.ReadDir(w.tree, name)
	if err != nil {
		return nil, at(name, err)
	}
	dir.kids = make([]*node, 0, len(entries))
	for _, entry := range entries {
		kid, err := w.visit(dir, path.Join(name, entry.Name()), entry, depth)
		if err != nil {
			return nil, err
		}
		dir.kids = append(dir.kids, kid)
	}
	if parent == nil && w.lost == nil {
		dir.kids = append(dir.kids, w.lostFound(dir))
	}
	return dir, w.finish(dir)
}

// lostFound returns the directory that a file system needs.
func (w *walk) lostFound(root *node) *node {
	n := &node{name: lostFound, parent: root, mode: typeDir | 0o700, links: 2, size: lostBlocks * blockSize}
	n.setTime(w.time)
	w.nodes = append(w.nodes, n)
	w.lost = n
	return n
}

// finish sorts the entries of a directory, counts its links and how large it is.
func (w *walk) finish(dir *node) error {
	byName := func(a, b *node) int { return cmp.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(dir.kids, byName) {
		slices.SortFunc(dir.kids, byName)
	}
	dir.links = 2
	for i, kid := range dir.kids {
		if i > 0 && kid.name == dir.kids[i-1].name {
			return at(kid.path(), errors.New("the directory has this name twice"))
		}
		if kid.isDir() {
			dir.links++
		}
	}
	if !w.sums && dir.links > maxLinks {
		return at(dir.path(), fmt.Errorf("has more than %d directories", maxLinks-2))
	}
	if dir == w.lost && len(dir.kids) == 0 {
		dir.size = lostBlocks * blockSize
		return nil
	}
	return w.measure(dir)
}

// visit adds what entry says, and all below.
func (w *walk) visit(dir *node, name string, entry fs.DirEntry, depth int) (*node, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, context.Cause(w.ctx)
	}
	if err := checkName(entry.Name()); err != nil {
		return nil, at(name, err)
	}
	info, err := entry.Info()
	if err != nil {
		return nil, at(name, err)
	}
	if info.IsDir() {
		return w.enter(dir, name, info, depth+1)
	}
	if name == lostFound {
		return nil, at(name, errors.New("is not a directory"))
	}
	n, err := w.add(dir, name, info)
	if err != nil {
		return nil, at(name, err)
	}
	return n, nil
}

// add returns the node of one entry.
func (w *walk) add(parent *node, name string, info fs.FileInfo) (*node, error) {
	if w.entries++; w.entries > maxEntries {
		return nil, fmt.Errorf("more than %d entries", maxEntries)
	}
	n, err := w.newNode(info)
	if err != nil {
		return nil, err
	}
	n.parent = parent
	switch n.kind() {
	case 0:
		w.further = append(w.further, n)
		return n, nil
	case typeFile:
		err = w.findHoles(n, name)
	case typeSymlink:
		if n.target, err = fs.ReadLink(w.tree, name); err == nil {
			err = checkTarget(n.target)
		}
		n.size = int64(len(n.target))
	}
	w.nodes = append(w.nodes, n)
	return n, err
}

// checkTarget says what is wrong with the target of a symbolic link.
func checkTarget(target string) error {
	switch {
	case target == "" || len(target) > maxTarget:
		return fmt.Errorf("target has %d bytes, 1 to %d are possible", len(target), maxTarget)
	case strings.Contains(target, "\x00"):
		return errors.New("target holds a zero byte")
	default:
		return nil
	}
}

// first returns the file that a hard link to target is a further name of.
func first(root *node, target string) (*node, error) {
	n := root
	for name := range strings.SplitSeq(path.Clean(strings.TrimPrefix(target, "/")), "/") {
		i, ok := slices.BinarySearchFunc(n.kids, name, func(n *node, name string) int { return cmp.Compare(n.name, name) })
		if !ok {
			return nil, fmt.Errorf("hard link to %.300q: %w", target, fs.ErrNotExist)
		}
		n = n.kids[i]
	}
	if n.isDir() || n.kind() == 0 {
		return nil, fmt.Errorf("hard link to %.300q, which is a directory or a hard link itself", target)
	}
	return n, nil
}
