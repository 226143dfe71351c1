package squashfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A walk reads the names and attributes of a whole tree, before any content.
type walk struct {
	ctx     context.Context //nolint:containedctx // It lives as long as one call of Write.
	tree    fs.FS
	tables  *tables
	files   []*node // regular files, in the order of fs.WalkDir
	further []*node // further names of files
	entries int
	bytes   int64  // of all files
	latest  uint32 // modification time
}

// run returns the root of the tree.
func (w *walk) run() (*node, error) {
	info, err := fs.Lstat(w.tree, ".")
	if err != nil {
		return nil, at(".", err)
	}
	if !info.IsDir() {
		return nil, at(".", errors.New("the root is not a directory"))
	}
	root, err := w.enter(nil, ".", info, 0)
	if err != nil {
		return nil, err
	}
	for _, n := range w.further {
		if n.same, err = first(root, n.target); err != nil {
			return nil, at(n.path(), err)
		}
		n.same.links++
	}
	return root, nil
}

// enter adds a directory and all below.
func (w *walk) enter(parent *node, name string, info fs.FileInfo, depth int) (*node, error) {
	dir, err := w.add(parent, name, info)
	if err != nil {
		return nil, at(name, err)
	}
	if depth > maxDepth {
		return nil, at(name, fmt.Errorf("more than %d directories deep", maxDepth))
	}
	entries, err := fs.ReadDir(w.tree, name)
	if err != nil {
		return nil, at(name, err)
	}
	dir.links = 2
	dir.kids = make([]*node, 0, len(entries))
	for _, entry := range entries {
		kid, err := w.visit(dir, path.Join(name, entry.Name()), entry, depth)
		if err != nil {
			return nil, err
		}
		dir.kids = append(dir.kids, kid)
		if kid.isDir() {
			dir.links++
		}
	}
	return dir, sortKids(dir)
}

// visit adds what entry says, and all below.
func (w *walk) visit(dir *node, name string, entry fs.DirEntry, depth int) (*node, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
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
	n, err := w.add(dir, name, info)
	if err != nil {
		return nil, at(name, err)
	}
	return n, nil
}

// add returns the node of one entry.
func (w *walk) add(parent *node, name string, info fs.FileInfo) (*node, error) {
	if w.entries++; w.entries > maxNames {
		return nil, fmt.Errorf("more than %d entries", maxNames)
	}
	n, err := w.tables.newNode(info)
	if err != nil {
		return nil, err
	}
	n.parent = parent
	w.latest = max(w.latest, n.mtime)
	switch n.kind {
	case 0:
		w.further = append(w.further, n)
	case typeFile:
		w.files = append(w.files, n)
		w.bytes += n.size
	case typeSymlink:
		if n.target, err = fs.ReadLink(w.tree, name); err == nil {
			err = checkTarget(n.target)
		}
	}
	return n, err
}

// sortKids sorts the entries of a directory by the bytes of their names.
func sortKids(dir *node) error {
	byName := func(a, b *node) int { return cmp.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(dir.kids, byName) {
		slices.SortFunc(dir.kids, byName)
	}
	for i := 1; i < len(dir.kids); i++ {
		if dir.kids[i].name == dir.kids[i-1].name {
			return at(dir.kids[i].path(), errors.New("the directory has this name twice"))
		}
	}
	return nil
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
	if n.isDir() || n.kind == 0 {
		return nil, fmt.Errorf("hard link to %.300q, which is a directory or a hard link itself", target)
	}
	return n, nil
}
