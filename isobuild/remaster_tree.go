package isobuild

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// A content is what is in a regular file of the new tree: extents of the old
// image, or else bytes that come with an option.
type content struct {
	name    string // in the old image, or in the tree it comes from
	old     bool
	extents []iso9660.Extent
	r       io.ReaderAt
	used    bool // whether the new tree has it
}

// A changedTree is the tree of an image with what the options add and remove.
type changedTree struct {
	tree     *tartree.Tree
	contents []content // by the Offset of nodes
	layer    int
}

// changed returns the tree of old as cfg wants it. New files without a time
// have that of at.
func changed(ctx context.Context, old *iso9660.Image, cfg *config, at time.Time) (*changedTree, error) {
	c := &changedTree{tree: tartree.New()}
	if err := c.addImage(ctx, old); err != nil {
		return nil, err
	}
	if id := old.Volume().ID; cfg.volumeID != "" && cfg.volumeID != id && id != "" {
		if err := c.relabel(old, cfg.volumeID); err != nil {
			return nil, err
		}
	}
	if err := c.remove(cfg.remove); err != nil {
		return nil, err
	}
	if cfg.cloudConfig != nil {
		h := &tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(cfg.cloudConfig)), ModTime: at}
		c.layer++
		if err := c.add(h, configName, content{name: configName, r: bytes.NewReader(cfg.cloudConfig)}); err != nil {
			return nil, &Error{Path: configName, Err: err}
		}
	}
	for _, tree := range cfg.files {
		if err := c.addTree(ctx, tree); err != nil {
			return nil, err
		}
	}
	c.tree.Freeze()
	return c, c.tree.Walk(func(_ string, n *tartree.Node) error {
		if n.Type == tar.TypeReg {
			c.contents[n.Offset].used = true
		}
		return nil
	})
}

// addImage adds what the image has. Names of images without any extension
// become lower case, as Linux shows them; two that are one then are refused.
func (c *changedTree) addImage(ctx context.Context, old *iso9660.Image) error {
	c.layer++
	plain := old.Volume().Names == iso9660.Plain
	return fs.WalkDir(old, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Type() == fs.ModeSocket {
			return err
		}
		from := content{name: name, old: true}
		if info.Mode().IsRegular() {
			if from.extents, err = old.Extents(name); err != nil {
				return err
			}
		}
		h, _ := info.Sys().(*tar.Header)
		if plain {
			name = strings.ToLower(name)
			if _, err := c.tree.Lookup(name, false); err == nil && name != "." {
				return &Error{Path: from.name, Err: fmt.Errorf("has the name of another file in lower case: %w", errors.ErrUnsupported)}
			}
		}
		if err := c.add(h, name, from); err != nil {
			return &Error{Path: name, Err: err}
		}
		return nil
	})
}

// addTree lays a tree over what is there, as [overlay.Builder.AddTree] does.
func (c *changedTree) addTree(ctx context.Context, tree fs.FS) error {
	c.layer++
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Type() == fs.ModeSocket {
			return err
		}
		h, err := overlay.Header(tree, name, info)
		if err != nil {
			return err
		}
		if err := c.add(h, name, content{name: name, r: overlay.Open(tree, name)}); err != nil {
			return &Error{Path: name, Err: err}
		}
		return nil
	})
}

func (c *changedTree) add(h *tar.Header, name string, from content) error {
	switch h.Typeflag {
	case tar.TypeLink:
		target, err := tartree.Clean(h.Linkname)
		if err != nil {
			return err
		}
		return c.tree.Link(c.layer, name, target)
	case tar.TypeDir:
		if found, err := c.tree.Lookup(name, true); err == nil && found.IsDir() && found.Path() != name {
			return nil // The link that leads there stays.
		}
	}
	node, err := tartree.NewNode(h)
	if err != nil {
		return err
	}
	if node.Type == tar.TypeReg {
		node.Offset = int64(len(c.contents))
		c.contents = append(c.contents, from)
	}
	return c.tree.Add(c.layer, name, node)
}

// remove removes files and directories, all of which must be there.
func (c *changedTree) remove(names []string) error {
	c.layer++
	var errs []error
	var gone []string
	for _, name := range names {
		clean, err := tartree.Clean(name)
		if err == nil && clean == "." {
			err = errors.New("the root cannot be removed")
		}
		var found tartree.Found
		if err == nil {
			found, err = c.tree.Lookup(clean, false)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: remove: %w", name, err))
			continue
		}
		gone = append(gone, found.Path())
	}
	for _, name := range gone {
		errs = append(errs, c.tree.Whiteout(c.layer, name))
	}
	return errors.Join(errs...)
}

// nodes returns the tree as isomaster takes it. Place is called for each file
// with new content, and returns where that will be; stay for each one of the old
// image.
func (c *changedTree) nodes(
	place func(r io.ReaderAt, size int64) ([]iso9660.Extent, error), stay func(*isomaster.Node),
) (*isomaster.Node, error) {
	return nodesOf(c.tree, nil, func(_ string, n *tartree.Node, node *isomaster.Node) (err error) {
		from := &c.contents[n.Offset]
		if from.old {
			node.Extents = from.extents
			stay(node)
			return nil
		}
		node.Extents, err = place(from.r, n.Size)
		return err
	})
}

// kept returns the blocks of files that are still there, and lost those of the
// others, in order.
func (c *changedTree) kept() (kept, lost []span) {
	for _, f := range c.contents {
		for _, e := range f.extents {
			if f.used {
				kept = append(kept, spanOf(e))
			} else {
				lost = append(lost, spanOf(e))
			}
		}
	}
	return merged(kept), merged(lost)
}

// owner returns the name of the file of the old image that has a block, and
// whether the new tree has that file.
func (c *changedTree) owner(block int64) (name string, used bool) {
	for _, f := range c.contents {
		for _, e := range f.extents {
			if spanOf(e).has(block) && !used {
				name, used = f.name, f.used
			}
		}
	}
	return name, used
}
