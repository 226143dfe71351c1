package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A tree opens the files that the command line, a machine table or a command
// line template names. A name is relative to the root, or it is the absolute
// path of a file, without its leading slash.
type tree struct {
	root   fs.FS
	inside string // absolute path of the root, without leading slash
	host   fs.FS  // for absolute paths; nil if they must be inside of the root
}

// openTree returns the tree below root. An empty root is the current folder,
// and then absolute paths may lie anywhere, as they may for pixiecore. The
// caller closes what is returned with it.
func openTree(root string) (*tree, func(), error) {
	if root == "" {
		return &tree{root: os.DirFS("."), host: os.DirFS("/")}, func() {}, nil
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, err
	}
	inside := strings.TrimPrefix(filepath.ToSlash(abs), "/")
	return &tree{root: r.FS(), inside: inside}, func() { _ = r.Close() }, nil
}

// Open implements [fs.FS].
func (t *tree) Open(name string) (fs.File, error) {
	f, err := t.root.Open(strings.TrimPrefix(name, "./"))
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		return f, err
	}
	if t.host != nil {
		if f, hostErr := t.host.Open(name); hostErr == nil {
			return f, nil
		}
		return nil, err
	}
	if rest, ok := strings.CutPrefix(name, t.inside+"/"); ok {
		return t.root.Open(rest)
	}
	return nil, err
}
