package dentry

import (
	"errors"
	"io/fs"
)

// ReadLink is [fs.ReadLink], and says what a tree lacks that has symbolic links
// but no way to read them, as that of a [archive/zip.Reader].
func ReadLink(tree fs.FS, name string) (string, error) {
	if _, ok := tree.(fs.ReadLinkFS); !ok {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: errors.New("the tree is no fs.ReadLinkFS, so symbolic links in it cannot be read")}
	}
	return fs.ReadLink(tree, name)
}
