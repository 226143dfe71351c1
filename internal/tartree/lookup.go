package tartree

import (
	"io/fs"
	"path"
	"strings"
)

// A Found is what a name leads to.
type Found struct {
	*Node

	folder *Node
	name   string
}

// Path returns where the node is, without any symbolic link on the way.
func (f Found) Path() string {
	if f.IsDir() {
		return f.dir.path()
	}
	return join(f.folder.dir.path(), f.name)
}

// Lookup returns what is called name, which starts at the root. Symbolic
// links on the way are followed inside the tree; the last one only if follow is
// set. The error matches [fs.ErrNotExist], [ErrNotDir] or [ErrLoop].
func (t *Tree) Lookup(name string, follow bool) (Found, error) {
	return t.resolve(name, follow, nil)
}

// parent returns the directory that holds the last element of name, and that
// element. What is missing on the way is made as a directory, also where a link
// points nowhere.
func (t *Tree) parent(layer int, name string) (*Node, string, error) {
	folder, base := path.Split(name)
	found, err := t.resolve(folder, true, func(at *Node, name string) (*Node, error) {
		if err := t.charge(name, 0); err != nil {
			return nil, err
		}
		made := implicit()
		return made, t.put(at, name, made, int32(layer))
	})
	if err == nil && !found.IsDir() {
		err = ErrNotDir
	}
	return found.Node, base, err
}

// resolve is Lookup; missing is called for what is not there, if it is not nil.
func (t *Tree) resolve(rest string, follow bool, missing func(at *Node, name string) (*Node, error)) (Found, error) {
	at, links := Found{Node: t.root}, 0
	for {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return at, nil
		}
		if !at.IsDir() {
			return Found{}, ErrNotDir
		}
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		if element == "." {
			continue
		}
		if element == ".." {
			at.Node = at.dir.parent
			continue
		}
		next := at.dir.get(element)
		switch {
		case next == nil && missing == nil:
			return Found{}, fs.ErrNotExist
		case next == nil:
			var err error
			if next, err = missing(at.Node, element); err != nil {
				return Found{}, err
			}
		}
		if next.Target == "" || !follow && strings.Trim(rest, "/") == "" {
			at = Found{next, at.Node, element}
			continue
		}
		if links++; links > maxLinks {
			return Found{}, ErrLoop
		}
		if strings.HasPrefix(next.Target, "/") {
			at.Node = t.root
		}
		rest = next.Target + "/" + rest
	}
}

// Child returns an entry of f, which is a directory.
func (f Found) Child(e Entry) Found { return Found{e.Node, f.Node, e.Name} }
