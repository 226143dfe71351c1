package tartree

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const (
	maxEntries = 2 << 20
	maxWeight  = 256 << 20 // bytes of names, targets and attributes
	maxPath    = 4096      // Linux' PATH_MAX
	maxName    = 255       // Linux' NAME_MAX
	maxLinks   = 40        // Linux' MAXSYMLINKS
)

// ErrLoop is the cause of an error for a name with too many symbolic links.
var ErrLoop = errors.New("too many symbolic links")

// ErrNotDir is the cause of an error for a name below something that is not
// a directory.
var ErrNotDir = errors.New("not a directory")

// A Tree is a root directory and all below.
type Tree struct {
	root    *Node
	entries int   // ever added
	weight  int64 // of names, targets and attributes ever added
}

// New returns a tree with nothing but a root directory of mode 0755.
func New() *Tree {
	t := &Tree{root: implicit()}
	t.root.dir = &directory{parent: t.root, length: -1, layer: -1}
	return t
}

// implicit returns a directory that no entry describes.
func implicit() *Node { return &Node{Type: tar.TypeDir, Perm: 0o755} }

// Root returns the root directory.
func (t *Tree) Root() *Node { return t.root }

// Clean returns name as a path below the root, "." for the root itself:
// absolute names start at the root and `..` stops there.
func Clean(name string) (string, error) {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	switch {
	case clean == "":
		return ".", nil
	case len(clean) > maxPath:
		return "", fmt.Errorf("name of %d bytes is longer than %d", len(clean), maxPath)
	case strings.IndexByte(clean, 0) >= 0:
		return "", errors.New("name holds a zero byte")
	}
	for element := range strings.SplitSeq(clean, "/") {
		if len(element) > maxName {
			return "", fmt.Errorf("name has an element of %d bytes, longer than %d", len(element), maxName)
		}
	}
	return clean, nil
}

// Add makes node, which belongs to nothing yet, the one called name, in place
// of what was there; only a directory over a directory keeps the entries.
// Directories that are missing above it are made. Name must be clean.
func (t *Tree) Add(layer int, name string, node *Node) error {
	if err := t.charge(name, node.weight()); err != nil {
		return err
	}
	if name == "." {
		if !node.IsDir() {
			return errors.New("the root is not a directory")
		}
		t.root.adopt(node)
		return nil
	}
	folder, base, err := t.parent(layer, name)
	if err != nil {
		return err
	}
	return t.put(folder, base, node, int32(layer))
}

// put makes node the entry base of folder.
func (t *Tree) put(folder *Node, base string, node *Node, layer int32) error {
	folder.dir.touch(layer)
	if !node.IsDir() {
		folder.dir.set(strings.Clone(base), node, layer)
		return nil
	}
	if old := folder.dir.get(base); old != nil && old.IsDir() {
		old.adopt(node)
		old.dir.touch(layer)
		return nil
	}
	length := folder.dir.length + 1 + len(base)
	if length > maxPath {
		return fmt.Errorf("path of %d bytes is longer than %d", length, maxPath)
	}
	node.dir = &directory{parent: folder, name: strings.Clone(base), length: length, layer: layer}
	folder.dir.set(node.dir.name, node, layer)
	return nil
}

// charge counts one more entry against the limits.
func (t *Tree) charge(name string, weight int64) error {
	t.entries++
	t.weight += int64(len(name)) + weight
	if t.entries > maxEntries {
		return fmt.Errorf("more than %d entries", maxEntries)
	}
	if t.weight > maxWeight {
		return fmt.Errorf("names, links and attributes take more than %d bytes", maxWeight)
	}
	return nil
}

// Link gives what is called target the further name name. Both must be clean.
func (t *Tree) Link(layer int, name, target string) error {
	if err := t.charge(name, 0); err != nil {
		return err
	}
	node, err := t.Lookup(target, false)
	switch {
	case err != nil:
		return fmt.Errorf("hard link to %q: %w", target, err)
	case node.IsDir():
		return fmt.Errorf("hard link to %q: is a directory", target)
	case name == ".":
		return errors.New("the root is not a directory")
	}
	folder, base, err := t.parent(layer, name)
	if err != nil {
		return err
	}
	return t.put(folder, base, node.Node, int32(layer))
}

// Whiteout removes what layers below layer put at name, which must be clean,
// and all below it. What is not there is removed already.
func (t *Tree) Whiteout(layer int, name string) error {
	folder, err := t.Lookup(path.Dir(name), true)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDir) {
		return nil
	}
	if err != nil || !folder.IsDir() || name == "." {
		return err
	}
	d, base := folder.dir, path.Base(name)
	c, ok := d.building[base]
	switch {
	case !ok:
	case c.node.IsDir() && c.node.dir.layer == int32(layer):
		c.node.dir.prune(int32(layer))
	case c.node.IsDir(), c.layer < int32(layer):
		delete(d.building, base)
	}
	return nil
}

// Opaque removes what layers below layer put into the directory called name,
// which must be clean.
func (t *Tree) Opaque(layer int, name string) error {
	folder, err := t.Lookup(name, true)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDir) {
		return nil
	}
	if err != nil || !folder.IsDir() {
		return err
	}
	folder.dir.prune(int32(layer))
	return nil
}

// Freeze ends building. A file that has several names is from now on called
// by the first in the order of [fs.WalkDir].
func (t *Tree) Freeze() {
	t.root.dir.freeze()
	t.root.dir.nameFirst(t.root)
}

// Walk calls fn for all of a frozen tree, in the order of [fs.WalkDir], until it fails.
func (t *Tree) Walk(fn func(name string, n *Node) error) error { return t.walk(false, fn) }

// Drain is Walk for the last time: what was visited is no longer in the tree, so
// that what fn makes of it does not take memory besides.
func (t *Tree) Drain(fn func(name string, n *Node) error) error { return t.walk(true, fn) }

func (t *Tree) walk(drain bool, fn func(name string, n *Node) error) error {
	if err := fn(".", t.root); err != nil {
		return err
	}
	return t.root.walk(".", drain, fn)
}

func (n *Node) walk(folder string, drain bool, fn func(string, *Node) error) error {
	entries := n.dir.sorted
	if drain {
		n.dir.sorted = nil
	}
	for i, e := range entries {
		if drain {
			entries[i] = Entry{}
		}
		name := join(folder, e.Name)
		if err := fn(name, e.Node); err != nil {
			return err
		}
		if e.Node.IsDir() {
			if err := e.Node.walk(name, drain, fn); err != nil {
				return err
			}
		}
	}
	return nil
}
