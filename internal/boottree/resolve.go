package boottree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxLinks is how many symbolic links one name may lead through, as on Linux.
const maxLinks = 40

// errLinks is the cause of an error for a name that leads through more.
var errLinks = errors.New("too many symbolic links")

// resolve returns where name leads to in fsys, and what is there. It follows
// symbolic links itself, so that absolute ones start at the root of fsys whatever
// that thinks of them. Without [fs.ReadLinkFS] there are none.
func resolve(fsys fs.FS, name string) (string, fs.FileInfo, error) {
	at, rest, links := ".", name, 0
	for {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			info, err := fs.Lstat(fsys, at)
			return at, info, err
		}
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		if element == ".." {
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, element)
		info, err := fs.Lstat(fsys, next)
		if err != nil {
			return "", nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, fmt.Errorf("%s: %w", name, errLinks)
		}
		target, err := fs.ReadLink(fsys, next)
		if err != nil {
			return "", nil, err
		}
		if strings.HasPrefix(target, "/") {
			at = "."
		}
		rest = target + "/" + rest
	}
}

// readDir returns the entries of the directory that name leads to, and where
// that is; none if there is no such directory.
func readDir(fsys fs.FS, name string) ([]fs.DirEntry, string, error) {
	place, info, err := resolve(fsys, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLinks) || err == nil && !info.IsDir() {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	entries, err := fs.ReadDir(fsys, place)
	return entries, place, err
}
