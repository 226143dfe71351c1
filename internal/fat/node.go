package fat

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"
	"time"
)

// maxFile is the size of the largest file, in bytes.
const maxFile = math.MaxUint32

// A node is a file or a directory, under one name.
type node struct {
	name     string // its path in the tree; "." is the root
	short    [shortSize]byte
	long     []uint16 // the long name; nil if the short one is the name
	dir      bool
	labelled bool // the root, with a volume label
	size     int64
	time     time.Time
	children []*node // sorted by name
	parent   *node   // nil for the root

	cluster uint32 // the first; 0 is none
}

// scan returns the root of tree.
func scan(ctx context.Context, tree fs.FS) (*node, error) {
	info, err := fs.Stat(tree, ".")
	if err != nil {
		return nil, fmt.Errorf("fat: root: %w", err)
	}
	root := &node{name: ".", dir: true, time: info.ModTime()}
	return root, root.scan(ctx, tree)
}

// scan reads the directory n and what is below.
func (n *node) scan(ctx context.Context, tree fs.FS) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := fs.ReadDir(tree, n.name)
	if err != nil {
		return fmt.Errorf("fat: %s: %w", n.name, err)
	}
	for _, entry := range entries {
		child, err := newNode(tree, path.Join(n.name, entry.Name()), entry)
		if err != nil {
			return fmt.Errorf("fat: %s: %w", path.Join(n.name, entry.Name()), err)
		}
		child.parent = n
		n.children = append(n.children, child)
	}
	if err := nameAll(n.children); err != nil {
		return err
	}
	if n.entries() > maxEntries {
		return fmt.Errorf("fat: directory %s: its names take %d entries, and there may be %d", n.name, n.entries(), maxEntries)
	}
	for _, child := range n.children {
		if !child.dir {
			continue
		}
		if err := child.scan(ctx, tree); err != nil {
			return err
		}
	}
	return nil
}

// newNode returns what entry is, or what a symbolic link leads to.
func newNode(tree fs.FS, name string, entry fs.DirEntry) (*node, error) {
	var info fs.FileInfo
	var err error
	link := entry.Type()&fs.ModeSymlink != 0
	if link {
		info, err = fs.Stat(tree, name)
	} else {
		info, err = entry.Info()
	}
	switch {
	case err != nil:
		return nil, err
	case link && info.IsDir():
		return nil, fmt.Errorf("symbolic link to a directory: FAT has no links")
	case info.IsDir():
		return &node{name: name, dir: true, time: info.ModTime()}, nil
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither file nor directory: FAT has no others", info.Mode())
	case info.Size() < 0 || info.Size() > maxFile:
		return nil, fmt.Errorf("has %d bytes, and a file of FAT up to %d", info.Size(), int64(maxFile))
	}
	return &node{name: strings.Clone(name), size: info.Size(), time: info.ModTime()}, nil
}

// entries is how many entries of 32 bytes the directory n has.
func (n *node) entries() int {
	count := 0
	switch {
	case n.parent != nil:
		count = 2 // . and ..
	case n.labelled:
		count = 1
	}
	for _, child := range n.children {
		count += 1 + (len(child.long)+unitsInEntry-1)/unitsInEntry
	}
	return count
}

// bytes is how many bytes n takes in clusters.
func (n *node) bytes() int64 {
	if n.dir {
		return max(1, int64(n.entries())) * entrySize
	}
	return n.size
}

// walk calls visit for n and everything below, parents and earlier names first.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, child := range n.children {
		child.walk(visit)
	}
}
