package dentry

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// What an entry of a tree may have.
const (
	MaxEntries = 2097152
	MaxDepth   = 2048
	MaxName    = 255
	MaxTarget  = 4095
)

// A Reader reads trees.
type Reader[N Node[N]] struct {
	Package string   // whose name errors begin with
	New     func() N // returns an empty node

	// Add is called for every entry in the order of fs.WalkDir, further names
	// included, and may keep more of it. The header is that of Sys, or empty. What
	// Kids, Links and Same say of the entry comes later.
	Add func(n N, name string, info fs.FileInfo, header *tar.Header) error

	// Done is called, unless it is nil, for every directory when all is known of
	// what it holds, further names excepted. Its errors are returned as they are.
	Done func(dir N) error
}

// Read returns the root of a tree.
func (r *Reader[N]) Read(ctx context.Context, tree fs.FS) (root N, err error) {
	info, err := fs.Lstat(tree, ".")
	if err == nil && !info.IsDir() {
		err = errors.New("the root is not a directory")
	}
	if err != nil {
		return root, At(r.Package, ".", err)
	}
	w := &walk[N]{Reader: r, ctx: ctx, tree: tree}
	var none N
	if root, err = w.enter(none, ".", info, 0); err != nil {
		return none, err
	}
	for _, n := range w.further {
		if err := link(root, n.entry()); err != nil {
			return none, At(r.Package, n.entry().Path(), err)
		}
	}
	return root, nil
}

// A walk reads one tree.
type walk[N Node[N]] struct {
	*Reader[N]

	ctx     context.Context //nolint:containedctx // It lives as long as one call of Read.
	tree    fs.FS
	header  tar.Header // an empty one
	further []N        // further names of files
	entries int
}

// enter adds a directory and all below.
func (w *walk[N]) enter(parent N, name string, info fs.FileInfo, depth int) (N, error) {
	n, err := w.add(parent, name, info)
	if err != nil {
		return n, err
	}
	if depth > MaxDepth {
		return n, At(w.Package, name, fmt.Errorf("more than %d directories deep", MaxDepth))
	}
	entries, err := fs.ReadDir(w.tree, name)
	if err != nil {
		return n, At(w.Package, name, err)
	}
	dir := n.entry()
	dir.Links = 2
	dir.Kids = make([]N, 0, len(entries))
	for _, entry := range entries {
		kid, err := w.visit(n, path.Join(name, entry.Name()), entry, depth)
		if err != nil {
			return n, err
		}
		dir.Kids = append(dir.Kids, kid)
		if kid.entry().IsDir() {
			dir.Links++
		}
	}
	if err := w.sort(dir.Kids); err != nil || w.Done == nil {
		return n, err
	}
	return n, w.Done(n)
}

// visit adds what entry says, and all below.
func (w *walk[N]) visit(dir N, name string, entry fs.DirEntry, depth int) (none N, err error) {
	if err := context.Cause(w.ctx); err != nil {
		return none, err
	}
	if err := checkName(entry.Name()); err != nil {
		return none, At(w.Package, name, err)
	}
	info, err := entry.Info()
	switch {
	case err != nil:
		return none, At(w.Package, name, err)
	case info.IsDir():
		return w.enter(dir, name, info, depth+1)
	default:
		return w.add(dir, name, info)
	}
}

// checkName says what is wrong with the name of an entry.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("%.300q is no name", name)
	case len(name) > MaxName:
		return fmt.Errorf("name has %d bytes, at most %d are possible", len(name), MaxName)
	default:
		return nil
	}
}

// add returns the node of one entry.
func (w *walk[N]) add(parent N, name string, info fs.FileInfo) (N, error) {
	n := w.New()
	err := w.fill(n, parent, name, info)
	if err != nil {
		err = At(w.Package, name, err)
	}
	return n, err
}

// fill makes n the node of one entry.
func (w *walk[N]) fill(n, parent N, name string, info fs.FileInfo) error {
	if w.entries++; w.entries > MaxEntries {
		return fmt.Errorf("more than %d entries", MaxEntries)
	}
	header, ok := info.Sys().(*tar.Header)
	if !ok {
		header = &w.header
	}
	e := n.entry()
	e.Parent = parent
	if err := e.set(info, header); err != nil {
		return err
	}
	switch e.Type() {
	case 0:
		w.further = append(w.further, n)
	case TypeSymlink:
		var err error
		if e.Target, err = ReadLink(w.tree, name); err != nil {
			return err
		}
		if e.Size = int64(len(e.Target)); e.Size == 0 || e.Size > MaxTarget {
			return fmt.Errorf("target has %d bytes, 1 to %d are possible", e.Size, MaxTarget)
		}
	}
	return w.Add(n, name, info, header)
}

// sort sorts the entries of a directory.
func (w *walk[N]) sort(kids []N) error {
	byName := func(a, b N) int { return cmp.Compare(a.entry().Name, b.entry().Name) }
	if !slices.IsSortedFunc(kids, byName) {
		slices.SortFunc(kids, byName)
	}
	for i := 1; i < len(kids); i++ {
		if kid := kids[i].entry(); byName(kids[i-1], kids[i]) == 0 {
			return At(w.Package, kid.Path(), errors.New("the directory has this name twice"))
		}
	}
	return nil
}

// link finds the file that e, whose target is known, is a further name of.
func link[N Node[N]](root N, e *Entry[N]) error {
	n := root
	for name := range strings.SplitSeq(path.Clean(strings.TrimPrefix(e.Target, "/")), "/") {
		kids := n.entry().Kids
		i, ok := slices.BinarySearchFunc(kids, name, func(n N, name string) int { return cmp.Compare(n.entry().Name, name) })
		if !ok {
			return fmt.Errorf("hard link to %.300q: %w", e.Target, fs.ErrNotExist)
		}
		n = kids[i]
	}
	first := n.entry()
	if first.IsDir() || first.Type() == 0 {
		return fmt.Errorf("hard link to %.300q, which is a directory or a hard link itself", e.Target)
	}
	e.Same, e.Target = n, ""
	first.Links++
	return nil
}

// At returns err with the package and the path where it happened, unless err
// tells the path.
func At(pkg, name string, err error) error {
	var known *fs.PathError
	if errors.As(err, &known) && known.Path == name {
		return fmt.Errorf("%s: %w", pkg, err)
	}
	return fmt.Errorf("%s: %.300s: %w", pkg, name, err)
}
