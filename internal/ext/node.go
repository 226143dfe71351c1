package ext

import (
	"time"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// A node is an entry of the tree.
type node struct {
	dentry.Entry[*node]

	index   *index   // of a directory with an index
	runs    []run    // where the content is, or, before it was placed, which of it is data
	maps    []mapped // blocks that say where the content is
	body    string   // extended attributes in the inode
	outside *xattrs  // extended attributes in a block
	seconds int64
	nanos   uint32
	number  uint32 // of the inode
	sparse  bool   // runs says which of the content is data
}

// newNode returns a node that is not in the tree.
func newNode(mode uint16, t time.Time) *node {
	n := &node{Entry: dentry.Entry[*node]{Mode: mode, Links: 1}}
	n.setTime(t)
	return n
}

// A run is a part of a file that lies in one piece. Units are blocks.
type run struct{ logical, start, blocks uint32 }

// isFast says whether n is a link whose target lies in the inode.
func (n *node) isFast() bool { return n.Type() == dentry.TypeSymlink && len(n.Target) <= fastTarget }

// setTime keeps t, or the nearest time that an inode can have.
func (n *node) setTime(t time.Time) {
	n.seconds, n.nanos = t.Unix(), uint32(t.Nanosecond())
	if n.seconds < minTime || n.seconds > maxTime {
		n.seconds, n.nanos = min(max(n.seconds, minTime), maxTime), 0
	}
}

// at returns err with the path where it happened, unless err tells it.
func at(name string, err error) error { return dentry.At("ext", name, err) }
