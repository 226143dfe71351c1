package tartree

import (
	"cmp"
	"slices"
	"strings"
)

// An Entry is one name in a directory.
type Entry struct {
	Name string
	Node *Node
}

// A directory is what a Node of that type has besides. A directory has one
// name only.
type directory struct {
	parent   *Node // the root's is the root
	name     string
	length   int   // of the path, in bytes
	layer    int32 // which last put it or something below it
	building map[string]child
	sorted   []Entry // instead, once frozen
}

// A child is an entry of a directory that is being built.
type child struct {
	node  *Node
	layer int32 // which put it, unless it is a directory, which knows itself
}

// get returns the entry called name, or nil.
func (d *directory) get(name string) *Node {
	if d.building != nil {
		return d.building[name].node
	}
	i, ok := slices.BinarySearchFunc(d.sorted, name, func(e Entry, name string) int { return cmp.Compare(e.Name, name) })
	if !ok {
		return nil
	}
	return d.sorted[i].Node
}

// set makes node the entry called name.
func (d *directory) set(name string, node *Node, layer int32) {
	if d.building == nil {
		d.building = make(map[string]child)
	}
	d.building[name] = child{node, layer}
}

// touch notes that layer put something into d.
func (d *directory) touch(layer int32) {
	for d.layer < layer {
		d.layer = layer
		d = d.parent.dir
	}
}

// prune removes what lower layers than layer put below d. A directory
// stays if layer put something into it.
func (d *directory) prune(layer int32) {
	for name, c := range d.building {
		switch {
		case c.node.IsDir() && c.node.dir.layer == layer:
			c.node.dir.prune(layer)
		case c.node.IsDir(), c.layer < layer:
			delete(d.building, name)
		}
	}
}

// freeze sorts d and all below, and counts the names of files.
func (d *directory) freeze() {
	d.sorted = make([]Entry, 0, len(d.building))
	for name, c := range d.building {
		d.sorted = append(d.sorted, Entry{name, c.node})
		if c.node.IsDir() {
			c.node.dir.freeze()
		} else {
			c.node.names = min(c.node.names+1, 2)
		}
	}
	d.building = nil
	slices.SortFunc(d.sorted, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
}

// nameFirst notes the first name of files that have several.
func (d *directory) nameFirst(self *Node) {
	for _, e := range d.sorted {
		switch {
		case e.Node.IsDir():
			e.Node.dir.nameFirst(e.Node)
		case e.Node.names > 1 && e.Node.first == nil:
			e.Node.first = &entryName{self, e.Name}
		}
	}
}

// path returns where d is, "." for the root.
func (d *directory) path() string {
	if d.name == "" {
		return "."
	}
	var names []string
	for ; d.name != ""; d = d.parent.dir {
		names = append(names, d.name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// join is path.Join for a clean folder, without cleaning the name.
func join(folder, name string) string {
	if folder == "." {
		return name
	}
	return folder + "/" + name
}
