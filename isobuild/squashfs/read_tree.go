package squashfs

import (
	"encoding/binary"
	"fmt"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// A treeLoader is one call of Open: it walks through all directories.
type treeLoader struct {
	store  *store
	tree   *tartree.Tree
	ids    []uint32
	xattrs *xattrReader
	inodes cursor
	lists  dirReader
	dirs   map[inodeRef]string // all that were met, by their paths
	files  map[inodeRef]string // those with several names, by the first that was met
}

// loadTree reads names and attributes of all that is in the image.
func loadTree(s *store) (*tartree.Tree, error) {
	l := &treeLoader{
		store: s, tree: tartree.New(), inodes: cursor{store: s},
		lists: dirReader{cursor{store: s}, maxNames, maxListings},
		dirs:  make(map[inodeRef]string), files: make(map[inodeRef]string),
	}
	var err error
	if l.ids, err = loadIDs(s); err != nil {
		return nil, err
	}
	if l.xattrs, err = newXattrReader(s); err != nil {
		return nil, err
	}
	if err := l.add(".", dirEntry{ref: s.im.root, kind: typeDir}); err != nil {
		return nil, err
	}
	l.tree.Freeze()
	return l.tree, nil
}

// add adds what e refers to, which is called name, and all below.
func (l *treeLoader) add(name string, e dirEntry) error {
	if first, ok := l.files[e.ref]; ok {
		return inEntry(name, l.tree.Link(0, name, first))
	}
	n, err := l.inodes.readInode(e.ref)
	if err == nil && n.kind != e.kind {
		err = fmt.Errorf("inode has type %d, and its entry %d", n.kind, e.kind)
	}
	if err == nil {
		err = l.addInode(name, n, e.ref)
	}
	if err != nil || n.kind != typeDir {
		return inEntry(name, err)
	}
	entries, err := l.lists.readDir(n)
	if err != nil {
		return inEntry(name, err)
	}
	for _, e := range entries {
		path := e.name
		if name != "." {
			path = name + "/" + e.name
		}
		if err := l.add(path, e); err != nil {
			return err
		}
	}
	return nil
}

// inEntry says which entry it was if err is not nil.
func inEntry(name string, err error) error {
	if err == nil {
		return nil
	}
	return &tartree.EntryError{Name: name, Err: err}
}

// addInode adds n, which is at ref, to the tree, without what is below it. It
// leaves out sockets, of which a tree knows nothing.
func (l *treeLoader) addInode(name string, n *inode, ref inodeRef) error {
	if n.kind == typeSocket {
		return nil
	}
	h, err := n.header(l.ids)
	if err != nil {
		return err
	}
	node, err := tartree.NewNode(h)
	if err != nil {
		return err
	}
	node.Offset = int64(ref)
	if node.Xattrs, err = l.xattrs.read(n.xattr); err != nil {
		return err
	}
	// A directory that is below itself, or in two places, would have no end.
	if other, ok := l.dirs[ref]; ok {
		return fmt.Errorf("is the same directory as %.200q", other)
	}
	switch {
	case n.kind == typeDir:
		l.dirs[ref] = name
	case n.links > 1:
		l.files[ref] = name
	}
	if _, err := tartree.Clean(name); err != nil {
		return err
	}
	return l.tree.Add(0, name, node)
}

// loadIDs reads the table of owners and groups.
func loadIDs(s *store) ([]uint32, error) {
	table := &s.im.ids
	if err := table.load(s.im); err != nil {
		return nil, err
	}
	ids := make([]uint32, table.count)
	for i := range ids {
		var b [4]byte
		if err := table.read(s, b[:], int64(i)); err != nil {
			return nil, err
		}
		ids[i] = binary.LittleEndian.Uint32(b[:])
	}
	return ids, nil
}
