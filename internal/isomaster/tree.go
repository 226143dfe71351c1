package isomaster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// tree is one tree of directories, with its path tables: of the image or of
// the partition, with the names of Rock Ridge or of Joliet.
type tree struct {
	joliet    bool
	partition bool
	base      uint32 // the block of the image that is its block 0
	time      time.Time

	dirs   []directory // by level, then by parent, then by identifier
	links  map[*Node]*link
	made   *made
	table  int    // size of a path table in bytes
	blocks uint32 // of path tables and directories
	start  uint32 // the block of the image where they begin
}

// directory is one of a tree.
type directory struct {
	node   *Node
	id     string // its identifier, as recorded
	parent int    // index in dirs; that of the root is its own
	child  int    // index in dirs of the first directory in it
	inside uint32 // how many directories are in it
	serial uint32 // its inode number
	first  uint32 // inode number of its first entry
	size   uint32 // of its records in bytes, a multiple of a block
	blocks uint32 // of its records and their continuation
	start  uint32 // the block of the image where it begins
}

// link is a file with several names.
type link struct {
	names  uint32 // in this tree
	serial uint32 // its inode number
	met    bool   // whether the file itself is in this tree, not only links
	by     string // path of a name that is a hard link to it
}

const (
	// maxBlock is the highest number of a block.
	maxBlock = uint64(1<<32 - 1)
	// maxDirectory is the size of the largest directory, in bytes.
	maxDirectory = int64(1<<32 - iso9660.BlockSize)
)

// maxParent is the highest number of a directory that another one can be in:
// path tables have 16 bits for it (ECMA-119 §9.4.4).
const maxParent = 1<<16 - 1

// entry is a child of a directory, as the directory lists it.
type entry struct {
	*Node

	id string // as recorded, but without version
}

// plan finds all directories of the tree below root and measures them.
func (t *tree) plan(root *Node) error {
	t.links = make(map[*Node]*link)
	t.dirs = append(t.dirs, directory{node: root, id: "\x00", serial: 1})
	serials, blocks := uint32(1), uint64(0)
	for i := 0; i < len(t.dirs); i++ {
		t.dirs[i].first = serials + 1
		n, err := t.planDirectory(i)
		if err != nil {
			return err
		}
		serials += n
		t.table += pathRecordSize(t.dirs[i].id)
		blocks += uint64(t.dirs[i].blocks)
	}
	t.meet()
	for _, l := range t.links {
		if !l.met && t.complete() {
			return fmt.Errorf("%s: hard link to a file that is not in the tree", l.by)
		}
	}
	if blocks += 2 * uint64(t.tableBlocks()); blocks > maxBlock {
		return fmt.Errorf("directories take %d blocks, want at most %d", blocks, maxBlock)
	}
	t.blocks = uint32(blocks)
	return nil
}

// meet finds the files among those with several names that are in the tree.
func (t *tree) meet() {
	for _, d := range t.dirs {
		for _, c := range d.node.Children {
			if l := t.links[c]; l != nil {
				l.met = !t.partition || !c.outside()
			}
		}
	}
}

// complete says whether all nodes are in the tree.
func (t *tree) complete() bool { return !t.partition && !t.joliet }

// planDirectory measures the directory with the number i, and adds those that
// are in it. It returns how many inode numbers its files take.
func (t *tree) planDirectory(i int) (serials uint32, err error) {
	entries, err := t.entries(i)
	if err != nil {
		return 0, err
	}
	t.dirs[i].child = len(t.dirs)
	serials = uint32(len(entries))
	for k, c := range entries {
		if t.complete() {
			if err := c.check(); err != nil {
				return 0, fmt.Errorf("%s: %w", t.path(i, c.Name), err)
			}
		}
		switch {
		case c.Same != nil:
			serials += t.addLink(c.Same, t.dirs[i].first+serials, i, c.Name)
		case c.isDirectory():
			if i >= maxParent {
				return 0, fmt.Errorf("%s: directory in one that is not among the first %d", t.path(i, c.Name), maxParent)
			}
			t.dirs[i].inside++
			t.dirs = append(t.dirs, directory{node: c.Node, id: c.id, parent: i, serial: t.dirs[i].first + uint32(k)})
		}
	}
	e := &t.made.encoder
	e.encode(t, i, entries)
	if int64(len(e.records)) > maxDirectory {
		return 0, fmt.Errorf("%s: directory of %d bytes, want at most %d", t.path(i, ""), len(e.records), maxDirectory)
	}
	t.dirs[i].size = uint32(len(e.records))
	t.dirs[i].blocks = uint32((len(e.records) + len(e.areas)) / iso9660.BlockSize)
	return serials, nil
}

// addLink counts a hard link to n, and returns how many inode numbers it takes.
func (t *tree) addLink(n *Node, serial uint32, dir int, name string) uint32 {
	if l, ok := t.links[n]; ok {
		l.names++
		return 0
	}
	t.links[n] = &link{names: 1, serial: serial, by: t.path(dir, name)}
	return 1
}

// entries are what the directory with the number i lists, in the order of the
// identifiers (ECMA-119 §9.3), which do not depend on what is Outside.
func (t *tree) entries(i int) ([]entry, error) {
	n := t.dirs[i].node
	entries := make([]entry, 0, len(n.Children))
	for _, c := range n.Children {
		if !t.joliet || c.file().inJoliet() {
			entries = append(entries, entry{Node: c})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	ids := &t.made.ids
	ids.reset(t.joliet)
	for k := range entries {
		e := &entries[k]
		if k > 0 && e.Name == entries[k-1].Name {
			return nil, fmt.Errorf("%s: two files with this name", t.path(i, e.Name))
		}
		e.id = ids.identifier(e.Name, e.file().isDirectory())
		if t.joliet {
			e.id = bigEndian(e.id)
		}
	}
	if t.partition {
		entries = slices.DeleteFunc(entries, func(e entry) bool { return e.outside() })
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.id, b.id) })
	return entries, nil
}

// path of name in the directory with the number i.
func (t *tree) path(i int, name string) string {
	for ; i > 0; i = t.dirs[i].parent {
		if name != "" {
			name = "/" + name
		}
		name = t.dirs[i].node.Name + name
	}
	return "/" + name
}

// place says where path tables and directories are: from the block at on.
func (t *tree) place(at uint32) {
	t.start = at
	at += 2 * t.tableBlocks()
	for i := range t.dirs {
		t.dirs[i].start = at
		at += t.dirs[i].blocks
	}
}
