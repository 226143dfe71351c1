package iso9660

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

var (
	_ fs.ReadDirFS  = (*Image)(nil)
	_ fs.StatFS     = (*Image)(nil)
	_ fs.ReadLinkFS = (*Image)(nil)
)

var (
	errUnsupported = errors.ErrUnsupported
	errNotDir      = errors.New("not a directory")
	errLoop        = errors.New("too many symbolic links")
)

const maxLinks = 40 // Linux' MAXSYMLINKS

// An Extent is a range of an image.
type Extent struct {
	Block uint32 // where it starts
	Size  int64  // in bytes
}

// An Image is the file tree of an ISO 9660 image.
type Image struct {
	r       io.ReaderAt
	size    int64
	found   *descriptors
	root    *node
	fold    bool     // names match whatever the case of letters
	tables  []Extent // directories and what continues them
	hidden  []Extent // contents that no name leads to
	buffers sync.Pool
}

// Open reads the directories of the image in r, which has size bytes. R must
// stay as it is while the Image is used.
func Open(r io.ReaderAt, size int64, opts ...Option) (*Image, error) {
	var cfg config
	for _, opt := range opts {
		opt(&cfg)
	}
	im, err := open(r, size, cfg.names)
	if err != nil {
		return nil, fmt.Errorf("iso9660: %w", err)
	}
	return im, nil
}

func open(r io.ReaderAt, size int64, names Names) (*Image, error) {
	found, err := readDescriptors(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, err
	}
	s := &scan{r: io.NewSectionReader(r, 0, size), size: size}
	ridge, skip, err := s.hasRockRidge(found.primary)
	if err != nil && (names == Auto || names == RockRidge) {
		return nil, err
	}
	v := &found.volume
	v.RockRidge = ridge
	root := found.primary
	switch {
	case names == Auto && ridge:
		names = RockRidge
	case names == Auto && v.Joliet:
		names = Joliet
	case names == Auto:
		names = Plain
	case names == RockRidge && !ridge, names == Joliet && !v.Joliet, names == Enhanced && !v.Enhanced, names > Enhanced:
		return nil, fmt.Errorf("the image has no tree with names of %v", names)
	}
	switch names {
	case Joliet:
		root = found.joliet
	case Enhanced:
		root = found.enhanced
	}
	v.Names, s.names, s.skip = names, names, skip
	s.metadata, s.rr, s.blockOK = nil, rockRidge{}, false // The tree tells anew what it reads.
	tree, err := s.tree(root)
	if err != nil {
		return nil, err
	}
	im := &Image{r: r, size: size, found: found, root: tree, fold: names == Plain, tables: s.metadata, hidden: s.hidden}
	im.buffers.New = func() any { return new([copyBuffer]byte) }
	return im, nil
}

// Volume returns what the primary descriptor says.
func (im *Image) Volume() Volume { return im.found.volume }

// Catalog returns the boot catalogue, nil if there is none.
func (im *Image) Catalog() (*Catalog, error) {
	at := im.found.catalog
	if at == 0 {
		return nil, nil
	}
	b := make([]byte, BlockSize)
	if err := readFull(io.NewSectionReader(im.r, 0, im.size), b, int64(at)*BlockSize); err != nil {
		return nil, fmt.Errorf("iso9660: boot catalogue at block %d: %w", at, err)
	}
	entries, err := parseCatalog(b)
	if err != nil {
		return nil, fmt.Errorf("iso9660: boot catalogue at block %d: %w", at, err)
	}
	return &Catalog{Block: at, Entries: entries}, nil
}

// Extents returns where the content of the regular file called name lies, in
// order; all but the last fill their blocks if the writer kept to the standard.
// It does not follow a last symbolic link. An empty file has none.
func (im *Image) Extents(name string) ([]Extent, error) {
	n, err := im.find("extents", name, false)
	if err != nil {
		return nil, err
	}
	if err = n.readable(im.size); err != nil {
		return nil, &fs.PathError{Op: "extents", Path: name, Err: err}
	}
	return slices.Clone(n.extents()), nil
}

// Metadata returns where the path tables of the image lie, and the directories
// of the tree that was read, with what continues their records. Ranges can
// overlap.
func (im *Image) Metadata() []Extent { return slices.Concat(im.found.tables, im.tables) }

// Contents returns where the contents of all files lie, also of those that no
// name of the tree leads to: older versions, and associated files. What cannot
// be read is left out. Ranges can overlap.
func (im *Image) Contents() []Extent {
	list := slices.DeleteFunc(slices.Clone(im.hidden), func(e Extent) bool {
		return (&node{kind: tar.TypeReg, block: e.Block, size: e.Size}).readable(im.size) != nil
	})
	for dirs := []*node{im.root}; len(dirs) > 0; {
		last := len(dirs) - 1
		entries := dirs[last].entries
		dirs = dirs[:last]
		for _, e := range entries {
			if e.isDir() {
				dirs = append(dirs, e)
			} else if e.readable(im.size) == nil {
				list = append(list, e.extents()...)
			}
		}
	}
	return list
}

// Open implements [fs.FS].
func (im *Image) Open(name string) (fs.File, error) {
	n, err := im.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.isDir() {
		return &openDir{info: info{n, path.Base(name)}}, nil
	}
	if err := n.readable(im.size); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return im.file(n, path.Base(name)), nil
}

// ReadDir implements [fs.ReadDirFS].
func (im *Image) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := im.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !n.isDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errNotDir}
	}
	return dirEntries(n), nil
}

// Stat implements [fs.StatFS].
func (im *Image) Stat(name string) (fs.FileInfo, error) { return im.stat("stat", name, true) }

// Lstat implements [fs.ReadLinkFS].
func (im *Image) Lstat(name string) (fs.FileInfo, error) { return im.stat("lstat", name, false) }

func (im *Image) stat(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := im.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	return info{n, path.Base(name)}, nil
}

// ReadLink implements [fs.ReadLinkFS]. The target is as recorded.
func (im *Image) ReadLink(name string) (string, error) {
	n, err := im.find("readlink", name, false)
	switch {
	case err != nil:
		return "", err
	case n.kind != tar.TypeSymlink:
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	default:
		return n.target(), nil
	}
}

// find returns what name leads to, or a [*fs.PathError].
func (im *Image) find(op, name string, follow bool) (*node, error) {
	if !validName(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := im.lookup(name, follow)
	if errors.Is(err, errNotDir) { // As for os.Open, there is no such file.
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// lookup returns what is called rest, which starts at the root. The last
// symbolic link is followed only if follow is set.
func (im *Image) lookup(rest string, follow bool) (*node, error) {
	at, links := im.root, 0
	for {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return at, nil
		}
		if !at.isDir() {
			return nil, errNotDir
		}
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		if element == "." {
			continue
		}
		if element == ".." {
			at = at.parent
			continue
		}
		next := at.child(element)
		if next == nil && im.fold {
			next = at.childFold(element)
		}
		if next == nil {
			return nil, fs.ErrNotExist
		}
		target := next.target()
		if next.kind != tar.TypeSymlink || !follow && strings.Trim(rest, "/") == "" {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, errLoop
		}
		if target == "" {
			return nil, fs.ErrNotExist
		}
		if strings.HasPrefix(target, "/") {
			at = im.root
		}
		rest = target + "/" + rest
	}
}

// validName is fs.ValidPath, but lets any bytes be part of names.
func validName(name string) bool {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "x")
	}
	return fs.ValidPath(name)
}
