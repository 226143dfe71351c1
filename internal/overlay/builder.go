package overlay

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/netbootkit/netbootkit/internal/dentry"
	"github.com/netbootkit/netbootkit/internal/tartree"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

// A Builder makes a [Tree] of others.
type Builder struct {
	tree    *tartree.Tree
	sources []source // of regular files, by the Offset of their nodes
	layers  int
}

// New returns a builder of a tree that is empty.
func New() *Builder { return &Builder{tree: tartree.New()} }

// AddTree lays all of a tree over what is there.
func (b *Builder) AddTree(tree fs.FS) error {
	b.layers++
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if name == "." && !info.IsDir() {
			return errors.New("overlay: the root is not a directory")
		}
		if info.Mode().Type() == fs.ModeSocket || name == "." && b.layers > 1 {
			return nil
		}
		h, err := Header(tree, name, info)
		if err != nil {
			return err
		}
		if err := b.add(h, name, source{tree: tree, name: name}); err != nil {
			return fmt.Errorf("overlay: %s: %w", name, err)
		}
		return nil
	})
}

// AddFile puts a regular file into the tree: what h describes, with the first
// h.Size bytes of r. Directories that are missing above it are root's, and have
// its time.
func (b *Builder) AddFile(h *tar.Header, r io.ReaderAt) error {
	b.layers++
	name, err := tartree.Clean(h.Name)
	if err == nil && h.Typeflag != tar.TypeReg {
		err = errors.New("is no regular file")
	}
	for i := range len(name) {
		if err == nil && name[i] == '/' {
			err = b.AddDir(name[:i], 0o755, h.ModTime)
		}
	}
	if err == nil {
		err = b.add(h, name, source{name: name, r: r})
	}
	if err != nil {
		return fmt.Errorf("overlay: %s: %w", h.Name, err)
	}
	return nil
}

// AddDir makes a directory of root's, unless the name leads to one already.
// The root itself can be made before all else.
func (b *Builder) AddDir(name string, mode int64, at time.Time) error {
	b.layers++
	found, err := b.tree.Lookup(name, true)
	if err == nil && found.IsDir() && (name != "." || b.layers > 1) {
		return nil
	}
	h := &tar.Header{Typeflag: tar.TypeDir, Mode: mode, ModTime: at}
	if err := b.add(h, name, source{}); err != nil {
		return fmt.Errorf("overlay: %s: %w", name, err)
	}
	return nil
}

// Has says whether there is something called name; a last symbolic link is
// not followed.
func (b *Builder) Has(name string) bool {
	_, err := b.tree.Lookup(name, false)
	return err == nil
}

func (b *Builder) add(h *tar.Header, name string, from source) error {
	name, err := tartree.Clean(name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeLink:
		target, err := tartree.Clean(h.Linkname)
		if err != nil {
			return err
		}
		return b.tree.Link(b.layers, name, target)
	case tar.TypeDir:
		if found, err := b.tree.Lookup(name, true); err == nil && found.IsDir() && found.Path() != name {
			return nil // The link that leads there stays.
		}
	}
	node, err := tartree.NewNode(h)
	if err != nil {
		return err
	}
	if node.Type == tar.TypeReg {
		node.Offset = int64(len(b.sources))
		b.sources = append(b.sources, from)
	}
	return b.tree.Add(b.layers, name, node)
}

// Tree returns what was built. The builder must not be used any more.
func (b *Builder) Tree() *Tree {
	b.tree.Freeze()
	return &Tree{treefs.New(b.tree, openFrom(b.sources)), b.tree, b.sources}
}

// Header returns what is known of a file of a tree, whose info does not follow
// links: Sys where that is a [*tar.Header], else a file of root's with type,
// mode, size and time of info.
func Header(tree fs.FS, name string, info fs.FileInfo) (*tar.Header, error) {
	if h, ok := info.Sys().(*tar.Header); ok {
		return h, nil
	}
	target := ""
	if info.Mode().Type() == fs.ModeSymlink {
		var err error
		if target, err = dentry.ReadLink(tree, name); err != nil {
			return nil, err
		}
	}
	h, err := tar.FileInfoHeader(plain{info}, target)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	h.Name = name
	return h, nil
}

// plain is a FileInfo that does not know who owns the file on the host.
type plain struct{ fs.FileInfo }

// Sys returns nil.
func (plain) Sys() any { return nil }
