package overlay

import (
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// A Tree is what a [Builder] made. [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header].
type Tree struct {
	*treefs.FS

	nodes   *tartree.Tree
	sources []source
}

// Nodes returns what the tree has but for the contents of files.
func (t *Tree) Nodes() *tartree.Tree { return t.nodes }

// Content returns the content of a regular file of the tree, as [Open] does. It
// does not keep the nodes of the tree in memory.
func (t *Tree) Content(n *tartree.Node) io.ReaderAt { return &t.sources[n.Offset] }

// openFrom opens the regular files of a tree, whose nodes say by Offset
// which of the sources they are.
func openFrom(sources []source) treefs.Opener {
	return func(_ string, found tartree.Found, info fs.FileInfo) (fs.File, error) {
		from := sources[found.Offset]
		if from.tree == nil {
			return treefs.NewFile(from.r, 0, found.Size, info), nil
		}
		f, err := from.tree.Open(from.name)
		if err != nil {
			return nil, err
		}
		r, ok := f.(io.ReaderAt)
		if !ok {
			return &stream{f, info}, nil
		}
		return &file{treefs.NewFile(r, 0, found.Size, info), f}, nil
	}
}

// file is an open file of another tree that can be read anywhere.
type file struct {
	*treefs.File
	closer io.Closer
}

// Close implements [fs.File].
func (f *file) Close() error { return f.closer.Close() }

// stream is an open file of a tree whose files can only be read in order.
type stream struct {
	fs.File
	info fs.FileInfo
}

// Stat implements [fs.File].
func (f *stream) Stat() (fs.FileInfo, error) { return f.info, nil }
