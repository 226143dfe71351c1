package isobuild

import (
	"archive/tar"
	"path"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// nodesOf returns a tree as isomaster takes it, and leaves nothing of it. Place
// gives the nodes of regular files their extents, in the order of [fs.WalkDir];
// but those that apart has, by path, are taken as they are.
func nodesOf(
	tree *tartree.Tree, apart map[string]*isomaster.Node, place func(string, *tartree.Node, *isomaster.Node) error,
) (*isomaster.Node, error) {
	known := make(map[string]*isomaster.Node) // directories, and files with several names
	headers := make(headers)
	err := tree.Drain(func(name string, n *tartree.Node) error {
		node, ready := apart[name]
		if !ready {
			node = &isomaster.Node{Name: strings.Clone(path.Base(name)), Header: headers.of(n)}
		}
		if name == "." {
			node.Name = ""
		} else {
			parent := known[path.Dir(name)]
			parent.Children = append(parent.Children, node)
		}
		if first := n.FirstPath(); first == name {
			known[name] = node
		} else if first != "" && !ready {
			node.Same = known[first]
			return nil
		}
		if ready || n.Type != tar.TypeReg {
			return nil
		}
		return place(name, n, node)
	})
	return known["."], err
}

// headers are what nodes have that differ in name, size and content only. Images
// have many of these.
type headers map[attributes]*tar.Header

// attributes are what isomaster takes from a header.
type attributes struct {
	kind         byte
	perm         uint16
	uid, gid     uint32
	major, minor uint32
	target       string
	seconds      int64
}

// of returns the header of n, which may be that of other nodes.
func (h headers) of(n *tartree.Node) *tar.Header {
	at := n.ModTime().Unix() // Images have no parts of seconds.
	key := attributes{n.Type, n.Perm, n.UID, n.GID, n.Major, n.Minor, n.Target, at}
	if h[key] == nil {
		h[key] = &tar.Header{
			Typeflag: n.Type, Linkname: n.Target, Mode: int64(n.Perm), Uid: int(n.UID), Gid: int(n.GID),
			Devmajor: int64(n.Major), Devminor: int64(n.Minor), ModTime: time.Unix(at, 0).UTC(),
		}
	}
	return h[key]
}
