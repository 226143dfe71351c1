package squashfs

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// A walk reads the names and attributes of a whole tree, before any content.
type walk struct {
	tree   fs.FS
	tables *tables
	files  []*node // regular files, in the order of fs.WalkDir
	bytes  int64   // of all files
	latest uint32  // modification time
}

// run returns the root of the tree.
func (w *walk) run(ctx context.Context) (*node, error) {
	reader := dentry.Reader[*node]{Package: "squashfs", New: func() *node { return &node{xattrs: noXattr} }, Add: w.add}
	return reader.Read(ctx, w.tree)
}

// add keeps what else there is of an entry.
func (w *walk) add(n *node, _ string, info fs.FileInfo, header *tar.Header) (err error) {
	n.kind, n.mtime = kindOf(n.Type()), seconds(info.ModTime())
	w.latest = max(w.latest, n.mtime)
	switch n.kind {
	case 0:
		return nil
	case typeFile:
		w.files = append(w.files, n)
		w.bytes += n.Size
	}
	if err := w.tables.addID(n.UID); err != nil {
		return fmt.Errorf("owner: %w", err)
	}
	if err := w.tables.addID(n.GID); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	n.xattrs, err = w.tables.xattrs.add(header.PAXRecords)
	return err
}
